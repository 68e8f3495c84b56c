/** The `listen` command: a local endpoint that records deliveries, and an inspector to view, replay, edit and forward them. */

import { page } from 'inspector:page'
import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import { relative, resolve } from 'node:path'
import type { DeliverySummary } from '../inspector/wire.js'
import type { AddCommand } from '../terminal/add-command.js'
import type { Host } from '../terminal/host.js'
import { collect, toUrl, wholeFrom } from '../terminal/read-options.js'
import { readSecret, SECRET_ENV, takesSecret } from '../terminal/secrets.js'
import { EXIT, type ExitCode, UsageError } from '../terminal/usage-error.js'
import { type DeliveryLog, openDeliveryLog } from './delivery-log.js'
import { createEndpointServer } from './endpoint-server.js'
import { createInspectorApi } from './inspector-api.js'
import { createInspectorServer } from './inspector-server.js'
import { createIntake } from './intake.js'
import { createJsonPrinter, createPrinter } from './printer.js'
import { start, stop, untilStopped, urlHostOf } from './servers.js'
import type { ListenSettings } from './settings.js'
import { createWatchers } from './watchers.js'

interface ListenOptions {
  readonly port: number
  readonly inspectorPort?: number
  readonly host: string
  readonly forward?: string
  readonly file: string
  readonly secretEnv?: string
  readonly otherSecretEnv?: readonly string[]
  readonly withoutSignatureField?: true
  readonly json?: true
}

type Secrets = Pick<ListenSettings, 'secret' | 'otherSecrets'>

const LOOPBACK = '127.0.0.1'
const MIB = 1024 * 1024

const ABOUT = `
The last 1,000 deliveries are saved in the file and shown in the inspector. Only
this machine can open the inspector, and its address contains a token that
changes with every start. Without --forward, the endpoint responds as a receiver
of this package does.

Examples:
  $ npx govalid-webhooks listen
  $ npx govalid-webhooks listen \\
      --forward http://localhost:3000/webhooks/govalid
  $ npx govalid-webhooks send qr.scanned \\
      --to http://localhost:4000/webhooks/govalid`

/** Adds `listen`. */
export const addListen: AddCommand = (program, host, act) => {
  const command = program
    .command('listen')
    .description('watch, replay, edit and forward deliveries in a local inspector')
    .option('--forward <url>', 'forward each delivery to this URL and return its response', toUrl)
  takesSecret(command, '--secret-env', SECRET_ENV, 'the webhook secret')
    .option('--other-secret-env <name>', 'also try the secret in this environment variable; repeat for more', collect)
    .option(
      '--without-signature-field',
      "verify the body without its signature field (signedContent: 'body-without-signature')",
    )
    .option('--port <n>', 'the port of the endpoint; 0 for any free port', wholeFrom(0, 65_535), 4000)
    .option('--inspector-port <n>', 'the port of the inspector (default: the next port)', wholeFrom(0, 65_535))
    .option('--host <address>', 'the address of the endpoint; the inspector is always on loopback', LOOPBACK)
    .option('--file <file>', 'save deliveries in this file', '.govalid-webhooks/deliveries.jsonl')
    .option('--json', 'print JSON lines: the addresses first, then one line per delivery')
    .addHelpText('after', ABOUT)
    .action(act((options: ListenOptions) => listen(host, options)))
}

async function listen(host: Host, options: ListenOptions): Promise<ExitCode> {
  const secret = await readSecret(host, options.secretEnv, SECRET_ENV, 'the webhook secret')
  const otherSecrets: string[] = []
  for (const name of options.otherSecretEnv ?? []) {
    otherSecrets.push(await readSecret(host, name, name, 'the other secret'))
  }
  const log = openDeliveryLog(host.cwd, options.file, (code) => {
    host.note(`Can't write deliveries to the file (${code}). They are kept in memory until this command ends.`)
  })
  try {
    return await serve(host, options, log, { secret, otherSecrets })
  } finally {
    log.close()
  }
}

async function serve(host: Host, options: ListenOptions, log: DeliveryLog, secrets: Secrets): Promise<ExitCode> {
  const { forward: forwardTo, json } = options
  const signedContent = options.withoutSignatureField ? 'body-without-signature' : 'body'
  const stopped = untilStopped()
  const watchers = createWatchers()
  const printer = json ? createJsonPrinter(host) : createPrinter(host)
  const onChange = (delivery: DeliverySummary) => {
    watchers.announce({ kind: 'delivery', delivery })
    if (delivery.finished) printer.delivery(delivery)
  }
  const intake = createIntake({ ...secrets, signedContent, log, forwardTo, onChange })
  const endpointServer = createEndpointServer(intake, forwardTo === undefined ? MIB : 4 * MIB)
  const port = await start(endpointServer, { port: options.port, address: options.host, option: '--port' })
  const endpoint = `http://${urlHostOf(options.host)}:${port}/webhooks/govalid`
  const token = randomBytes(24).toString('base64url')
  const settings: ListenSettings = { ...secrets, signedContent, endpoint, forwardTo, folder: host.cwd }
  const api = createInspectorApi({ settings, log, intake, watchers })
  const inspectorServer = createInspectorServer({ page, token, watchers, api })
  try {
    refuseLoop(forwardTo, options.host, port)
    const inspectorPort = await startInspector(inspectorServer, options, port)
    const inspector = `http://${LOOPBACK}:${inspectorPort}/#${token}`
    const file = relative(host.cwd, resolve(host.cwd, options.file))
    printer.start({ endpoint, inspector, forward: forwardTo ?? null, file, kept: log.all().length })
    await stopped
  } finally {
    watchers.close()
    await stop(endpointServer, inspectorServer)
    await intake.close()
  }
  return EXIT.ok
}

/** Starts the inspector on the requested port. Without one, it uses the port after the endpoint's port, or any free port. */
async function startInspector(server: Server, { inspectorPort }: ListenOptions, endpointPort: number): Promise<number> {
  const binding = { address: LOOPBACK, option: '--inspector-port' as const }
  if (inspectorPort !== undefined) return start(server, { ...binding, port: inspectorPort })
  try {
    return await start(server, { ...binding, port: endpointPort < 65_535 ? endpointPort + 1 : 0 })
  } catch {
    return start(server, { ...binding, port: 0 })
  }
}

const THIS_MACHINE = /^(localhost|127(\.\d+){3}|\[::1\]|0\.0\.0\.0)$/

/** Refuses to forward to the endpoint itself, because every delivery would be forwarded endlessly. */
function refuseLoop(forwardTo: string | undefined, address: string, port: number): void {
  if (forwardTo === undefined) return
  const { hostname, port: target } = new URL(forwardTo)
  if (Number(target) !== port || !(THIS_MACHINE.test(hostname) || hostname === address)) return
  throw new UsageError("--forward is this endpoint's own address. Pass the URL of your server.")
}
