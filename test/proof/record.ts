// The result of a proof: printed as a table and, with `--record`, written into docs/proofs.md between the comments that wait for it there.
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'

/** What a proof found. */
export interface ProofResult {
  /** What another run must be given to repeat this one. */
  readonly seed?: number | string
  /** Names of the columns, where there is more than one. */
  readonly columns?: readonly string[]
  readonly rows: readonly ResultRow[]
  /** Since when, by `performance.now()`; printed as minutes. */
  readonly startedAt?: number
}

/** One line of the table: a value for each column. */
export interface ResultRow {
  readonly what: string
  readonly found: readonly (number | string)[]
}

/** One line with one value. */
export function row(what: string, ...found: readonly (number | string)[]): ResultRow {
  return { what, found }
}

const PAGE = 'docs/proofs.md'

/** Prints a result and, where it shall be kept, writes it down under the proof's name. */
export function reportResult(proof: string, result: ProofResult, shouldRecord: boolean | undefined): void {
  const table = formatResult(result, new Date())
  console.log(table)
  if (!shouldRecord) return
  const page = resolve(PAGE)
  writeFileSync(page, replaceResult(readFileSync(page, 'utf8'), proof, table))
  console.log(`written into ${PAGE}`)
}

/** A result as a Markdown table, with the date, the seed and the machine. */
export function formatResult({ seed, columns = ['found'], rows, startedAt }: ProofResult, date: Date): string {
  const day = date.toISOString().slice(0, 10)
  const head = [seed === undefined ? day : `${day}, seed ${seed}`, ...columns]
  const minutes = startedAt === undefined ? '' : `, ${((performance.now() - startedAt) / 60_000).toFixed(1)} minutes`
  return [
    line(head),
    line(head.map(() => '---')),
    ...rows.map(({ what, found }) => line([what, ...found.map(printed)])),
    '',
    `Node ${process.versions.node}, ${availableParallelism()} cores${minutes}.`,
  ].join('\n')
}

/** The page with the result of one proof replaced. */
export function replaceResult(page: string, proof: string, table: string): string {
  const open = `<!-- result: ${proof} -->`
  const close = '<!-- end of result -->'
  const from = page.indexOf(open)
  const to = page.indexOf(close, from)
  if (from < 0 || to < 0) throw new Error(`${PAGE} has no place for the result of ${proof}: ${open} … ${close}`)
  return `${page.slice(0, from + open.length)}\n${table}\n${page.slice(to)}`
}

function printed(value: number | string): string {
  return typeof value === 'number' ? value.toLocaleString('en') : value
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
