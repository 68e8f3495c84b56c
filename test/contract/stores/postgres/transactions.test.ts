/** Transactions of postgresStore: what they hold, how long, and what becomes of them when something fails. */
import { randomBytes } from 'node:crypto'
import type { PoolClient } from 'pg'
import { describe, expect, test } from 'vitest'
import { type PostgresStoreOptions, postgresStore } from '../../../../src/stores/postgres/postgres-store.js'
import { fixedClock } from '../../../../src/testing/fixed-clock.js'
import { createGate } from '../../../support/gate.js'
import { postgresScene } from '../../../support/postgres.js'
import { describeWithService } from '../../../support/services.js'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describeWithService('postgres', 'a transaction of postgresStore', (url) => {
  const scene = postgresScene(url)
  const { table, admin, schema } = scene

  /** A store, a delivery it has claimed, and a way to write in its transaction. */
  async function startWork(options: Partial<PostgresStoreOptions> = {}) {
    const pool = options.pool ?? scene.pool()
    const store = postgresStore({ pool, table, ...options })
    const key = randomBytes(32).toString('hex')
    const token = randomBytes(16).toString('hex')
    const effect = randomBytes(8).toString('hex')
    const claim = { key, token, leaseMs: 55_000, attemptGapMs: 30_000, retainUntil: Date.now() + 86_400_000 }
    await store.claim(claim)
    const transaction = store.transaction({ key, token, checkpoint: 'count' })
    const write = (tx: PoolClient) => tx.query(`INSERT INTO ${schema}.effects (effect) VALUES ($1)`, [effect])
    return { pool, store, claim, transaction, write, countEffects: () => scene.countEffects(effect) }
  }

  test('gives back what its function resolves to', async () => {
    const { transaction } = await startWork()
    const count = await transaction(async (tx) => (await tx.query<{ n: number }>('SELECT 41 + 1 AS n')).rows[0]?.n)
    expect(count).toBe(42)
  })

  test('rolls back, rather than commit nothing unseen, when its function hides that a statement failed', async () => {
    const { transaction, write, countEffects } = await startWork()
    const hidden = transaction(async (tx) => {
      await write(tx)
      await tx.query('SELECT 1 / 0').catch(() => {})
    })
    await expect(hidden).rejects.toMatchObject({ code: '25P02' })
    expect(await countEffects()).toBe(0)
  })

  test('rolls back when a deferred constraint fails at the commit', async () => {
    const { transaction, write, countEffects, store, claim } = await startWork()
    await admin.query(`CREATE TABLE IF NOT EXISTS ${schema}.parents (id int PRIMARY KEY)`)
    const reference = `REFERENCES ${schema}.parents DEFERRABLE INITIALLY DEFERRED`
    await admin.query(`CREATE TABLE IF NOT EXISTS ${schema}.children (parent int ${reference})`)
    const failing = transaction(async (tx) => {
      await write(tx)
      await tx.query(`INSERT INTO ${schema}.children VALUES (1)`)
    })
    await expect(failing).rejects.toMatchObject({ code: '23503' })
    expect(await countEffects()).toBe(0)
    await store.release({ ...claim, completedHandlers: [], counted: true })
    expect(await store.claim({ ...claim, token: 'next' })).toMatchObject({ status: 'claimed', completedHandlers: [] })
  })

  test.each(['COMMIT', 'ROLLBACK', 'COMMIT; BEGIN', 'ROLLBACK; BEGIN'])(
    'is refused when its function sends %s itself, and its handler is not done',
    async (ending) => {
      const { transaction, write, store, claim } = await startWork()
      const ended = transaction(async (tx) => {
        await write(tx)
        await tx.query(ending)
      })
      await expect(ended).rejects.toMatchObject({ code: 'transaction_ended' })
      await store.release({ ...claim, completedHandlers: [], counted: true })
      expect(await store.claim({ ...claim, token: 'next' })).toMatchObject({ status: 'claimed', completedHandlers: [] })
    },
  )

  test('lets its function use savepoints', async () => {
    const { transaction, write, countEffects } = await startWork()
    await transaction(async (tx) => {
      await tx.query('SAVEPOINT one')
      await tx.query('SELECT 1 / 0').catch(() => {})
      await tx.query('ROLLBACK TO one')
      await write(tx)
    })
    expect(await countEffects()).toBe(1)
  })

  test('rejects, ends no process and commits nothing when its backend is killed', async () => {
    const { transaction, write, countEffects, store } = await startWork()
    const killed = transaction(async (tx) => {
      await write(tx)
      const { rows } = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
      await admin.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid])
      await pause(50)
    })
    await expect(killed).rejects.toThrow()
    expect(await countEffects()).toBe(0)
    expect(await store.quarantine.list()).toEqual([])
  })

  test('is closed and rolled back when it is open too long', async () => {
    const clock = fixedClock()
    const pool = scene.pool({ max: 1 })
    const { transaction, write, countEffects } = await startWork({ clock, pool })
    const wrote = createGate()
    const hanging = transaction(async (tx) => {
      await write(tx)
      wrote.open()
      await new Promise(() => {})
    })
    await wrote.passed
    const refused = expect(hanging).rejects.toMatchObject({ code: 'handler_timeout' })
    await clock.advance(15 * 60_000)
    await refused
    expect(pool.totalCount).toBe(0)
    expect(await countEffects()).toBe(0)
  })

  test('leaves half of the pool to claims, however many are open, and the others wait for their turn', async () => {
    const pool = scene.pool({ max: 4 })
    const works = await Promise.all(Array.from({ length: 6 }, () => startWork({ pool })))
    const [first] = works
    if (!first) throw new Error('no work')
    // The limit is a store's: all of them go through the first one's.
    let open = 0
    let most = 0
    const gate = createGate()
    const runs = works.map(({ claim: { key, token }, write }) =>
      first.store.transaction({ key, token, checkpoint: 'count' })(async (tx) => {
        most = Math.max(most, ++open)
        await write(tx)
        await gate.passed
        open--
      }),
    )
    while (open < 2) await pause(5)
    const claims = Array.from({ length: 10 }, async () => {
      const key = randomBytes(32).toString('hex')
      return first.store.claim({ ...first.claim, key, token: key })
    })
    expect((await Promise.all(claims)).filter(({ status }) => status === 'claimed')).toHaveLength(10)
    gate.open()
    await Promise.all(runs)
    expect(most).toBe(2)
    expect(await Promise.all(works.map(({ countEffects }) => countEffects()))).toEqual(works.map(() => 1))
  })

  test('gives its turn and its connection back when its function throws', async () => {
    const pool = scene.pool({ max: 2 })
    const { transaction, write, countEffects } = await startWork({ pool })
    for (let round = 0; round < 5; round++) {
      const failing = transaction(async () => {
        throw new Error('no')
      })
      await expect(failing).rejects.toThrow('no')
    }
    await transaction(write)
    expect(await countEffects()).toBe(1)
    expect(pool.idleCount).toBe(pool.totalCount)
  })

  describe('whose names are hostile', () => {
    test.each(["'; DROP TABLE x; --", '\\', '"', "''", '$1', ' '])(
      'commits with the namespace %j',
      async (namespace) => {
        const { transaction, write, countEffects, store, claim } = await startWork({ namespace })
        await transaction(write)
        expect(await countEffects()).toBe(1)
        await store.release({ ...claim, completedHandlers: [], counted: true })
        expect(await store.claim({ ...claim, token: 'next' })).toMatchObject({ completedHandlers: ['count'] })
      },
    )
  })
})
