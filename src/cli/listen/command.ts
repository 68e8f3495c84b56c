/** `listen`: a local endpoint that keeps what it gets, and an inspector to look at it, replay it, edit it and forward it. */

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
import { createInspectorServer } from './inspector-server.js'
import { createIntake } from './intake.js'
import { createJsonPrinter, createPrinter } from './printer.js'
import { hostOf, start, stop, untilEnded } from './servers.js'
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

const LOOPBACK = '127.0.0.1'
const MIB = 1024 * 1024

const ABOUT = `
The last 1,000 deliveries are kept in the file and shown in the inspector: a page on this machine alone, whose address has a token
that is new with each start. Without --forward they are answered as a receiver of this package would.

Examples:
  $ govalid-webhooks listen
  $ govalid-webhooks listen --forward http://localhost:3000/webhooks/govalid
  $ govalid-webhooks send qr.scanned --to http://localhost:4000/webhooks/govalid`

/** Adds `listen`. */
export const addListen: AddCommand = (program, host, act) => {
  const command = program
    .command('listen')
    .description('a local endpoint with an inspector: see deliveries, replay, edit and forward them')
    .option('--forward <url>', 'pass each delivery on to this address, and answer as it does', toUrl)
  takesSecret(command, '--secret-env', SECRET_ENV, 'the webhook secret')
    .option(
      '--other-secret-env <name>',
      'the variable of another secret that may have signed; can be repeated',
      collect,
    )
    .option('--without-signature-member', "as a receiver with signedContent: 'body-without-signature' does")
    .option('--port <n>', 'the port of the endpoint; 0 for any', wholeFrom(0, 65_535), 4000)
    .option('--inspector-port <n>', 'the port of the inspector (default: the next one)', wholeFrom(0, 65_535))
    .option('--host <address>', 'where the endpoint listens; the inspector is on loopback always', LOOPBACK)
    .option('--file <file>', 'where deliveries are kept', '.govalid-webhooks/deliveries.jsonl')
    .option('--json', 'print lines of JSON: where it listens, then one a delivery')
    .addHelpText('after', ABOUT)
    .action(act((options: ListenOptions) => listen(host, options)))
}

async function listen(host: Host, options: ListenOptions): Promise<ExitCode> {
  const secret = await readSecret(host, options.secretEnv, SECRET_ENV, 'the webhook secret')
  const otherSecrets: string[] = []
  for (const name of options.otherSecretEnv ?? [])
    otherSecrets.push(await readSecret(host, name, name, 'another secret'))
  const log = openDeliveryLog(resolve(host.cwd, options.file), (code) => {
    host.note(`Deliveries cannot be written to the file (${code}); they are kept until this ends.`)
  })
  try {
    return await run(host, options, log, { secret, otherSecrets })
  } finally {
    log.close()
  }
}

interface Secrets {
  readonly secret: string
  readonly otherSecrets: readonly string[]
}

async function run(host: Host, options: ListenOptions, log: DeliveryLog, secrets: Secrets): Promise<ExitCode> {
  const { forward: forwardTo, json } = options
  const signedContent = options.withoutSignatureField ? 'body-without-signature' : 'body'
  const ended = untilEnded()
  const watchers = createWatchers()
  const printer = json ? createJsonPrinter(host) : createPrinter(host)
  const onChange = (delivery: DeliverySummary) => {
    watchers.announce({ kind: 'delivery', delivery })
    if (delivery.answered) printer.delivery(delivery)
  }
  const intake = createIntake({ secret: secrets.secret, signedContent, log, forwardTo, onChange })
  const endpointServer = createEndpointServer(intake, forwardTo === undefined ? MIB : 4 * MIB)
  const port = await start(endpointServer, { port: options.port, address: options.host, option: '--port' })
  const endpoint = `http://${hostOf(options.host)}:${port}/webhooks/govalid`
  const token = randomBytes(24).toString('base64url')
  const { announce } = watchers
  const folder = host.cwd
  const api = { ...secrets, log, intake, announce, signedContent, endpoint, forwardTo, folder } as const
  const inspectorServer = createInspectorServer({ page, token, watchers, api })
  try {
    refuseLoop(forwardTo, options.host, port)
    const inspectorPort = await startInspector(inspectorServer, options, port)
    const inspector = `http://${LOOPBACK}:${inspectorPort}/#${token}`
    const file = relative(host.cwd, resolve(host.cwd, options.file))
    printer.start({ endpoint, inspector, forward: forwardTo ?? null, file, kept: log.all().length })
    await ended
  } finally {
    watchers.close()
    await stop(endpointServer, inspectorServer)
    await intake.close()
  }
  return EXIT.ok
}

/** The port that was asked for, or the one behind the endpoint's, or any. */
async function startInspector(server: Server, { inspectorPort }: ListenOptions, endpointPort: number): Promise<number> {
  const place = { address: LOOPBACK, option: '--inspector-port' as const }
  if (inspectorPort !== undefined) return start(server, { ...place, port: inspectorPort })
  try {
    return await start(server, { ...place, port: endpointPort < 65_535 ? endpointPort + 1 : 0 })
  } catch {
    return start(server, { ...place, port: 0 })
  }
}

const HERE = /^(localhost|127(\.\d+){3}|\[::1\]|0\.0\.0\.0)$/

/** What is forwarded to the endpoint itself would go round for ever. */
function refuseLoop(forwardTo: string | undefined, address: string, port: number): void {
  if (forwardTo === undefined) return
  const { hostname, port: target } = new URL(forwardTo)
  if (Number(target) !== port || !(HERE.test(hostname) || hostname === address)) return
  throw new UsageError('--forward is the address of this endpoint itself; give that of your own server.')
}
