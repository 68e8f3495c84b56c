/** The `endpoints` command: manages the webhooks that are registered with GoValid, over its management API. */
import { type Command, Option } from 'commander'
import { type ApiClient, createClient } from '../../api/client.js'
import type { Endpoint, EndpointChanges } from '../../api/endpoint.js'
import type { AddCommand } from '../terminal/add-command.js'
import { loadHandlers } from '../terminal/handler-file.js'
import type { Host } from '../terminal/host.js'
import { printJson, takesJson } from '../terminal/json-option.js'
import { requireKnownEvents } from '../terminal/known-events.js'
import { plain } from '../terminal/paint.js'
import { askYes } from '../terminal/prompt.js'
import { collect, toUrl } from '../terminal/read-options.js'
import { API_KEY_ENV, readSecret, SECRET_ENV, takesSecret } from '../terminal/secrets.js'
import { EXIT, type ExitCode, UsageError } from '../terminal/usage-error.js'
import { noteRateLimit, printEndpoint, printWarnings } from './print.js'
import { readState, writeState } from './state.js'
import { type Comparison, findWarnings } from './warnings.js'

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
  readonly unknown?: true
  readonly secretEnv?: string
  readonly description?: string
  readonly active?: boolean
  readonly yes?: true
}

const LIST_HELP = `
Warns about disabled endpoints. With --state, also warns about new failures
since the last run. With --handlers, also warns about events that are subscribed
but not handled, or handled but not subscribed.`

const EXAMPLES = {
  list: example('list --check'),
  create: example('create --event qr.scanned \\\n      --url https://example.com/webhooks/govalid'),
  update: example('update wh-001 --secret-env NEW_SECRET'),
  enable: example('enable wh-001'),
  disable: example('disable wh-001'),
  delete: example('delete wh-001'),
} as const

function example(line: string): string {
  return `\nExample:\n  $ npx govalid-webhooks endpoints ${line}`
}

const UNKNOWN = ['--unknown', 'accept event names that this version does not know'] as const

/** Adds `endpoints` and its subcommands. */
export const addEndpoints: AddCommand = (program, host, act) => {
  const endpoints = program
    .command('endpoints')
    .description('manage the webhooks that are registered with GoValid')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES.list + EXAMPLES.create + EXAMPLES.enable)
  const add = (name: keyof typeof EXAMPLES, description: string, argument = ''): Command => {
    const command = endpoints.command(name + argument).description(description)
    command.addHelpText('after', EXAMPLES[name])
    takesSecret(command, '--api-key-env', API_KEY_ENV, 'the API key')
    return takesJson(command).addOption(new Option('--base-url <url>', 'use the API at this URL').argParser(toUrl))
  }
  add('list', 'list all webhooks, with warnings')
    .option('--handlers <file>', 'compare the subscribed events with the handlers in this file')
    .option('--state <file>', 'save the failure counts in this file, and warn if they have grown')
    .option('--check', 'exit with 1 if there is a warning')
    .addHelpText('after', LIST_HELP)
    .action(act((options: ListOptions) => list(host, options)))
  takesSecret(add('create', 'register a webhook'), '--secret-env', SECRET_ENV, 'the webhook secret')
    .requiredOption('--url <url>', 'send deliveries to this https URL', toUrl)
    .requiredOption('--event <type>', 'subscribe to this event; repeat for more', collect)
    .option(...UNKNOWN)
    .option('--description <text>', 'add a description')
    .option('--no-active', 'register the webhook as disabled')
    .action(act((options: ChangeOptions) => create(host, options)))
  add('update', 'change the given fields of a webhook', ' <id>')
    .option('--url <url>', 'send deliveries to this https URL', toUrl)
    .option('--event <type>', 'replace the subscribed events with this event; repeat for more', collect)
    .option(...UNKNOWN)
    .option('--secret-env <name>', 'read a new webhook secret from this environment variable')
    .option('--description <text>', 'change the description')
    .action(act((id: string, options: ChangeOptions) => update(host, id, options)))
  add('enable', 'enable a webhook again', ' <id>').action(
    act((id: string, options: ChangeOptions) => update(host, id, { ...options, active: true })),
  )
  add('disable', 'disable a webhook', ' <id>').action(
    act((id: string, options: ChangeOptions) => update(host, id, { ...options, active: false })),
  )
  add('delete', 'delete a webhook', ' <id>')
    .option('--yes', 'delete without asking')
    .action(act((id: string, options: ChangeOptions) => remove(host, id, options)))
}

