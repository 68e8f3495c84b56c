/** `endpoints`: the webhooks registered with GoValid, over its management API. */
import { type Command, Option } from 'commander'
import { type ApiClient, createApiClient } from '../../api/client.js'
import type { Endpoint, EndpointChanges } from '../../api/endpoint.js'
import type { AddCommand } from '../terminal/add-command.js'
import { loadHandlers } from '../terminal/handler-file.js'
import type { Host } from '../terminal/host.js'
import { printJson, takesJson } from '../terminal/json-option.js'
import { plain } from '../terminal/paint.js'
import { askYes } from '../terminal/prompt.js'
import { collect, toUrl } from '../terminal/read-options.js'
import { API_KEY_ENV, readSecret, SECRET_ENV, takesSecret } from '../terminal/secrets.js'
import { EXIT, type ExitCode, UsageError } from '../terminal/usage-error.js'
import { noteRateLimit, printEndpoint, printWarnings } from './print.js'
import { readState, writeState } from './state.js'
import { findWarnings, type Knowledge } from './warnings.js'

interface CommonOptions {
  readonly apiKeyEnv?: string
  readonly baseUrl?: string
  readonly json?: true
}

interface ListOptions extends CommonOptions {
  readonly handlers?: string
  readonly state?: string
  readonly check?: true
}

interface ChangeOptions extends CommonOptions {
  readonly url?: string
  readonly event?: readonly string[]
  readonly secretEnv?: string
  readonly description?: string
  readonly active?: boolean
  readonly yes?: true
}

const LIST_HELP = `
Warns of endpoints that are disabled; with --state, of failures that are more than at the last look; with --handlers, of events that
are subscribed and not handled, or handled and not subscribed.`

/** Adds `endpoints` and what it can do. */
export const addEndpoints: AddCommand = (program, host, act) => {
  const endpoints = program
    .command('endpoints')
    .description('list, create, change, enable and delete the webhooks registered with GoValid')
  const add = (name: string, description: string): Command => {
    const command = endpoints.command(name).description(description)
    takesSecret(command, '--api-key-env', API_KEY_ENV, 'the API key')
    return takesJson(command).addOption(new Option('--base-url <url>', 'another address of the API').argParser(toUrl))
  }
  add('list', 'list them, with what is wrong')
    .option('--handlers <file>', 'the file with your handlers, to compare with the subscribed events')
    .option('--state <file>', 'remember the failures in this file, and warn when there are more')
    .option('--check', 'exit with 1 where there is a warning')
    .addHelpText('after', LIST_HELP)
    .action(act((options: ListOptions) => list(host, options)))
  takesSecret(add('create', 'register one'), '--secret-env', SECRET_ENV, 'the webhook secret')
    .requiredOption('--url <url>', 'where GoValid is to send; https', toUrl)
    .requiredOption('--event <type>', 'an event it is to be sent; can be repeated', collect)
    .option('--description <text>', 'a note for people')
    .option('--no-active', 'register it disabled')
    .action(act((options: ChangeOptions) => create(host, options)))
  add('update <id>', 'change one; what is not named stays as it is')
    .option('--url <url>', 'where GoValid is to send; https', toUrl)
    .option('--event <type>', 'an event it is to be sent, in place of all it was sent; can be repeated', collect)
    .option('--secret-env <name>', 'the environment variable with a new webhook secret')
    .option('--description <text>', 'a note for people')
    .action(act((id: string, options: ChangeOptions) => update(host, id, options)))
  add('enable <id>', 'have GoValid send to it again').action(
    act((id: string, options: ChangeOptions) => update(host, id, { ...options, active: true })),
  )
  add('disable <id>', 'have GoValid send nothing more to it').action(
    act((id: string, options: ChangeOptions) => update(host, id, { ...options, active: false })),
  )
  add('delete <id>', 'remove one')
    .option('--yes', 'do not ask')
    .action(act((id: string, options: ChangeOptions) => remove(host, id, options)))
}

