/** What `send` tells: a line per delivery, and a summary of many. */
import type { Host } from '../terminal/host.js'
import { plain } from '../terminal/paint.js'
import { type Answer, failureOf, outcomeOf } from '../terminal/post.js'

/** One delivery that was sent. */
export interface Sent {
  readonly name: string
  /** What was done to it: tampered with, sent again. */
  readonly note?: string
  readonly answer: Answer
  /** Whether it ended as it should. */
  readonly isRight: boolean
}

/** What is printed with `--json` of a delivery. */
export function toRecord({ name, note, answer, isRight }: Sent): object {
  const { status = null, tookMs, reason } = answer
  const failure = failureOf(answer)
  return {
    event: name,
    ...(note !== undefined && { note }),
    status,
    outcome: outcomeOf(answer) ?? null,
    tookMs,
    countsAsFailure: failure !== undefined,
    ...(reason !== undefined && { reason }),
    asExpected: isRight,
  }
}

/** Prints the line of a delivery. */
export function printSent({ paint, print }: Host, sent: Sent): void {
  const { name, note, answer, isRight } = sent
  const mark = isRight ? paint.good('✓') : paint.bad('✗')
  const failure = failureOf(answer)
  const came = answer.status === undefined ? 'no answer' : `${answer.status} ${outcomeOf(answer) ?? ''}`
  const label = note === undefined ? name : `${name}, ${note}`
  print(`${mark} ${came.padEnd(16)} ${took(answer).padStart(9)}  ${label}`)
  const why = isRight
    ? undefined
    : failure === undefined
      ? 'it was accepted, and must not be'
      : `GoValid counts this as a failure: ${failure}`
  if (why !== undefined) print(paint.dim(`${' '.repeat(30)}${plain(why)}`))
  if (answer.location !== undefined) print(paint.dim(`${' '.repeat(30)}it leads to ${plain(answer.location)}`))
}

function took({ tookMs }: Answer): string {
  return `${tookMs.toFixed(tookMs < 100 ? 1 : 0)} ms`
}

/** Prints how many of each answer came, and how long they took. */
export function printSummary({ paint, print }: Host, all: readonly Sent[]): void {
  const counts = new Map<string, number>()
  for (const { answer } of all) {
    const came =
      answer.status === undefined
        ? (answer.reason ?? 'no answer')
        : `${answer.status} ${outcomeOf(answer) ?? ''}`.trim()
    counts.set(came, (counts.get(came) ?? 0) + 1)
  }
  const wrong = all.filter(({ isRight }) => !isRight).length
  const answers = [...counts].map(([came, count]) => `${count} × ${came}`).join(', ')
  const times = all.map(({ answer }) => answer.tookMs).sort((a, b) => a - b)
  const at = (share: number) => (times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0).toFixed(1)
  print()
  print(`${all.length} sent: ${answers}. Median ${at(0.5)} ms, 99 % within ${at(0.99)} ms, longest ${at(1)} ms.`)
  print(wrong === 0 ? paint.good('All as they should be.') : paint.bad(`${wrong} not as they should be.`))
}
