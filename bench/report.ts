/** Prints the results of a benchmark: date and machine, then Markdown tables. Each row states its aim and whether it was reached. */
import { availableParallelism, cpus, totalmem } from 'node:os'
import { type Figure, median, type Ratio, ratioOf } from './measure.js'

/** One line of a table. */
export interface Row {
  readonly what: string
  /** The figure, with its unit. */
  readonly ours: string
  /** The figure to compare with, with its unit. */
  readonly floor: string
  readonly ratio?: string
  /** The aim as text. Peers have none, because they are only there for comparison. */
  readonly aim?: string
  readonly reached?: boolean
}

/** Prints the title, the date and the machine. */
export function printHead(title: string): void {
  const machine = `${availableParallelism()} cores (${cpus()[0]?.model.trim() || 'unnamed'}), ${Math.round(totalmem() / 2 ** 30)} GB`
  console.log(`${title}\n\n${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${machine}.`)
}

/** Prints a table. */
export function printRows(title: string, rows: readonly Row[]): void {
  console.log(
    `\n${title}\n\n| what | ours or peer | floor | ratio | aim | reached |\n| --- | --- | --- | --- | --- | --- |`,
  )
  for (const { what, ours, floor, ratio = '', aim = '', reached } of rows) {
    const verdict = reached === undefined ? '' : reached ? 'yes' : '**no**'
    console.log(`| ${what} | ${ours} | ${floor} | ${ratio} | ${aim} | ${verdict} |`)
  }
}

/** Creates a row that compares two measured figures. */
export function compareRow(what: string, subject: Figure, floor: Figure, maxRatio?: number): Row {
  const ratio = ratioOf(subject, floor)
  return {
    what,
    ours: micros(subject),
    floor: micros(floor),
    ratio: ratioText(ratio),
    ...(maxRatio !== undefined && { aim: `≤ ${maxRatio.toFixed(2)}`, reached: ratio.median <= maxRatio }),
  }
}

/** Formats a ratio, for example `0.87 (0.85 to 0.90)`: the median, and the range of the middle half of the rounds. */
export function ratioText({ median: middle, from, to }: Ratio): string {
  return `${middle.toFixed(2)} (${from.toFixed(2)} to ${to.toFixed(2)})`
}

/** Formats the median time per item in microseconds. */
export function micros(figure: Figure): string {
  return `${median(figure.perRound).toFixed(2)} µs`
}
