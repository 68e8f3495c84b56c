/**
 * Part of stage 7: the table of endings. The table below is written out by hand, one line for each ending in each standing, so that it
 * shares nothing with the code that it checks.
 */
import { describe, expect, it, test } from 'vitest'
import { type Decision, decide, type HowEnded, type Standing } from '../../../src/delivery/decision.js'

/**
 * Columns: how the attempt ended | which attempt | where the delivery comes from | kept early or not | in time or late
 *          -> outcome | what the store records | what the quarantine gets
 * A dash means: nothing.
 */
const TABLE = `
  processed       | not last | sender    | not kept   | in time -> processed   | complete | -
  processed       | not last | sender    | not kept   | late    -> processed   | complete | discard
  processed       | not last | sender    | kept early | in time -> processed   | complete | discard
  processed       | not last | sender    | kept early | late    -> processed   | complete | discard
  processed       | not last | elsewhere | not kept   | in time -> processed   | complete | discard
  processed       | not last | elsewhere | not kept   | late    -> processed   | complete | discard
  processed       | not last | elsewhere | kept early | in time -> processed   | complete | discard
  processed       | not last | elsewhere | kept early | late    -> processed   | complete | discard
  processed       | last     | sender    | not kept   | in time -> processed   | complete | -
  processed       | last     | sender    | not kept   | late    -> processed   | complete | discard
  processed       | last     | sender    | kept early | in time -> processed   | complete | discard
  processed       | last     | sender    | kept early | late    -> processed   | complete | discard
  processed       | last     | elsewhere | not kept   | in time -> processed   | complete | discard
  processed       | last     | elsewhere | not kept   | late    -> processed   | complete | discard
  processed       | last     | elsewhere | kept early | in time -> processed   | complete | discard
  processed       | last     | elsewhere | kept early | late    -> processed   | complete | discard

  permanent_error | not last | sender    | not kept   | in time -> quarantined | complete | permanent_error
  permanent_error | not last | sender    | not kept   | late    -> quarantined | complete | permanent_error
  permanent_error | not last | sender    | kept early | in time -> quarantined | complete | permanent_error
  permanent_error | not last | sender    | kept early | late    -> quarantined | complete | permanent_error
  permanent_error | not last | elsewhere | not kept   | in time -> quarantined | complete | permanent_error
  permanent_error | not last | elsewhere | not kept   | late    -> quarantined | complete | permanent_error
  permanent_error | not last | elsewhere | kept early | in time -> quarantined | complete | permanent_error
  permanent_error | not last | elsewhere | kept early | late    -> quarantined | complete | permanent_error
  permanent_error | last     | sender    | not kept   | in time -> quarantined | complete | permanent_error
  permanent_error | last     | sender    | not kept   | late    -> quarantined | complete | permanent_error
  permanent_error | last     | sender    | kept early | in time -> quarantined | complete | permanent_error
  permanent_error | last     | sender    | kept early | late    -> quarantined | complete | permanent_error
  permanent_error | last     | elsewhere | not kept   | in time -> quarantined | complete | permanent_error
  permanent_error | last     | elsewhere | not kept   | late    -> quarantined | complete | permanent_error
  permanent_error | last     | elsewhere | kept early | in time -> quarantined | complete | permanent_error
  permanent_error | last     | elsewhere | kept early | late    -> quarantined | complete | permanent_error

  crashed         | not last | sender    | not kept   | in time -> quarantined | complete | handler_crashed
  crashed         | not last | sender    | not kept   | late    -> quarantined | complete | handler_crashed
  crashed         | not last | sender    | kept early | in time -> quarantined | complete | handler_crashed
  crashed         | not last | sender    | kept early | late    -> quarantined | complete | handler_crashed
  crashed         | not last | elsewhere | not kept   | in time -> quarantined | complete | handler_crashed
  crashed         | not last | elsewhere | not kept   | late    -> quarantined | complete | handler_crashed
  crashed         | not last | elsewhere | kept early | in time -> quarantined | complete | handler_crashed
  crashed         | not last | elsewhere | kept early | late    -> quarantined | complete | handler_crashed
  crashed         | last     | sender    | not kept   | in time -> quarantined | complete | handler_crashed
  crashed         | last     | sender    | not kept   | late    -> quarantined | complete | handler_crashed
  crashed         | last     | sender    | kept early | in time -> quarantined | complete | handler_crashed
  crashed         | last     | sender    | kept early | late    -> quarantined | complete | handler_crashed
  crashed         | last     | elsewhere | not kept   | in time -> quarantined | complete | handler_crashed
  crashed         | last     | elsewhere | not kept   | late    -> quarantined | complete | handler_crashed
  crashed         | last     | elsewhere | kept early | in time -> quarantined | complete | handler_crashed
  crashed         | last     | elsewhere | kept early | late    -> quarantined | complete | handler_crashed

  failed          | not last | sender    | not kept   | in time -> failed      | release  | -
  failed          | not last | sender    | not kept   | late    -> failed      | release  | -
  failed          | not last | sender    | kept early | in time -> failed      | release  | retry_pending
  failed          | not last | sender    | kept early | late    -> failed      | release  | retry_pending
  failed          | not last | elsewhere | not kept   | in time -> failed      | release  | -
  failed          | not last | elsewhere | not kept   | late    -> failed      | release  | -
  failed          | not last | elsewhere | kept early | in time -> failed      | release  | retry_pending
  failed          | not last | elsewhere | kept early | late    -> failed      | release  | retry_pending
  failed          | last     | sender    | not kept   | in time -> quarantined | complete | attempts_exhausted
  failed          | last     | sender    | not kept   | late    -> quarantined | complete | attempts_exhausted
  failed          | last     | sender    | kept early | in time -> quarantined | complete | attempts_exhausted
  failed          | last     | sender    | kept early | late    -> quarantined | complete | attempts_exhausted
  failed          | last     | elsewhere | not kept   | in time -> quarantined | complete | attempts_exhausted
  failed          | last     | elsewhere | not kept   | late    -> quarantined | complete | attempts_exhausted
  failed          | last     | elsewhere | kept early | in time -> quarantined | complete | attempts_exhausted
  failed          | last     | elsewhere | kept early | late    -> quarantined | complete | attempts_exhausted

  busy            | not last | sender    | not kept   | in time -> busy        | -        | -
  busy            | not last | sender    | not kept   | late    -> busy        | -        | -
  busy            | not last | sender    | kept early | in time -> busy        | -        | retry_pending
  busy            | not last | sender    | kept early | late    -> busy        | -        | retry_pending
  busy            | not last | elsewhere | not kept   | in time -> busy        | -        | -
  busy            | not last | elsewhere | not kept   | late    -> busy        | -        | -
  busy            | not last | elsewhere | kept early | in time -> busy        | -        | retry_pending
  busy            | not last | elsewhere | kept early | late    -> busy        | -        | retry_pending
  busy            | last     | sender    | not kept   | in time -> quarantined | -        | attempts_exhausted
  busy            | last     | sender    | not kept   | late    -> quarantined | -        | attempts_exhausted
  busy            | last     | sender    | kept early | in time -> quarantined | -        | attempts_exhausted
  busy            | last     | sender    | kept early | late    -> quarantined | -        | attempts_exhausted
  busy            | last     | elsewhere | not kept   | in time -> busy        | -        | -
  busy            | last     | elsewhere | not kept   | late    -> busy        | -        | -
  busy            | last     | elsewhere | kept early | in time -> busy        | -        | retry_pending
  busy            | last     | elsewhere | kept early | late    -> busy        | -        | retry_pending

  unavailable     | not last | sender    | not kept   | in time -> unavailable | -        | -
  unavailable     | not last | sender    | not kept   | late    -> unavailable | -        | -
  unavailable     | not last | sender    | kept early | in time -> unavailable | -        | retry_pending
  unavailable     | not last | sender    | kept early | late    -> unavailable | -        | retry_pending
  unavailable     | not last | elsewhere | not kept   | in time -> unavailable | -        | -
  unavailable     | not last | elsewhere | not kept   | late    -> unavailable | -        | -
  unavailable     | not last | elsewhere | kept early | in time -> unavailable | -        | retry_pending
  unavailable     | not last | elsewhere | kept early | late    -> unavailable | -        | retry_pending
  unavailable     | last     | sender    | not kept   | in time -> quarantined | -        | attempts_exhausted
  unavailable     | last     | sender    | not kept   | late    -> quarantined | -        | attempts_exhausted
  unavailable     | last     | sender    | kept early | in time -> quarantined | -        | attempts_exhausted
  unavailable     | last     | sender    | kept early | late    -> quarantined | -        | attempts_exhausted
  unavailable     | last     | elsewhere | not kept   | in time -> unavailable | -        | -
  unavailable     | last     | elsewhere | not kept   | late    -> unavailable | -        | -
  unavailable     | last     | elsewhere | kept early | in time -> unavailable | -        | retry_pending
  unavailable     | last     | elsewhere | kept early | late    -> unavailable | -        | retry_pending

  unfinished      | not last | sender    | not kept   | in time -> unfinished  | -        | -
  unfinished      | not last | sender    | not kept   | late    -> unfinished  | -        | -
  unfinished      | not last | sender    | kept early | in time -> unfinished  | -        | retry_pending
  unfinished      | not last | sender    | kept early | late    -> unfinished  | -        | retry_pending
  unfinished      | not last | elsewhere | not kept   | in time -> unfinished  | -        | -
  unfinished      | not last | elsewhere | not kept   | late    -> unfinished  | -        | -
  unfinished      | not last | elsewhere | kept early | in time -> unfinished  | -        | retry_pending
  unfinished      | not last | elsewhere | kept early | late    -> unfinished  | -        | retry_pending
  unfinished      | last     | sender    | not kept   | in time -> quarantined | -        | attempts_exhausted
  unfinished      | last     | sender    | not kept   | late    -> quarantined | -        | attempts_exhausted
  unfinished      | last     | sender    | kept early | in time -> quarantined | -        | attempts_exhausted
  unfinished      | last     | sender    | kept early | late    -> quarantined | -        | attempts_exhausted
  unfinished      | last     | elsewhere | not kept   | in time -> unfinished  | -        | -
  unfinished      | last     | elsewhere | not kept   | late    -> unfinished  | -        | -
  unfinished      | last     | elsewhere | kept early | in time -> unfinished  | -        | retry_pending
  unfinished      | last     | elsewhere | kept early | late    -> unfinished  | -        | retry_pending
`

