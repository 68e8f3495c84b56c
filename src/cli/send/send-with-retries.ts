/** `send --retry`: GoValid's schedule against a running endpoint, faster if wanted, one line per try. */
import type { AttemptReport, DeliveryReport } from '../../testing/sender/report.js'
import { simulateSender } from '../../testing/simulate-sender.js'
import type { Host } from '../terminal/host.js'
import { printJson } from '../terminal/json-option.js'
import { plain } from '../terminal/paint.js'
import { EXIT, type ExitCode } from '../terminal/usage-error.js'
import type { Load } from './plan-loads.js'

/** How the schedule is run. */
export interface RetryOptions {
  readonly to: string
  readonly secret: string
  readonly speed?: number
  readonly json?: true
}

const MINUTES_BEFORE = [0, 1, 5, 15, 60]

/** Sends each load until it is taken or given up. */
export async function sendWithRetries(host: Host, loads: readonly Load[], options: RetryOptions): Promise<ExitCode> {
  const { to, secret, speed = 1, json } = options
  const nameOf = (index: number) => loads[index]?.name ?? ''
  const showWaiting = (tried: AttemptReport, index: number) => {
    const minutes = MINUTES_BEFORE[tried.number]
    if (!tried.isFailure || minutes === undefined) return
    const seconds = Math.ceil((minutes * 60) / speed)
    host.progress(`try ${tried.number + 1} of 5 of ${nameOf(index)} in ${seconds} s (${minutes} min for GoValid)`)
  }
  const report = await simulateSender({
    to,
    secret,
    speed,
    payloads: loads.map(({ payload }) => payload),
    onAttempt(tried, index) {
      if (!json) printAttempt(host, nameOf(index), tried)
      showWaiting(tried, index)
    },
  })
  const isDisabled = report.disabledAt !== undefined
  if (json) {
    const deliveries = report.deliveries.map((delivery) => toRecord(nameOf(delivery.index), delivery))
    printJson(host, { to, deliveries, disabled: isDisabled })
  } else if (isDisabled) {
    host.print(host.paint.bad('\nFive tries failed: GoValid would have disabled the webhook, every event of it.'))
  }
  return report.deliveries.every(({ status }) => status === 'delivered') ? EXIT.ok : EXIT.no
}

function printAttempt(
  { paint, print }: Host,
  name: string,
  { number, httpStatus, outcome, tookMs, isFailure, error }: AttemptReport,
): void {
  const mark = isFailure ? paint.bad('✗') : paint.good('✓')
  const came = httpStatus === undefined ? 'no answer' : `${httpStatus} ${outcome ?? ''}`
  const why = error === undefined ? '' : `  ${plain(error)}`
  print(`${mark} ${came.padEnd(16)} ${`${tookMs} ms`.padStart(9)}  ${name}, try ${number} of 5${why}`)
}

function toRecord(event: string, { status, attempts }: DeliveryReport): object {
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
