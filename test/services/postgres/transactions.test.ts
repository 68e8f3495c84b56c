/** Transactions of postgresStore: their connections, their time limit, and their rollback after failures. */
import { randomBytes } from 'node:crypto'
import type { PoolClient } from 'pg'
import { describe, expect, test } from 'vitest'
import { type PostgresStoreOptions, postgresStore } from '../../../src/stores/postgres/postgres-store.js'
import { fixedClock } from '../../../src/testing/fixed-clock.js'
import { createGate } from '../../support/gate.js'
import { postgresScene } from '../../support/postgres.js'
import { describeWithService } from '../../support/services.js'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describeWithService('postgres', 'a transaction of postgresStore', (url) => {
  const scene = postgresScene(url)
  const { table, admin, schema } = scene

  /** Creates a store with a claimed delivery and a function that writes in its transaction. */
  async function startScene(options: Partial<PostgresStoreOptions> = {}) {
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

  test('resolves to the result of its function', async () => {
    const { transaction } = await startScene()
    const count = await transaction(async (tx) => (await tx.query<{ n: number }>('SELECT 41 + 1 AS n')).rows[0]?.n)
    expect(count).toBe(42)
  })

  test('rolls back and rejects if its function hides a failed statement', async () => {
    const { transaction, write, countEffects } = await startScene()
    const hidden = transaction(async (tx) => {
      await write(tx)
      await tx.query('SELECT 1 / 0').catch(() => {})
    })
    await expect(hidden).rejects.toMatchObject({ code: '25P02' })
    expect(await countEffects()).toBe(0)
  })

  test('rolls back if a deferred constraint fails at the commit', async () => {
    const { transaction, write, countEffects, store, claim } = await startScene()
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
    'is refused if its function sends %s itself, and its handler is not completed',
    async (ending) => {
      const { transaction, write, store, claim } = await startScene()
      const ended = transaction(async (tx) => {
        await write(tx)
        await tx.query(ending)
      })
      await expect(ended).rejects.toMatchObject({ code: 'transaction_ended' })
      await store.release({ ...claim, completedHandlers: [], counted: true })
      expect(await store.claim({ ...claim, token: 'next' })).toMatchObject({ status: 'claimed', completedHandlers: [] })
    },
  )

  test('allows savepoints', async () => {
    const { transaction, write, countEffects } = await startScene()
    await transaction(async (tx) => {
      await tx.query('SAVEPOINT one')
      await tx.query('SELECT 1 / 0').catch(() => {})
      await tx.query('ROLLBACK TO one')
      await write(tx)
    })
    expect(await countEffects()).toBe(1)
  })

  test('rejects without ending the process, and commits nothing, if its backend is killed', async () => {
    const { transaction, write, countEffects, store } = await startScene()
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

  test('is rolled back by closing its connection after the time limit', async () => {
    const clock = fixedClock()
    const pool = scene.pool({ max: 1 })
    const { transaction, write, countEffects } = await startScene({ clock, pool })
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

  test('uses at most half of the pool, while other transactions wait and claims continue', async () => {
    const pool = scene.pool({ max: 4 })
    const scenes = await Promise.all(Array.from({ length: 6 }, () => startScene({ pool })))
    const [first] = scenes
    if (!first) throw new Error('no scene')
    // The limit is per store, so all transactions use the first store.
    let open = 0
    let maxOpen = 0
    const gate = createGate()
    const runs = scenes.map(({ claim: { key, token }, write }) =>
      first.store.transaction({ key, token, checkpoint: 'count' })(async (tx) => {
        maxOpen = Math.max(maxOpen, ++open)
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
    expect(maxOpen).toBe(2)
    expect(await Promise.all(scenes.map(({ countEffects }) => countEffects()))).toEqual(scenes.map(() => 1))
  })

  test('returns its connection and lets the next one run if its function throws', async () => {
    const pool = scene.pool({ max: 2 })
    const { transaction, write, countEffects } = await startScene({ pool })
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

  describe('with a hostile namespace', () => {
    test.each(["'; DROP TABLE x; --", '\\', '"', "''", '$1', ' '])(
      'commits with the namespace %j',
      async (namespace) => {
        const { transaction, write, countEffects, store, claim } = await startScene({ namespace })
        await transaction(write)
        expect(await countEffects()).toBe(1)
        await store.release({ ...claim, completedHandlers: [], counted: true })
        expect(await store.claim({ ...claim, token: 'next' })).toMatchObject({ completedHandlers: ['count'] })
      },
    )
  })
})
