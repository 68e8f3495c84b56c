/** What the demo prints: a head, one line per try, and a summary. */
import type { Seen } from './scenes.ts'
import { MINUTE_MS } from './sender.ts'

const WIDTHS = [2, 52, 78, 17] as const

/** Prints where the example listens, and the names of the columns. */
export function printHead(url: string): void {
  console.log(`The Express example, with a handler for every event, listens on ${url}.`)
  console.log(`GoValid is played by this script; a minute of its waiting takes ${MINUTE_MS} ms.\n`)
  printRow(['', 'delivery', 'the handler saw', 'answer', 'time'])
}

/** Prints one try. */
export function printAttempt(isRight: boolean, title: string, { response, handlerSaw, reported }: Seen): void {
  const reason = /event_dropped: (\w+):/.exec(reported)?.[1]
  const saw = handlerSaw ?? (reason === undefined ? 'nothing' : `nothing: ${reason}`)
  printRow([isRight ? '✓' : '✗', title, saw, response.text, `${response.tookMs.toFixed(1)} ms`])
}

/** Prints what went otherwise than stated; counts as one fault. */
export function printFault(text: string): 1 {
  console.log(`  ${text}`)
  return 1
}

/** Prints what became of all deliveries. */
export function printSummary(deliveries: number, seen: readonly Seen[], faults: number, tookMs: number): void {
  const counts = new Map<string, number>()
  for (const { response } of seen) counts.set(response.text, (counts.get(response.text) ?? 0) + 1)
  const responses = [...counts].map(([text, count]) => `${count} × ${text}`).join(', ')
  console.log(`\n${deliveries} deliveries in ${seen.length} tries, ${(tookMs / 1000).toFixed(1)} s: ${responses}.`)
  console.log(faults === 0 ? 'Everything went as stated.' : `${faults} of them went otherwise than stated.`)
}

function printRow(cells: readonly string[]): void {
  console.log(cells.map((cell, index) => cell.padEnd(WIDTHS[index] ?? 0)).join(''))
}
