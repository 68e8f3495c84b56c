/** Prints the result of a proof as a table and, with `--record`, writes it into docs/contributing/proofs.md between its two marker comments. */
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'

/** The result of a proof. */
export interface ProofResult {
  /** The seed that repeats this run. */
  readonly seed?: number | string
  /** The names of the columns. Default: one column, `found`. */
  readonly columns?: readonly string[]
  readonly rows: readonly ResultRow[]
  /** When the proof started, by `performance.now()`. The duration is printed in minutes. */
  readonly startedAt?: number
}

/** A row of the table: a label, and a value per column. */
export interface ResultRow {
  readonly what: string
  readonly found: readonly (number | string)[]
}

/** Makes a row. */
export function row(what: string, ...found: readonly (number | string)[]): ResultRow {
  return { what, found }
}

const PAGE = 'docs/contributing/proofs.md'

/** Prints a result and, if `shouldRecord`, writes it to the page under the proof's name. */
export function reportResult(proof: string, result: ProofResult, shouldRecord: boolean | undefined): void {
  const table = formatResult(result, new Date())
  console.log(table)
  if (!shouldRecord) return
  const page = resolve(PAGE)
  writeFileSync(page, replaceResult(readFileSync(page, 'utf8'), proof, table))
  console.log(`recorded in ${PAGE}`)
}

/** Formats a result as a Markdown table with the date, the seed and the machine. */
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

/** Replaces the result of one proof in the page. */
export function replaceResult(page: string, proof: string, table: string): string {
  const open = `<!-- result: ${proof} -->`
  const close = '<!-- end of result -->'
  const from = page.indexOf(open)
  const to = page.indexOf(close, from)
  if (from < 0 || to < 0)
    throw new Error(`${PAGE} has no place for the result of ${proof}. Add the comments ${open} and ${close}.`)
  return `${page.slice(0, from + open.length)}\n${table}\n${page.slice(to)}`
}

function printed(value: number | string): string {
  return typeof value === 'number' ? value.toLocaleString('en') : value
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
