/** The query plans of the SQLite drivers, including D1. Every statement must use an index, because a full scan blocks all others. */
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { spoolStatements } from '../../../../src/inboxes/sqlite/spool.js'
import {
  type RecordLayout,
  recordStatements,
  type SqlStatement,
} from '../../../../src/stores/sqlite/record-statements.js'

const held = { key: 'a'.repeat(64), token: 'token' }
const records = recordStatements('deliveries', 'default', 'appended')
const spool = spoolStatements('spool')
const job = {
  delivery: { key: held.key, rawBody: new Uint8Array(), headers: {}, receivedAt: 0 },
  attempt: 1,
  taken: 1,
  id: 1,
}

const STATEMENTS: Readonly<Record<string, SqlStatement>> = {
  'claim of a new key': records.insert({ ...held, leaseMs: 1, retainUntil: 1, attemptGapMs: 1 }),
  claim: records.claim({ ...held, leaseMs: 1, retainUntil: 1, attemptGapMs: 1 }),
  'the read before a claim': records.unclaimable({ ...held, leaseMs: 1, retainUntil: 1, attemptGapMs: 1 }),
  renew: records.renew({ ...held, leaseMs: 1 }),
  finish: records.finish({ ...held, retainUntil: 1 }),
  complete: records.complete({ ...held, retainUntil: 1 }),
  release: records.release({ ...held, completedHandlers: [], counted: true }),
  guard: records.guard(held),
  checkpoint: records.checkpoint({ ...held, checkpoint: 'count' }),
  expired: records.expired,
  sweep: records.sweep(5),
  oldest: records.oldest,
  'accept of the inbox': spool.accept(job.delivery, 0),
  'take of the inbox': spool.take(10, 0, 1),
  'renew of the inbox': spool.renew(job, 1),
  'finish of the inbox': spool.finish(job),
  'retry of the inbox': spool.retry(job, 1, true),
}

/** Opens a database with many analyzed rows, so that SQLite plans as it does in production. */
function openFilled(layout: RecordLayout = 'appended'): DatabaseSync {
  const database = new DatabaseSync(':memory:')
  const { schema } = recordStatements('deliveries', 'default', layout)
  for (const { sql } of [...schema, ...spool.schema]) database.exec(sql)
  const numbers = 'WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 5000)'
  database.exec(`INSERT INTO deliveries ${numbers} SELECT 'default', n, 't', 'done', 1, 0, 0, 0, 9e14 + n, '[]' FROM n`)
  database.exec(`INSERT INTO spool ${numbers} SELECT n, 9e14 + n, 0, 0, 0, 0, n, '{}', x'00' FROM n`)
  database.exec('ANALYZE')
  return database
}

function planOf(database: DatabaseSync, { sql, values }: SqlStatement): readonly string[] {
  const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values) as { detail: string }[]
  return rows.map(({ detail }) => detail)
}

const scansIn = (plan: readonly string[]) => plan.filter((detail) => /^SCAN (deliveries|spool|r)\b/.test(detail))

describe.each(['appended', 'clustered'] as const)('no statement reads a whole table that is %s', (layout) => {
  const database = openFilled(layout)

  test.each(Object.entries(STATEMENTS))('%s', (_, statement) => {
    expect(scansIn(planOf(database, statement))).toEqual([])
  })

  test('expired records and due jobs are found by an index', () => {
    expect(planOf(database, records.sweep(5)).join('\n')).toContain('deliveries_retain_until (retain_until<?)')
    expect(planOf(database, spool.take(10, 0, 1)).join('\n')).toContain('spool_due_at (due_at<?)')
  })

  test('the jobs of an inbox are counted without reading their bodies', () => {
    expect(planOf(database, spool.count).join('\n')).toContain('SCAN spool USING COVERING INDEX spool_due_at')
  })

  test('the check detects a full scan: without its index, the sweep reads everything', () => {
    const bare = openFilled(layout)
    bare.exec('DROP INDEX deliveries_retain_until')
    expect(scansIn(planOf(bare, records.sweep(5)))).toHaveLength(1)
  })
})
