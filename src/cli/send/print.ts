/** What `send` tells: a line per delivery, and a summary of many. */
import type { Host } from '../terminal/host.js'
import { plain } from '../terminal/paint.js'
import { failureOf, outcomeOf, type WebhookResponse } from '../terminal/post.js'

/** One delivery that was sent. */
export interface Sent {
  readonly name: string
  /** What was done to it: tampered with, sent again. */
  readonly note?: string
  readonly response: WebhookResponse
  /** Whether it ended as it should. */
  readonly isRight: boolean
}

/** What is printed with `--json` of a delivery. */
export function toRecord({ name, note, response, isRight }: Sent): object {
  const { status = null, tookMs, reason } = response
  const failure = failureOf(response)
  return {
    event: name,
    ...(note !== undefined && { note }),
    status,
    outcome: outcomeOf(response) ?? null,
    tookMs,
    countsAsFailure: failure !== undefined,
    ...(reason !== undefined && { reason }),
    asExpected: isRight,
  }
}

/** Prints the line of a delivery. */
export function printSent({ paint, print }: Host, sent: Sent): void {
  const { name, note, response, isRight } = sent
  const mark = isRight ? paint.good('✓') : paint.bad('✗')
  const failure = failureOf(response)
  const came = response.status === undefined ? 'no answer' : `${response.status} ${outcomeOf(response) ?? ''}`
  const label = note === undefined ? name : `${name}, ${note}`
  print(`${mark} ${came.padEnd(16)} ${took(response).padStart(9)}  ${label}`)
  const why = isRight
    ? undefined
    : failure === undefined
      ? 'it was accepted, and must not be'
      : `GoValid counts this as a failure: ${failure}`
  if (why !== undefined) print(paint.dim(`${' '.repeat(30)}${plain(why)}`))
  if (response.location !== undefined) print(paint.dim(`${' '.repeat(30)}it leads to ${plain(response.location)}`))
}

function took({ tookMs }: WebhookResponse): string {
  return `${tookMs.toFixed(tookMs < 100 ? 1 : 0)} ms`
}

/** Prints how many of each answer came, and how long they took. */
export function printSummary({ paint, print }: Host, all: readonly Sent[]): void {
  const counts = new Map<string, number>()
  for (const { response } of all) {
    const came =
      response.status === undefined
        ? (response.reason ?? 'no answer')
        : `${response.status} ${outcomeOf(response) ?? ''}`.trim()
    counts.set(came, (counts.get(came) ?? 0) + 1)
  }
  const wrong = all.filter(({ isRight }) => !isRight).length
  const responses = [...counts].map(([came, count]) => `${count} × ${came}`).join(', ')
  const times = all.map(({ response }) => response.tookMs).sort((a, b) => a - b)
  const at = (share: number) => (times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0).toFixed(1)
  print()
  print(`${all.length} sent: ${responses}. Median ${at(0.5)} ms, 99 % within ${at(0.99)} ms, longest ${at(1)} ms.`)
  print(wrong === 0 ? paint.good('All as they should be.') : paint.bad(`${wrong} not as they should be.`))
}
