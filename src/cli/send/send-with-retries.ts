/** `send --retry`: runs GoValid's retry schedule against an endpoint and prints one line per attempt. */
import type { AttemptReport, DeliveryReport } from '../../testing/sender/report.js'
import { simulateSender } from '../../testing/simulate-sender.js'
import { fixFor } from '../terminal/fix-for.js'
import type { Host } from '../terminal/host.js'
import { printJson } from '../terminal/json-option.js'
import { plain } from '../terminal/paint.js'
import { EXIT, type ExitCode } from '../terminal/usage-error.js'
import type { NamedPayload } from './plan-payloads.js'

/** The options of `send --retry`. */
export interface RetryOptions {
  readonly to: string
  readonly secret: string
  /** How many times faster than GoValid the schedule runs. */
  readonly speed?: number
  readonly json?: true
}

/** The minutes that GoValid waits before each attempt. Source: govalid docs, webhooks setup. */
const MINUTES_BEFORE = [0, 1, 5, 15, 60]

/** Sends each payload until it gets 200 or five attempts have failed. */
export async function sendWithRetries(
  host: Host,
  payloads: readonly NamedPayload[],
  options: RetryOptions,
): Promise<ExitCode> {
  const { to, secret, speed = 1, json } = options
  const nameOf = (index: number) => payloads[index]?.name ?? ''
  const showWaiting = (attempt: AttemptReport, index: number) => {
    const minutes = MINUTES_BEFORE[attempt.number]
    if (!attempt.isFailure || minutes === undefined) return
    const seconds = Math.ceil((minutes * 60) / speed)
    const next = `attempt ${attempt.number + 1} of 5`
    host.progress(`${nameOf(index)}, ${next} in ${seconds} s (GoValid waits ${minutes} min)`)
  }
  const report = await simulateSender({
    to,
    secret,
    speed,
    payloads: payloads.map(({ payload }) => payload),
    onAttempt(attempt, index) {
      if (!json) printAttempt(host, nameOf(index), attempt)
      showWaiting(attempt, index)
    },
  })
  const isDisabled = report.disabledAt !== undefined
  if (json) {
    const deliveries = report.deliveries.map((delivery) => toJson(nameOf(delivery.index), delivery))
    printJson(host, { to, deliveries, disabled: isDisabled })
  } else if (isDisabled) {
    host.print(host.paint.bad('\nFive attempts failed. GoValid would have disabled the webhook for all its events.'))
  }
  return report.deliveries.every(({ status }) => status === 'delivered') ? EXIT.ok : EXIT.failed
}

function printAttempt(
  { paint, print }: Host,
  name: string,
  { number, httpStatus, outcome, tookMs, isFailure, error }: AttemptReport,
): void {
  const mark = isFailure ? paint.bad('✗') : paint.good('✓')
  const result = httpStatus === undefined ? 'no response' : `${httpStatus} ${outcome ?? ''}`
  const reason = error === undefined ? '' : `  ${plain(error)}`
  print(`${mark} ${result.padEnd(16)} ${`${tookMs} ms`.padStart(9)}  ${name}, attempt ${number} of 5${reason}`)
  if (!isFailure || number > 1) return
  const text = outcome === undefined ? '' : `{"status":"${outcome}"`
  const response = {
    text,
    ...(httpStatus !== undefined && { status: httpStatus }),
    ...(error !== undefined && { reason: error }),
  }
  print(`  ${paint.dim('Fix:')} ${fixFor(response)}`)
}

function toJson(event: string, { status, attempts }: DeliveryReport): object {
  return {
    event,
    status,
    attempts: attempts.map(({ number, httpStatus, outcome, tookMs, isFailure }) => ({
      number,
      status: httpStatus ?? null,
      outcome: outcome ?? null,
      tookMs,
      countsAsFailure: isFailure,
    })),
  }
}
