/** How every benchmark prints what it found: where and when, then one Markdown table, each row with its aim and whether it is reached. */
import { availableParallelism, cpus, totalmem } from 'node:os'
import { type Figure, median, type Ratio, ratioOf } from './measure.js'

/** One line of a table. */
export interface Row {
  readonly what: string
  /** The figure, with its unit. */
  readonly ours: string
  /** What it is compared with, with its unit. */
  readonly floor: string
  readonly ratio?: string
  /** The aim in words; none for a peer, which is there to compare. */
  readonly aim?: string
  readonly reached?: boolean
}

/** Says where and when. */
export function printHead(what: string): void {
  const machine = `${availableParallelism()} cores (${cpus()[0]?.model.trim() || 'unnamed'}), ${Math.round(totalmem() / 2 ** 30)} GB`
  console.log(`${what}\n\n${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${machine}.`)
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

/** A row of two measured figures. */
export function compareRow(what: string, subject: Figure, floor: Figure, atMost?: number): Row {
  const ratio = ratioOf(subject, floor)
  return {
    what,
    ours: micros(subject),
    floor: micros(floor),
    ratio: ratioText(ratio),
    ...(atMost !== undefined && { aim: `≤ ${atMost.toFixed(2)}`, reached: ratio.median <= atMost }),
  }
}

/** `0.87 (0.85 to 0.90)`: the median, and the half of the rounds in the middle. */
export function ratioText({ median: middle, from, to }: Ratio): string {
  return `${middle.toFixed(2)} (${from.toFixed(2)} to ${to.toFixed(2)})`
}

/** Microseconds an item. */
export function micros(figure: Figure): string {
  return `${median(figure.perRound).toFixed(2)} µs`
}
