/** The `send` command: sends signed deliveries as GoValid does and reports how GoValid would judge the responses. */
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
import { type NamedPayload, type PlanOptions, planPayloads } from './plan-payloads.js'
import { printSent, printSummary, type Sent, toJson } from './print.js'
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
  $ npx govalid-webhooks send qr.scanned \\
      --to http://localhost:3000/webhooks/govalid
  $ npx govalid-webhooks send --all --to http://localhost:3000/webhooks/govalid
  $ npx govalid-webhooks send captured.json --tamper \\
      --to http://localhost:3000/webhooks/govalid
  $ npx govalid-webhooks send qr.scanned --retry --speed 600 \\
      --to http://localhost:3000/webhooks/govalid`

/** Adds `send`. */
export const addSend: AddCommand = (program, host, act) => {
  const command: Command = program
    .command('send')
    .description('send signed deliveries to an endpoint, as GoValid does')
    .argument('[event|file]', 'an event such as qr.scanned, a file to send byte for byte, or - for standard input')
    .requiredOption('--to <url>', 'the URL of the endpoint', toUrl)
  takesSecret(command, '--secret-env', SECRET_ENV, 'the webhook secret')
  command
    .option('--all', 'send every event once')
    .option(
      '--unknown',
      'accept an event name that this version does not know (default name: govalid-webhooks.unknown)',
    )
    .option('--data <json>', "replace fields of the event's data")
    .option('--count <n>', 'send this many deliveries, each with different bytes', wholeFrom(1, 100_000))
    .option('--rate <n>', 'send this many per second (default: one after the other)', numberFrom(0.1, 1000))
    .option('--tamper', 'change the body after signing; succeed if the endpoint refuses it')
    .option('--duplicate', 'send each delivery twice, with the same bytes')
    .option('--retry', 'retry after 1, 5, 15 and 60 minutes, as GoValid does, until the response is 200')
    .option('--speed <n>', 'with --retry: run the schedule this many times faster', numberFrom(1, 1_000_000))
  takesJson(command)
    .addHelpText('after', EXAMPLES)
    .action(act((source: string | undefined, options: SendOptions) => send(host, source, options)))
}

/** More deliveries than this get a progress line, and only the unexpected ones are printed. */
const MAX_PRINTED = 30

async function send(host: Host, source: string | undefined, options: SendOptions): Promise<ExitCode> {
  refuseContradictions(options)
  const payloads = planPayloads(host, source, options)
  const secret = await readSecret(host, options.secretEnv, SECRET_ENV, 'the webhook secret')
  if (options.retry) return sendWithRetries(host, payloads, { ...options, secret })
  const all: Sent[] = []
  const printsEach = payloads.length <= MAX_PRINTED
  const onSent = (sent: Sent) => {
    all.push(sent)
    if (!options.json && (printsEach || !sent.isExpected)) printSent(host, sent)
    if (!printsEach) host.progress(`${all.length} of ${payloads.length * (options.duplicate ? 2 : 1)} sent`)
  }
  const sendPayload = (payload: NamedPayload) => sendOne(payload, secret, options, onSent)
  if (options.rate === undefined) for (const payload of payloads) await sendPayload(payload)
  else await sendAtRate(payloads, options.rate, sendPayload)
  if (options.json) printJson(host, { to: options.to, deliveries: all.map(toJson) })
  else if (all.length > 1) printSummary(host, all)
  return all.every(({ isExpected }) => isExpected) ? EXIT.ok : EXIT.failed
}

function refuseContradictions({ retry, speed, rate, tamper, duplicate }: SendOptions): void {
  if (retry && (rate !== undefined || tamper || duplicate)) {
    throw new UsageError("--retry can't be combined with --rate, --tamper or --duplicate. Remove one of them.")
  }
  if (tamper && duplicate) throw new UsageError("--tamper can't be combined with --duplicate. Remove one of them.")
  if (speed !== undefined && !retry) throw new UsageError('--speed needs --retry. Add --retry or remove --speed.')
}

async function sendOne(
  { name, payload }: NamedPayload,
  secret: string,
  { to, tamper, duplicate }: SendOptions,
  onSent: (sent: Sent) => void,
): Promise<void> {
  const signed = await signDelivery(payload, { secret })
  if (tamper) {
    const response = await post(to, { ...flipBit(signed), secret })
    const { status = 0 } = response
    return onSent({ name, note: 'tampered', response, isExpected: status >= 400 && status < 500 })
  }
  const request = { ...signed, secret }
  const response = await post(to, request)
  onSent({ name, response, isExpected: failureOf(response) === undefined })
  if (!duplicate) return
  const second = await post(to, request)
  onSent({ name, note: 'sent again', response: second, isExpected: failureOf(second) === undefined })
}

/** Flips one bit of the last byte but one, so that the body keeps its length. */
function flipBit({ rawBody, headers }: SignedDelivery): Pick<SignedDelivery, 'rawBody' | 'headers'> {
  const changed = new Uint8Array(rawBody)
  const index = Math.max(0, changed.length - 2)
  changed[index] = (changed[index] ?? 0) ^ 1
  return { rawBody: changed, headers }
}

/** The maximum number of requests in flight with `--rate`. */
const MAX_IN_FLIGHT = 64

async function sendAtRate(
  payloads: readonly NamedPayload[],
  rate: number,
  sendPayload: (payload: NamedPayload) => Promise<void>,
): Promise<void> {
  const startedAt = performance.now()
  const inFlight = new Set<Promise<void>>()
  for (const [index, payload] of payloads.entries()) {
    await wait(Math.max(0, startedAt + (index * 1000) / rate - performance.now()))
    if (inFlight.size >= MAX_IN_FLIGHT) await Promise.race(inFlight)
    const sending: Promise<void> = sendPayload(payload).finally(() => inFlight.delete(sending))
    inFlight.add(sending)
  }
  await Promise.all(inFlight)
}
