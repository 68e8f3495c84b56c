/** Prints the results of `send`: one line per delivery and a summary. */

import { fixFor } from '../terminal/fix-for.js'
import { foreignSourceOf } from '../terminal/foreign-response.js'
import type { Host } from '../terminal/host.js'
import { plain } from '../terminal/paint.js'
import { failureOf, outcomeOf, type WebhookResponse } from '../terminal/post.js'

/** A delivery that was sent. */
export interface Sent {
  readonly name: string
  /** What is special about it, such as `tampered` or `sent again`. */
  readonly note?: string
  readonly response: WebhookResponse
  /** Whether the response is the expected one: 200, or 4xx for a tampered delivery. */
  readonly isExpected: boolean
}

/** Converts a delivery to its `--json` output. */
export function toJson({ name, note, response, isExpected }: Sent): object {
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
    asExpected: isExpected,
  }
}

/** Prints one delivery. */
export function printSent({ paint, print }: Host, sent: Sent): void {
  const { name, note, response, isExpected } = sent
  const mark = isExpected ? paint.good('✓') : paint.bad('✗')
  const failure = failureOf(response)
  const result = response.status === undefined ? 'no response' : `${response.status} ${outcomeOf(response) ?? ''}`
  const label = note === undefined ? name : `${name}, ${note}`
  print(`${mark} ${result.padEnd(16)} ${took(response).padStart(9)}  ${label}`)
  const problem = isExpected
    ? undefined
    : failure === undefined
      ? 'the endpoint accepted a tampered delivery'
      : `GoValid counts this as a failure: ${failure}`
  if (problem !== undefined) print(paint.dim(`${' '.repeat(30)}${plain(problem)}`))
  if (response.location !== undefined) print(paint.dim(`${' '.repeat(30)}it redirects to ${plain(response.location)}`))
  const foreign = isExpected ? foreignSourceOf(response) : undefined
  if (foreign) print(`  ${paint.warn('!')} This response is from ${foreign.source}. ${foreign.fix}`)
  if (!isExpected && failure !== undefined) print(`  ${paint.dim('Fix:')} ${fixFor(response)}`)
}

function took({ tookMs }: WebhookResponse): string {
  return `${tookMs.toFixed(tookMs < 100 ? 1 : 0)} ms`
}

/** Prints how often each response came and how long the responses took. */
export function printSummary({ paint, print }: Host, all: readonly Sent[]): void {
  const counts = new Map<string, number>()
  for (const { response } of all) {
    const result =
      response.status === undefined
        ? (response.reason ?? 'no response')
        : `${response.status} ${outcomeOf(response) ?? ''}`.trim()
    counts.set(result, (counts.get(result) ?? 0) + 1)
  }
  const unexpected = all.filter(({ isExpected }) => !isExpected).length
  const responses = [...counts].map(([result, count]) => `${count} × ${result}`).join(', ')
  const times = all.map(({ response }) => response.tookMs).sort((a, b) => a - b)
  const percentile = (share: number) =>
    (times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0).toFixed(1)
  print()
  print(
    `${all.length} sent: ${responses}. Median ${percentile(0.5)} ms, 99 % within ${percentile(0.99)} ms, maximum ${percentile(1)} ms.`,
  )
  print(unexpected === 0 ? paint.good('All as expected.') : paint.bad(`${unexpected} not as expected.`))
}
