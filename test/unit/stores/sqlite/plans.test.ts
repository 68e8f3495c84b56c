/** How SQLite finds what the drivers ask for, D1's included: by an index. A step that reads the whole table would stop everything else. */
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { spoolStatements } from '../../../../src/inboxes/sqlite/spool.js'
import { recordStatements, type SqlStatement } from '../../../../src/stores/sqlite/records.js'

const held = { key: 'a'.repeat(64), token: 'token' }
const records = recordStatements('deliveries', 'default')
const spool = spoolStatements('spool')
const job = { delivery: { key: held.key, rawBody: new Uint8Array(), headers: {}, receivedAt: 0 }, attempt: 1, taken: 1 }

const STEPS: Readonly<Record<string, SqlStatement>> = {
  claim: records.claim({ ...held, leaseMs: 1, retainUntil: 1, attemptGapMs: 1 }),
  'what a claim asks first': records.unclaimable({ ...held, leaseMs: 1, retainUntil: 1, attemptGapMs: 1 }),
  renew: records.renew({ ...held, leaseMs: 1 }),
  finish: records.finish({ ...held, retainUntil: 1 }),
  complete: records.complete({ ...held, retainUntil: 1 }),
  release: records.release({ ...held, completedHandlers: [], counted: true }),
  guard: records.guard(held),
  checkpoint: records.checkpoint({ ...held, checkpoint: 'count' }),
  'the clearing of what is over': records.sweep(5),
  'the retention that is over next': records.oldest,
  'the inbox’s acceptance': spool.accept(job.delivery, 0),
  'the inbox’s taking': spool.take(10, 0, 1),
  'the inbox’s renewal': spool.renew(job, 1),
  'the inbox’s finish': spool.finish(job),
  'the inbox’s retry': spool.retry(job, 1, true),
}

/** A database with many rows that SQLite has counted, so that it chooses as it does in use. */
function openFilled(): DatabaseSync {
  const database = new DatabaseSync(':memory:')
  for (const { sql } of [...records.schema, ...spool.schema]) database.exec(sql)
  const numbers = 'WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 5000)'
  database.exec(`INSERT INTO deliveries ${numbers} SELECT 'default', n, 't', 'done', 1, 0, 0, 0, 9e14 + n, '[]' FROM n`)
  database.exec(`INSERT INTO spool ${numbers} SELECT n, x'00', '{}', 0, 9e14 + n, 0, 0, 0 FROM n`)
  database.exec('ANALYZE')
  return database
}

function planOf(database: DatabaseSync, { sql, values }: SqlStatement): readonly string[] {
  const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values) as { detail: string }[]
  return rows.map(({ detail }) => detail)
}

const readsAll = (plan: readonly string[]) => plan.filter((detail) => /^SCAN (deliveries|spool|r)\b/.test(detail))

describe('no step reads a whole table', () => {
  const database = openFilled()

  test.each(Object.entries(STEPS))('%s', (_, statement) => {
    expect(readsAll(planOf(database, statement))).toEqual([])
  })

  test('what is over is found by its index', () => {
    expect(planOf(database, records.sweep(5)).join('\n')).toContain('deliveries_retain_until (retain_until<?)')
    expect(planOf(database, spool.take(10, 0, 1)).join('\n')).toContain('spool_due_at (due_at<?)')
  })

  test('the check would find it: without the index the clearing reads everything', () => {
    const bare = openFilled()
    bare.exec('DROP INDEX deliveries_retain_until')
    expect(readsAll(planOf(bare, records.sweep(5)))).toHaveLength(1)
  })
})
