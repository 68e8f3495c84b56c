/** The tables of postgresStore: their names, their concurrent creation, and the deletion of expired records. */
import { randomBytes } from 'node:crypto'
import { Client, type Pool, type PoolClient } from 'pg'
import { describe, expect, test } from 'vitest'
import {
  type PostgresStoreOptions,
  postgresStore,
  postgresTablesSql,
} from '../../../src/stores/postgres/postgres-store.js'
import { fixedClock } from '../../../src/testing/fixed-clock.js'
import { caught } from '../../support/caught.js'
import { postgresScene } from '../../support/postgres.js'
import { describeWithService } from '../../support/services.js'

function newClaim(retainUntil = Date.now() + 86_400_000) {
  const [key, token] = [randomBytes(32).toString('hex'), randomBytes(16).toString('hex')]
  return { key, token, leaseMs: 55_000, attemptGapMs: 30_000, retainUntil }
}

describeWithService('postgres', 'the tables of postgresStore', (url) => {
  const scene = postgresScene(url)
  const { schema, admin } = scene
  const rowsIn = async (table: string) => (await admin.query(`SELECT FROM ${table}`)).rowCount
  const exists = async (table: string) => {
    const { rows } = await admin.query('SELECT to_regclass($1) IS NOT NULL AS found', [table])
    return rows[0].found as boolean
  }

  test('are not touched before the first delivery', async () => {
    const pool = scene.pool()
    postgresStore({ pool, table: `${schema}.later` })
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(pool.totalCount).toBe(0)
    expect(await exists(`${schema}.later`)).toBe(false)
  })

  test('are created once by twenty concurrent stores', async () => {
    const table = `${schema}.raced`
    const stores = Array.from({ length: 20 }, () =>
      postgresStore({ pool: scene.pool({ max: 1 }), table, callLimitMs: 10_000 }),
    )
    const request = newClaim()
    const responses = await Promise.all(
      stores.map(async (store, index) => store.claim({ ...request, token: `t${index}` })),
    )
    expect(responses.filter(({ status }) => status === 'claimed')).toHaveLength(1)
    expect(responses.filter(({ status }) => status === 'busy')).toHaveLength(19)
  })

  test('are created again after they are dropped', async () => {
    const table = `${schema}.dropped`
    const store = postgresStore({ pool: scene.pool(), table })
    await store.claim(newClaim())
    await admin.query(`DROP TABLE ${table}, ${table}_quarantine`)
    expect(await store.claim(newClaim())).toMatchObject({ status: 'claimed' })
  })

  test('are used by a role that may not create tables', async () => {
    const table = `${schema}.given`
    const role = `${schema}_reader`
    await admin.query(postgresTablesSql(table))
    await admin.query(`CREATE ROLE ${role}; GRANT USAGE ON SCHEMA ${schema} TO ${role}`)
    await admin.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table}, ${table}_quarantine TO ${role}`)
    try {
      const store = postgresStore({ pool: scene.pool({ options: `-c role=${role}` }), table })
      const request = newClaim()
      expect(await store.claim(request)).toMatchObject({ status: 'claimed' })
      expect(await store.complete(request)).toBe(true)
    } finally {
      await admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    }
  })

  test('reject claims of a role that may not create them until they exist, and name the SQL that creates them', async () => {
    const table = `${schema}.awaited`
    const role = `${schema}_waiter`
    await admin.query(`CREATE ROLE ${role}; GRANT USAGE ON SCHEMA ${schema} TO ${role}`)
    try {
      const store = postgresStore({ pool: scene.pool({ options: `-c role=${role}` }), table })
      const failing = expect(async () => store.claim(newClaim())).rejects
      await failing.toMatchObject({
        code: 'store_unsuitable',
        message: expect.stringContaining(`postgresTablesSql('${table}')`),
        cause: { code: '42501' },
      })
      await postgresStore({ pool: scene.pool(), table }).claim(newClaim())
      await admin.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table}, ${table}_quarantine TO ${role}`)
      expect(await store.claim(newClaim())).toMatchObject({ status: 'claimed' })
    } finally {
      await admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    }
  })

  test('take one round trip per claim, renewal, release and completion, and three per transaction', async () => {
    const table = `${schema}.counted`
    const pool = scene.pool()
    const queries = listenTo(pool)
    const store = postgresStore({ pool, table })
    const first = newClaim()
    await store.claim(first)
    // Wait for the background sweep. The next one is a minute away.
    await store.complete(first)
    await scene.until(`SELECT FROM ${table} WHERE state = 'done'`)
    while (!queries.some((text) => text.startsWith('DELETE'))) await new Promise((resolve) => setTimeout(resolve, 5))
    queries.length = 0
    const request = newClaim()
    await store.claim(request)
    await store.renew(request)
    await store.release({ ...request, completedHandlers: [], counted: true })
    await store.claim(request)
    await store.transaction({ ...request, checkpoint: 'count' })((tx) => tx.query('SELECT 1'))
    await store.complete(request)
    expect(queries.map((text) => text.split(/\s/)[0])).toEqual([
      ...['WITH', 'UPDATE', 'UPDATE', 'WITH'],
      ...['BEGIN', 'SELECT', 'WITH', 'UPDATE'],
    ])
  })

  test('keep the case of their names', async () => {
    const table = `${schema}.Select_From`
    await postgresStore({ pool: scene.pool(), table }).claim(newClaim())
    expect(await rowsIn(`${schema}."Select_From"`)).toBe(1)
  })

  test('lose only expired records in the background after a completion', async () => {
    const table = `${schema}.cleared`
    const clock = fixedClock()
    const store = postgresStore({ pool: scene.pool(), table, clock })
    const soon = Date.now() + 60_000
    const [expired, held, retained, trigger] = [newClaim(soon), newClaim(soon), newClaim(soon * 2), newClaim()]
    await store.claim(trigger)
    for (const request of [expired, held, retained]) await store.claim(request)
    await store.complete(expired)
    await store.complete(retained)
    const set = 'retain_until = retain_until - $1, lease_until = lease_until - 1'
    await admin.query(`UPDATE ${table} SET ${set}`, [3_600_000])
    await clock.advance(60_000)
    await store.complete(trigger)
    await scene.until(`SELECT FROM ${table} HAVING count(*) = 3`)
    const { rows } = await admin.query(`SELECT encode(key, 'hex') AS key FROM ${table}`)
    expect(rows.map(({ key }) => key).sort()).toEqual([held, retained, trigger].map(({ key }) => key).sort())
  })

  test('lose 500 expired records at a time, except locked ones', async () => {
    const table = `${schema}.many`
    const clock = fixedClock()
    const store = postgresStore({ pool: scene.pool(), table, clock })
    await store.claim(newClaim())
    await admin.query(`INSERT INTO ${table} SELECT 'default', decode(md5(n::text) || md5(n::text), 'hex'), 'done', 't', 0, n, 1, 0, 0, '{}'
      FROM generate_series(1, 1200) n`)
    const other = await admin.connect()
    await other.query('BEGIN')
    await other.query(`SELECT FROM ${table} WHERE retain_until = 1 FOR UPDATE`)
    for (const left of [700 + 2, 200 + 3, 1 + 4]) {
      const request = newClaim()
      await store.claim(request)
      await clock.advance(1)
      await store.complete(request)
      await scene.until(`SELECT FROM ${table} HAVING count(*) = $1`, [left])
    }
    await other.query('ROLLBACK')
    other.release()
  })

  test('find expired records by the index', async () => {
    const table = `${schema}.many`
    const pool = scene.pool()
    const queries = listenTo(pool)
    const store = postgresStore({ pool, table })
    const request = newClaim()
    await store.claim(request)
    await store.complete(request)
    while (!queries.some((text) => text.startsWith('DELETE'))) await new Promise((resolve) => setTimeout(resolve, 5))
    const sweep = queries.find((text) => text.startsWith('DELETE'))?.replace('$1', '500')
    await admin.query(`INSERT INTO ${table} SELECT 'default', decode(md5(n::text) || md5('x' || n), 'hex'), 'done', 't', 0, 9e14, 1, 0, 0, '{}'
      FROM generate_series(1, 5000) n`)
    await admin.query(`ANALYZE ${table}`)
    const { rows } = await admin.query(`EXPLAIN ${sweep}`)
    // The index must find the rows, not only order them.
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    expect(plan).toMatch(/many_retention.*\n\s+Index Cond: \(retain_until <=/)
  })
})