async function open(host: Host, { apiKeyEnv, baseUrl }: CommonOptions): Promise<ApiClient> {
  const apiKey = await readSecret(host, apiKeyEnv, API_KEY_ENV, 'the API key')
  return createApiClient({ apiKey: apiKey.trim(), ...(baseUrl !== undefined && { baseUrl }) })
}

async function list(host: Host, options: ListOptions): Promise<ExitCode> {
  const knowledge: Knowledge = {
    ...(options.state !== undefined && { last: readState(host, options.state) }),
    ...(options.handlers !== undefined && { handles: await handledIn(host, options.handlers) }),
  }
  const client = await open(host, options)
  const endpoints = await client.list()
  const warnings = findWarnings(endpoints, knowledge)
  if (options.state !== undefined) writeState(host, options.state, endpoints)
  if (options.json) printJson(host, { endpoints, warnings, rateLimit: client.rateLimit() })
  else if (endpoints.length === 0)
    host.print('There is no webhook. Register one with: govalid-webhooks endpoints create')
  else {
    for (const endpoint of endpoints) {
      printEndpoint(host, endpoint)
      printWarnings(
        host,
        warnings.filter((warning) => warning.endpoint === endpoint.id),
      )
    }
  }
  noteRateLimit(host, client)
  return options.check && warnings.length > 0 ? EXIT.no : EXIT.ok
}

async function handledIn(host: Host, file: string): Promise<(type: string) => boolean> {
  const make = await loadHandlers(host, file)
  const receiver = await make({ secret: 'not used: nothing is received' })
  return (type) => receiver.handles(type)
}

async function create(host: Host, options: ChangeOptions): Promise<ExitCode> {
  const client = await open(host, options)
  const secret = await readSecret(host, options.secretEnv, SECRET_ENV, 'the webhook secret')
  const { url = '', event: events = [], description, active } = options
  const given = {
    url,
    events,
    secret,
    ...(description !== undefined && { description }),
    ...(active === false && { active }),
  }
  return tell(host, client, options, 'Registered', await client.create(given))
}

async function update(host: Host, id: string, options: ChangeOptions): Promise<ExitCode> {
  const { url, event: events, secretEnv, description, active } = options
  const changes: EndpointChanges = {
    ...(url !== undefined && { url }),
    ...(events !== undefined && { events }),
    ...(description !== undefined && { description }),
    ...(active !== undefined && { active }),
    ...(secretEnv !== undefined && { secret: await readSecret(host, secretEnv, SECRET_ENV, 'the new webhook secret') }),
  }
  if (Object.keys(changes).length === 0) throw new UsageError('Say what is to change: see --help.')
  const client = await open(host, options)
  const done = active === undefined ? 'Changed' : active ? 'Enabled' : 'Disabled'
  return tell(host, client, options, `${done} ${plain(id)}`, await client.update(id, changes))
}

async function remove(host: Host, id: string, options: ChangeOptions): Promise<ExitCode> {
  if (!options.yes) {
    if (!host.isInteractive)
      throw new UsageError(`Nobody is here to confirm that ${plain(id)} is to be removed: add --yes.`)
    if (!(await askYes(`Remove ${plain(id)}? GoValid will send it nothing more.`)))
      throw new UsageError('Nothing was removed.')
  }
  const client = await open(host, options)
  await client.delete(id)
  return tell(host, client, options, `Removed ${plain(id)}`, undefined)
}

function tell(
  host: Host,
  client: ApiClient,
  { json }: CommonOptions,
  done: string,
  endpoint: Endpoint | undefined,
): ExitCode {
  if (json) printJson(host, { done: true, endpoint: endpoint ?? null, rateLimit: client.rateLimit() })
  else {
    host.print(`${host.paint.good('✓')} ${done}.`)
    if (endpoint) printEndpoint(host, endpoint)
  }
  noteRateLimit(host, client)
  return EXIT.ok
}