interface Row {
  readonly title: string
  readonly how: HowEnded
  readonly standing: Standing
  readonly decision: Decision
}

function readRow(line: string): Row {
  const [left = '', right = ''] = line.split('->')
  const [how = '', attempt, from, kept, time] = cellsOf(left)
  const [status = '', store = '', quarantine = ''] = cellsOf(right)
  return {
    title: `${how}, ${attempt}, ${from === 'sender' ? 'from the sender' : 'from an inbox or the quarantine'}, ${kept}, ${time}`,
    how: how as HowEnded,
    standing: {
      isLast: attempt === 'last',
      isFromSender: from === 'sender',
      isKeptEarly: kept === 'kept early',
      isLate: time === 'late',
    },
    decision: { status, store: textOf(store), quarantine: textOf(quarantine) } as Decision,
  }
}

function cellsOf(side: string): readonly string[] {
  return side.split('|').map((cell) => cell.trim())
}

function textOf(cell: string): string | undefined {
  return cell === '-' ? undefined : cell
}

const rows = TABLE.split('\n')
  .filter((line) => line.trim() !== '')
  .map(readRow)

test('the table has every combination of 7 endings and 16 standings', () => {
  expect(new Set(rows.map(({ how, standing }) => JSON.stringify([how, standing]))).size).toBe(7 * 16)
  expect(rows).toHaveLength(7 * 16)
})

describe('decides as the table says', () => {
  it.each(rows.map((row) => [row.title, row] as const))('%s', (_, { how, standing, decision }) => {
    expect(decide(how, standing)).toEqual(decision)
  })
})

test('the outcome is quarantined exactly when the quarantine gets an entry that ends the delivery', () => {
  for (const { how, standing } of rows) {
    const { status, quarantine } = decide(how, standing)
    const ends = quarantine !== undefined && quarantine !== 'discard' && quarantine !== 'retry_pending'
    expect(status === 'quarantined').toBe(ends)
  }
})
