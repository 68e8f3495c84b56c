/** Groups of operations of postgresStore: who shares a statement, and what happens if the statement fails. */
import { randomBytes } from 'node:crypto'
import type { Pool, PoolClient } from 'pg'
import { beforeAll, expect, test, vi } from 'vitest'
import { type PostgresStoreOptions, postgresStore } from '../../../src/stores/postgres/postgres-store.js'
import type { ClaimRequest } from '../../../src/stores/store.js'
import { postgresScene } from '../../support/postgres.js'
import { describeWithService } from '../../support/services.js'

function newClaim(changes: Partial<ClaimRequest> = {}): ClaimRequest {
  const [key, token] = [randomBytes(32).toString('hex'), randomBytes(16).toString('hex')]
  return { key, token, leaseMs: 55_000, attemptGapMs: 30_000, retainUntil: Date.now() + 86_400_000, ...changes }
}

const newClaims = (count: number) => Array.from({ length: count }, () => newClaim())
const statusesOf = (results: readonly { readonly status: string }[]) => [
  ...new Set(results.map(({ status }) => status)),
]

/** Counts the queries of a pool. */
function countQueries(pool: Pool): () => number {
  let queries = 0
  const wrapped = new WeakSet<PoolClient>()
  pool.on('acquire', (client) => {
    if (wrapped.has(client)) return
    wrapped.add(client)
    const { query } = client
    client.query = ((...args: unknown[]) => {
      queries++
      return Reflect.apply(query, client, args)
    }) as never
  })
  return () => queries
}

