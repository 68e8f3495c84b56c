/** `send`: signed deliveries to an endpoint, as GoValid sends them, and what GoValid would make of the answers. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Command } from 'commander'
import { type SignedDelivery, signDelivery } from '../../testing/sign-delivery.js'
import type { AddCommand } from '../terminal/add-command.js'
import type { Host } from '../terminal/host.js'
import { printJson, takesJson } from '../terminal/json-option.js'
import { failureOf, post } from '../terminal/post.js'
import { numberFrom, toUrl, wholeFrom } from '../terminal/read-options.js'
import { readSecret, SECRET_ENV, takesSecret } from '../terminal/secrets.js'
import { EXIT, type ExitCode, UsageError } from '../terminal/usage-error.js'
import { type Load, type PlanOptions, planLoads } from './plan-loads.js'
import { printSent, printSummary, type Sent, toRecord } from './print.js'
import { sendWithRetries } from './send-with-retries.js'

/** The options of `send`. */
export interface SendOptions extends PlanOptions {
  readonly to: string
  readonly secretEnv?: string
  readonly rate?: number
  readonly retry?: true
  readonly speed?: number
  readonly tamper?: true
  readonly duplicate?: true
  readonly json?: true
}

const EXAMPLES = `
Examples:
  $ govalid-webhooks send qr.scanned --to http://localhost:3000/webhooks/govalid
  $ govalid-webhooks send --all --to http://localhost:3000/webhooks/govalid
  $ govalid-webhooks send captured.json --tamper --to http://localhost:3000/webhooks/govalid
  $ govalid-webhooks send qr.scanned --retry --speed 600 --to http://localhost:3000/webhooks/govalid`

/** Adds `send`. */
export const addSend: AddCommand = (program, host, act) => {
  const command: Command = program
    .command('send')
    .description('send signed deliveries to an endpoint, as GoValid does')
    .argument(
      '[event|file]',
      'an event such as qr.scanned; a file whose bytes are sent as they are; or - for standard input',
    )
    .requiredOption('--to <url>', 'where to send', toUrl)
  takesSecret(command, '--secret-env', SECRET_ENV, 'the webhook secret')
  command
    .option('--all', 'every event once')
    .option('--unknown', 'an event that nobody knows; it has to be answered 200')
    .option('--data <json>', 'members to lay over the event’s data')
    .option('--count <n>', 'how many, each with other bytes', wholeFrom(1, 100_000))
    .option('--rate <n>', 'how many a second; without it one after the other', numberFrom(0.1, 1000))
    .option('--tamper', 'change the body after signing; it has to be refused')
    .option('--duplicate', 'send each twice, the same bytes')
    .option('--retry', 'try again by GoValid’s schedule (1, 5, 15, 60 minutes) until the answer is 200')
    .option('--speed <n>', 'with --retry: how many times faster the schedule runs', numberFrom(1, 1_000_000))
  takesJson(command)
    .addHelpText('after', EXAMPLES)
    .action(act((what: string | undefined, options: SendOptions) => send(host, what, options)))
}

async function send(host: Host, what: string | undefined, options: SendOptions): Promise<ExitCode> {
  refuseContradictions(options)
  const loads = planLoads(host, what, options)
  const secret = await readSecret(host, options.secretEnv, SECRET_ENV, 'the webhook secret')
  if (options.retry) return sendWithRetries(host, loads, { ...options, secret })
  const all: Sent[] = []
  const few = loads.length <= 30
  const done = (sent: Sent) => {
    all.push(sent)
    if (!options.json && (few || !sent.isRight)) printSent(host, sent)
    if (!few) host.progress(`${all.length} of ${loads.length * (options.duplicate ? 2 : 1)} sent`)
  }
  if (options.rate === undefined) for (const load of loads) await sendOne(load, secret, options, done)
  else await sendAtRate(loads, options.rate, (load) => sendOne(load, secret, options, done))
  if (options.json) printJson(host, { to: options.to, deliveries: all.map(toRecord) })
  else if (all.length > 1) printSummary(host, all)
  return all.every(({ isRight }) => isRight) ? EXIT.ok : EXIT.no
}

function refuseContradictions({ retry, speed, rate, tamper, duplicate }: SendOptions): void {
  if (retry && (rate !== undefined || tamper || duplicate)) {
    throw new UsageError('--retry goes with neither --rate nor --tamper nor --duplicate.')
  }
  if (tamper && duplicate) throw new UsageError('--tamper and --duplicate do not go together.')
  if (speed !== undefined && !retry) throw new UsageError('--speed goes with --retry.')
}

async function sendOne(load: Load, secret: string, options: SendOptions, done: (sent: Sent) => void): Promise<void> {
  const signed = await signDelivery(load.payload, { secret })
  if (options.tamper) {
    const { status, ...rest } = await post(options.to, tamper(signed))
    const isRight = status !== undefined && status >= 400 && status < 500
    return done({
      name: load.name,
      note: 'tampered with',
      response: { ...rest, ...(status !== undefined && { status }) },
      isRight,
    })
  }
  const response = await post(options.to, signed)
  done({ name: load.name, response, isRight: failureOf(response) === undefined })
  if (!options.duplicate) return
  const again = await post(options.to, signed)
  done({ name: load.name, note: 'again', response: again, isRight: failureOf(again) === undefined })
}

/** One bit of the last byte but one: the body stays as long as it was. */
function tamper({ rawBody, headers }: SignedDelivery): Pick<SignedDelivery, 'rawBody' | 'headers'> {
  const changed = new Uint8Array(rawBody)
  const place = Math.max(0, changed.length - 2)
  changed[place] = (changed[place] ?? 0) ^ 1
  return { rawBody: changed, headers }
}

const MAX_AT_ONCE = 64

async function sendAtRate(
  loads: readonly Load[],
  rate: number,
  sendLoad: (load: Load) => Promise<void>,
): Promise<void> {
  const startedAt = performance.now()
  const inFlight = new Set<Promise<void>>()
  for (const [index, load] of loads.entries()) {
    await wait(Math.max(0, startedAt + (index * 1000) / rate - performance.now()))
    if (inFlight.size >= MAX_AT_ONCE) await Promise.race(inFlight)
    const sending: Promise<void> = sendLoad(load).finally(() => inFlight.delete(sending))
    inFlight.add(sending)
  }
  await Promise.all(inFlight)
}
