/** Prints the demo's output: a header, one line per attempt, and a summary. */
import type { Result } from './scenes.ts'
import { MINUTE_MS } from './sender.ts'

const WIDTHS = [2, 52, 78, 17] as const

/** Prints the address of the example and the column names. */
export function printHead(url: string): void {
  console.log(`The Express example, with a handler for every event, listens on ${url}.`)
  console.log(`This script plays GoValid, and a minute between two attempts takes ${MINUTE_MS} ms.\n`)
  printRow(['', 'delivery', 'the handler prints', 'response', 'time'])
}

/** Prints one attempt. */
export function printAttempt(isMatch: boolean, title: string, { response, handlerSaw, reported }: Result): void {
  const reason = /event_dropped: (\w+):/.exec(reported)?.[1]
  const printed = handlerSaw ?? (reason === undefined ? 'nothing' : `nothing: ${reason}`)
  printRow([isMatch ? '✓' : '✗', title, printed, response.text, `${response.tookMs.toFixed(1)} ms`])
}

/** Prints a mismatch and returns 1, for counting. */
export function printMismatch(text: string): 1 {
  console.log(`  ${text}`)
  return 1
}

/** Prints the number of responses of each kind, and of mismatches. */
export function printSummary(deliveries: number, results: readonly Result[], mismatches: number, tookMs: number): void {
  const counts = new Map<string, number>()
  for (const { response } of results) counts.set(response.text, (counts.get(response.text) ?? 0) + 1)
  const responses = [...counts].map(([text, count]) => `${count} × ${text}`).join(', ')
  console.log(
    `\n${deliveries} deliveries in ${results.length} attempts, ${(tookMs / 1000).toFixed(1)} s: ${responses}.`,
  )
  console.log(mismatches === 0 ? 'Every result is as expected.' : `${mismatches} results are not as expected.`)
}

function printRow(cells: readonly string[]): void {
  console.log(cells.map((cell, index) => cell.padEnd(WIDTHS[index] ?? 0)).join(''))
}