describeWithService('postgres', 'groups of postgresStore', (url) => {
  const scene = postgresScene(url)
  const { table, schema, admin } = scene
  const open = (options: Partial<PostgresStoreOptions> = {}) =>
    postgresStore({ pool: scene.pool(), table, callLimitMs: 20_000, ...options })
  const recordsOf = async (requests: readonly ClaimRequest[]) => {
    const keys = requests.map(({ key }) => key)
    const { rows } = await admin.query(
      `SELECT encode(key, 'hex') AS key, state, attempt FROM ${table} WHERE encode(key, 'hex') = ANY ($1)`,
      [keys],
    )
    return rows as { key: string; state: string; attempt: number }[]
  }
  /** Holds a lock on rows in another session. The returned function releases it. */
  const lock = async (requests: readonly ClaimRequest[]) => {
    const other = await admin.connect()
    await other.query('BEGIN')
    const keys = requests.map(({ key }) => key)
    await other.query(`SELECT FROM ${table} WHERE encode(key, 'hex') = ANY ($1) FOR UPDATE`, [keys])
    return async () => {
      await other.query('ROLLBACK')
      other.release()
    }
  }

  beforeAll(async () => {
    await open().claim(newClaim())
  })

  test('1,000 claims and 1,000 completions take fewer than 50 statements', async () => {
    const pool = scene.pool()
    const store = open({ pool })
    await store.complete(newClaim())
    const queries = countQueries(pool)
    const requests = newClaims(1000)
    expect(statusesOf(await Promise.all(requests.map(async (each) => store.claim(each))))).toEqual(['claimed'])
    expect(new Set(await Promise.all(requests.map(async (each) => store.complete(each))))).toEqual(new Set([true]))
    expect(queries()).toBeLessThan(50)
  })

  test('under load, all claims of a turn share one statement', async () => {
    const pool = scene.pool()
    const store = open({ pool })
    // Each request of a server is its own callback.
    const inCallback = () => new Promise<void>((resolve) => setImmediate(resolve))
    const claimInTurn = () => Promise.all(newClaims(10).map((each) => inCallback().then(async () => store.claim(each))))
    await Promise.all(newClaims(10).map(async (each) => store.claim(each)))
    const queries = countQueries(pool)
    await claimInTurn()
    expect(queries()).toBe(1)
  })

  test('1,000 copies of one delivery take a handful of statements', async () => {
    const pool = scene.pool()
    const store = open({ pool })
    await store.complete(newClaim())
    const queries = countQueries(pool)
    const { key } = newClaim()
    const results = await Promise.all(Array.from({ length: 1000 }, async () => store.claim(newClaim({ key }))))
    expect(results.map(({ status }) => status)).toEqual(['claimed', ...Array(999).fill('busy')])
    expect(queries()).toBeLessThan(5)
  })

  test('counts a copy as an attempt if its gap has passed, also in a group', async () => {
    const store = open()
    const { key } = newClaim()
    const claims = Array.from({ length: 3 }, async () => store.claim(newClaim({ key, attemptGapMs: 0 })))
    const attempts = (await Promise.all(claims)).map((result) => result.status !== 'done' && result.attempt)
    expect(attempts).toEqual([1, 2, 3])
  })

  test('gives each operation its own result if one fails its statement', async () => {
    await admin.query(`CREATE FUNCTION ${schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF NEW.token = 'refused' THEN RAISE EXCEPTION 'refused by a trigger'; END IF; RETURN NEW; END $$`)
    await admin.query(
      `CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION ${schema}.refuse()`,
    )
    try {
      const store = open()
      const requests = newClaims(200).map((each, index) => (index === 77 ? { ...each, token: 'refused' } : each))
      const results = await Promise.allSettled(requests.map(async (each) => store.claim(each)))
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(199)
      expect(results[77]).toMatchObject({ status: 'rejected', reason: { message: 'refused by a trigger' } })
    } finally {
      await admin.query(`DROP TRIGGER refuse ON ${table}`)
    }
  })

  test('continues without the operations whose records are locked, and finishes them afterwards', async () => {
    const store = open()
    const requests = newClaims(60)
    await Promise.all(requests.map(async (each) => store.claim(each)))
    const [released, renewed] = [requests.slice(0, 30), requests.slice(30)]
    await Promise.all(released.map(async (each) => store.release({ ...each, completedHandlers: [], counted: true })))
    const locked = [...released.slice(0, 2), ...renewed.slice(0, 2)]
    const unlock = await lock(locked)
    const claims = released.map(async (each) => store.claim({ ...each, token: 'next' }))
    const renewals = renewed.map(async (each) => store.renew(each))
    try {
      expect(statusesOf(await Promise.all(claims.slice(2)))).toEqual(['claimed'])
      expect(new Set(await Promise.all(renewals.slice(2)))).toEqual(new Set([true]))
    } finally {
      await unlock()
    }
    expect(await Promise.all(claims.slice(0, 2))).toMatchObject([{ attempt: 2 }, { attempt: 2 }])
    expect(await Promise.all(renewals.slice(0, 2))).toEqual([true, true])
  })

  test('two processes that claim the same deliveries in opposite order do not block each other', async () => {
    const [here, there] = [open(), open()]
    for (let round = 0; round < 20; round++) {
      const requests = newClaims(100)
      const results = await Promise.all([
        ...requests.map(async (each) => here.claim(each)),
        ...[...requests].reverse().map(async ({ key }) => there.claim(newClaim({ key }))),
      ])
      expect(results.filter(({ status }) => status === 'claimed')).toHaveLength(100)
      expect(results.filter(({ status }) => status === 'busy')).toHaveLength(100)
    }
  })

  test('claims released, expired and finished deliveries in one group', async () => {
    const store = open()
    const requests = newClaims(40)
    await Promise.all(
      requests.map(async (each, index) => store.claim(index % 4 === 1 ? { ...each, leaseMs: 1 } : each)),
    )
    const kind = (index: number) => requests.filter((_, at) => at % 4 === index)
    await Promise.all(kind(2).map(async (each) => store.complete(each)))
    await Promise.all(
      kind(3).map(async (each) => store.release({ ...each, completedHandlers: ['mail'], counted: true })),
    )
    await scene.until('SELECT pg_sleep(0.01)')
    const results = await Promise.all(requests.map(async ({ key }) => store.claim(newClaim({ key }))))
    const expected = [
      { status: 'busy', attempt: 1 },
      { status: 'claimed', attempt: 2, releasedAttempts: 0 },
      { status: 'done' },
      { status: 'claimed', attempt: 2, releasedAttempts: 1, completedHandlers: ['mail'] },
    ]
    for (const [index, result] of results.entries()) expect(result).toMatchObject(expected[index % 4] as object)
  })

  test('rejects with overloaded what waits longer than its delivery allows, and never sends it', async () => {
    const pool = scene.pool({ max: 1 })
    const store = postgresStore({ pool, table })
    await store.claim(newClaim())
    await admin.query(`CREATE FUNCTION ${schema}.slow() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_sleep(0.002); RETURN NEW; END $$`)
    await admin.query(`CREATE TRIGGER slow BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION ${schema}.slow()`)
    try {
      // 1,000 operations take 2 s or more. The late operations see some groups end, but have no time to wait for all.
      const early = Promise.all(newClaims(1000).map(async (each) => store.claim({ ...each, waitMs: 20_000 })))
      const late = newClaims(50)
      const rejected = Promise.allSettled(late.map(async (each) => store.claim({ ...each, waitMs: 1_200 })))
      expect(store.waiting()).toBe(1050)
      for (const result of await rejected) {
        const message = expect.stringMatching(/^overloaded: \d+ operations waiting/)
        expect(result).toMatchObject({ status: 'rejected', reason: { code: 'overloaded', message } })
      }
      expect(statusesOf(await early)).toEqual(['claimed'])
      await store.claim(newClaim())
      expect(await recordsOf(late)).toEqual([])
      expect(store.waiting()).toBe(0)
    } finally {
      await admin.query(`DROP TRIGGER slow ON ${table}`)
    }
  })

  test('completions go before the claims that wait', async () => {
    const pool = scene.pool({ max: 2 })
    const store = open({ pool })
    const held = newClaims(20)
    await Promise.all(held.map(async (each) => store.claim(each)))
    const order: string[] = []
    const run = (name: string, operation: () => Promise<unknown>) => operation().finally(() => order.push(name))
    const claims = newClaims(2_000).map((each) => run('claim', async () => store.claim(each)))
    const completions = held.map((each) => run('completion', async () => store.complete(each)))
    await Promise.all([...claims, ...completions])
    expect(order.lastIndexOf('completion')).toBeLessThan(order.length / 2)
  })

  test('5,000 deliveries at once are all claimed and completed, with the pool that the application uses', async () => {
    const pool = scene.pool({ max: 4 })
    const store = postgresStore({ pool, table })
    const application = Promise.all(Array.from({ length: 200 }, () => pool.query('SELECT pg_sleep(0.005)')))
    const completions = newClaims(5_000).map(async (each) => {
      expect(await store.claim({ ...each, waitMs: 20_000 })).toMatchObject({ status: 'claimed', attempt: 1 })
      return store.complete({ ...each, waitMs: 20_000 })
    })
    expect(new Set(await Promise.all(completions))).toEqual(new Set([true]))
    await application
    await vi.waitFor(() => expect(pool.idleCount).toBe(pool.totalCount))
  })
})