/** Records the text of every query on a pool from now on. */
function listenTo(pool: Pool): string[] {
  const queries: string[] = []
  const wrapped = new WeakSet<PoolClient>()
  pool.on('acquire', (client) => {
    if (wrapped.has(client)) return
    wrapped.add(client)
    const { query } = client
    client.query = ((config: { text: string } | string, ...rest: unknown[]) => {
      queries.push(typeof config === 'string' ? config : config.text)
      return Reflect.apply(query, client, [config, ...rest])
    }) as never
  })
  return queries
}

describe('postgresStore refuses', () => {
  const pool = { connect() {}, query() {}, on() {}, totalCount: 0 } as unknown as Pool
  const invalid: Readonly<Record<string, Partial<PostgresStoreOptions> & Record<string, unknown>>> = {
    'a client instead of a pool': { pool: new Client() as never },
    'a connection string instead of a pool': { pool: 'postgres://localhost' as never },
    'no pool': { pool: undefined as never },
    'a table name with SQL in it': { table: 'deliveries"; DROP TABLE x' },
    'a table name with three parts': { table: 'a.b.c' },
    'a table name that starts with a digit': { table: '1st' },
    'an empty table name': { table: '' },
    'a table name too long for the quarantine suffix': { table: 'x'.repeat(53) },
    'a schema name that Postgres would truncate': { table: `${'x'.repeat(64)}.y` },
    'an empty namespace': { namespace: '' },
    'null as the namespace': { namespace: null as never },
    'a namespace that Postgres cannot store': { namespace: 'NUL \0' },
    'a limit of zero': { callLimitMs: 0 },
    'a fraction of a transaction': { maxTransactions: 1.5 },
    'an infinite transaction limit': { transactionLimitMs: Number.POSITIVE_INFINITY },
    'a transaction limit longer than a timer': { transactionLimitMs: 2 ** 31 },
  }

  test.each(Object.entries(invalid))('%s', (_, options) => {
    const error = caught(() => postgresStore({ pool, ...options }))
    expect(error).toMatchObject({ code: 'option_invalid' })
  })

  test('no names of the maximum length', () => {
    expect(() => postgresStore({ pool, table: `${'s'.repeat(63)}.${'t'.repeat(52)}` })).not.toThrow()
  })
})