/** A shorter value of the environment, such as `test`, would also be found in URLs and names. */
const MIN_SECRET_LENGTH = 8

async function openClient(host: Host, { apiKeyEnv, baseUrl }: CommonOptions): Promise<ApiClient> {
  const apiKey = await readSecret(host, apiKeyEnv, API_KEY_ENV, 'the API key')
  const secret = host.env[SECRET_ENV] ?? ''
  return createClient(
    { apiKey: apiKey.trim(), ...(baseUrl !== undefined && { baseUrl }) },
    secret.trim().length < MIN_SECRET_LENGTH ? [] : [secret],
  )
}

async function list(host: Host, options: ListOptions): Promise<ExitCode> {
  const comparison: Comparison = {
    ...(options.state !== undefined && { last: readState(host, options.state) }),
    ...(options.handlers !== undefined && { handles: await loadHandles(host, options.handlers) }),
  }
  const client = await openClient(host, options)
  const endpoints = await client.list()
  const warnings = findWarnings(endpoints, comparison)
  if (options.state !== undefined) writeState(host, options.state, endpoints)
  if (options.json) printJson(host, { endpoints, warnings, rateLimit: client.rateLimit() })
  else if (endpoints.length === 0)
    host.print('No webhooks are registered. To register one, run: govalid-webhooks endpoints create')
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
  return options.check && warnings.length > 0 ? EXIT.failed : EXIT.ok
}

async function loadHandles(host: Host, file: string): Promise<(type: string) => boolean> {
  const createReceiver = await loadHandlers(host, file)
  const receiver = await createReceiver({ secret: 'unused, because nothing is received' })
  return (type) => receiver.handles(type)
}

async function create(host: Host, options: ChangeOptions): Promise<ExitCode> {
  checkEvents(options)
  const client = await openClient(host, options)
  const secret = await readSecret(host, options.secretEnv, SECRET_ENV, 'the webhook secret')
  const { url = '', event: events = [], description, active } = options
  const endpoint = {
    url,
    events,
    secret,
    ...(description !== undefined && { description }),
    ...(active === false && { active }),
  }
  return report(host, client, options, 'Registered', await client.create(endpoint))
}

async function update(host: Host, id: string, options: ChangeOptions): Promise<ExitCode> {
  checkEvents(options)
  const { url, event: events, secretEnv, description, active } = options
  const changes: EndpointChanges = {
    ...(url !== undefined && { url }),
    ...(events !== undefined && { events }),
    ...(description !== undefined && { description }),
    ...(active !== undefined && { active }),
    ...(secretEnv !== undefined && { secret: await readSecret(host, secretEnv, SECRET_ENV, 'the new webhook secret') }),
  }
  if (Object.keys(changes).length === 0)
    throw new UsageError('Nothing to change. Pass --url, --event, --secret-env or --description.')
  const client = await openClient(host, options)
  const done = active === undefined ? 'Updated' : active ? 'Enabled' : 'Disabled'
  return report(host, client, options, `${done} ${plain(id)}`, await client.update(id, changes))
}

async function remove(host: Host, id: string, options: ChangeOptions): Promise<ExitCode> {
  if (!options.yes) {
    if (!host.isInteractive) throw new UsageError(`This deletes ${plain(id)}. Add --yes to confirm.`)
    if (!(await askYes(`Delete ${plain(id)}? GoValid will stop sending to it.`))) {
      throw new UsageError('Not confirmed. Nothing was deleted.')
    }
  }
  const client = await openClient(host, options)
  await client.delete(id)
  return report(host, client, options, `Deleted ${plain(id)}`, undefined)
}

function checkEvents({ event = [], unknown }: ChangeOptions): void {
  if (!unknown) requireKnownEvents(event, 'To subscribe to a newer event, add --unknown.')
}

function report(
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
