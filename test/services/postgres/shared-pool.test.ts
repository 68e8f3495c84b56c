/** postgresStore in a pool that the application uses too: its type parsers, open transactions and early releases change nothing. */
import { randomBytes } from 'node:crypto'
import pg, { type Pool, type PoolClient } from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { postgresStore } from '../../../src/stores/postgres/postgres-store.js'
import type { ClaimRequest } from '../../../src/stores/store.js'
import { postgresScene } from '../../support/postgres.js'
import { describeWithService } from '../../support/services.js'

function newClaim(changes: Partial<ClaimRequest> = {}): ClaimRequest {
  const [key, token] = [randomBytes(32).toString('hex'), randomBytes(16).toString('hex')]
  return { key, token, leaseMs: 55_000, attemptGapMs: 30_000, retainUntil: Date.now() + 86_400_000, ...changes }
}

describeWithService('postgres', 'postgresStore in a shared pool', (url) => {
  const scene = postgresScene(url)
  const { table, schema, admin } = scene
  const stateOf = async (key: string) => {
    const { rows } = await admin.query(`SELECT state::text AS state FROM ${table} WHERE key = decode($1, 'hex')`, [key])
    return rows[0]?.state as string | undefined
  }

  describe('with type parsers of the application', () => {
    const { builtins } = pg.types
    const originals = new Map<number, unknown>()
    const setParser = (oid: number, parse: (text: string) => unknown) => {
      originals.set(oid, pg.types.getTypeParser(oid))
      pg.types.setTypeParser(oid, parse)
    }
    afterEach(() => {
      for (const [oid, parse] of originals) pg.types.setTypeParser(oid, parse as (text: string) => unknown)
      originals.clear()
    })

    /** Runs every operation of the store, alone and in groups. */
    async function useStore(pool: Pool): Promise<void> {
      const store = postgresStore({ pool, table })
      const request = newClaim()
      const second = { ...request, token: 'second' }
      expect(await store.claim(request)).toEqual({
        status: 'claimed',
        attempt: 1,
        releasedAttempts: 0,
        completedHandlers: [],
      })
      expect(await store.claim(second)).toMatchObject({
        status: 'busy',
        attempt: 1,
        until: expect.closeTo(Date.now() + 55_000, -4),
      })
      expect(await store.renew({ ...request, completedHandlers: ['a,b "c"'] })).toBe(true)
      await store.transaction({ ...request, checkpoint: 'count' })(async (tx) => tx.query('SELECT 1'))
      expect(await store.release({ ...request, completedHandlers: [], counted: true })).toBe(true)
      const claimed = { status: 'claimed', attempt: 2, releasedAttempts: 1, completedHandlers: ['a,b "c"', 'count'] }
      expect(await store.claim(second)).toEqual(claimed)
      expect(await store.complete(second)).toBe(true)
      expect(await store.claim(request)).toEqual({ status: 'done' })
      const many = Array.from({ length: 50 }, () => newClaim())
      expect(
        new Set((await Promise.all(many.map(async (each) => store.claim(each)))).map(({ status }) => status)),
      ).toEqual(new Set(['claimed']))
      expect(new Set(await Promise.all(many.map(async (each) => store.complete(each))))).toEqual(new Set([true]))
      const rawBody = Uint8Array.of(0, 1, 255)
      const entry = {
        key: request.key,
        code: 'stale',
        eventType: undefined,
        rawBody,
        headers: {},
        error: undefined,
        receivedAt: 1.5,
        attempt: 3,
      }
      await store.quarantine(entry)
      expect(await store.quarantine.get(entry.key)).toEqual(entry)
      expect(await store.quarantine.count?.()).toBeGreaterThan(0)
      await store.quarantine.discard(entry.key)
    }

    test.each<[string, (text: string) => unknown, number[]]>([
      ['integers as BigInt', BigInt, [builtins.INT2, builtins.INT4, builtins.INT8]],
      ['numbers as strings', String, [builtins.INT4, builtins.INT8, builtins.FLOAT8, builtins.NUMERIC]],
      ['booleans as text', (text) => (text === 't' ? 'yes' : 'no'), [builtins.BOOL]],
      ['bytes as base64 and arrays as JSON', (text) => JSON.stringify(text), [builtins.BYTEA, 1009]],
      [
        'everything, even text, as an object',
        (text) => ({ text }),
        [builtins.TEXT, builtins.BOOL, builtins.INT4, builtins.INT8, builtins.FLOAT8, builtins.BYTEA, 1009],
      ],
    ])('reads its own columns: %s', async (_, parse, oids) => {
      for (const oid of oids) setParser(oid, parse)
      await useStore(scene.pool())
    })

    test('reads its own columns in binary format', async () => {
      await useStore(scene.pool({ binary: true } as pg.PoolConfig))
    })
  })

  describe('with connections that the application returned too early', () => {
    /** Returns a connection to the pool after these statements, as a function that forgot COMMIT does. */
    async function leak(pool: Pool, ...statements: string[]): Promise<void> {
      const client = await pool.connect()
      for (const statement of statements) await client.query(statement).catch(() => {})
      client.release()
    }

    test.each([
      ['an open transaction', ['BEGIN']],
      ['an open transaction that has read', ['BEGIN', 'SELECT 1']],
      ['a failed transaction', ['BEGIN', 'SELECT 1 / 0']],
      ['a transaction of repeatable reads', ['BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT 1']],
    ])('writes durably after %s was left', async (_, statements) => {
      const pool = scene.pool({ max: 1 })
      const store = postgresStore({ pool, table })
      const request = newClaim()
      await leak(pool, ...statements)
      expect(await store.claim(request)).toMatchObject({ status: 'claimed' })
      expect(await stateOf(request.key)).toBe('processing')
      await leak(pool, ...statements)
      expect(await store.complete(request)).toBe(true)
      expect(await stateOf(request.key)).toBe('done')
      expect(await store.claim(newClaim({ key: request.key }))).toEqual({ status: 'done' })
    })

    test('does not commit what the application left in an open transaction', async () => {
      const pool = scene.pool({ max: 1 })
      const store = postgresStore({ pool, table })
      const request = newClaim()
      await store.claim(request)
      await leak(pool, 'BEGIN', `INSERT INTO ${schema}.effects VALUES ('left')`)
      await store.transaction({ ...request, checkpoint: 'count' })((tx) =>
        tx.query(`INSERT INTO ${schema}.effects VALUES ('committed')`),
      )
      expect([await scene.countEffects('left'), await scene.countEffects('committed')]).toEqual([0, 1])
    })

    test('notices a transaction on a client whose driver does not keep its status', async () => {
      const pool = scene.pool({ max: 1 })
      // As in older versions of pg and in @neondatabase/serverless.
      pool.on('connect', (client) => Object.assign(client, { getTransactionStatus: undefined }))
      const store = postgresStore({ pool, table })
      const request = newClaim()
      await leak(pool, 'BEGIN')
      expect(await store.claim(request)).toMatchObject({ status: 'claimed' })
      expect(await stateOf(request.key)).toBe('processing')
    })

    test('writes durably while the application still uses a connection that it has released', async () => {
      const pool = scene.pool({ max: 1 })
      const store = postgresStore({ pool, table })
      await store.claim(newClaim())
      const early = await pool.connect()
      early.release()
      const request = newClaim()
      const begun = early.query('BEGIN')
      const claiming = store.claim(request)
      await begun
      expect(await claiming).toMatchObject({ status: 'claimed' })
      expect(await stateOf(request.key)).toBe('processing')
    })
  })

  describe('with a function that misuses the client of its transaction', () => {
    async function startScene(max = 1) {
      const pool = scene.pool({ max })
      const store = postgresStore({ pool, table })
      const request = newClaim()
      await store.claim(request)
      const effect = randomBytes(8).toString('hex')
      const write = (tx: PoolClient) => tx.query(`INSERT INTO ${schema}.effects (effect) VALUES ($1)`, [effect])
      return {
        pool,
        store,
        request,
        effect,
        write,
        transaction: store.transaction({ ...request, checkpoint: 'count' }),
      }
    }

    test('ignores release(), and returns the connection once', async () => {
      const { pool, transaction, write, effect } = await startScene()
      await transaction(async (tx) => {
        await write(tx)
        tx.release()
        tx.release(true)
        expect(pool.idleCount).toBe(0)
        await write(tx)
      })
      expect([await scene.countEffects(effect), pool.totalCount, pool.idleCount]).toEqual([2, 1, 1])
    })

    test.each(['BEGIN', 'start transaction', '-- a comment\n COMMIT', '/* a */ rollback', 'END', 'COMMIT; BEGIN'])(
      'refuses %j before it is sent, and rolls back',
      async (statement) => {
        const { transaction, write, effect } = await startScene()
        const ended = transaction(async (tx) => {
          await write(tx)
          await tx.query(statement)
        })
        await expect(ended).rejects.toMatchObject({ code: 'transaction_ended' })
        expect(await scene.countEffects(effect)).toBe(0)
      },
    )

    test('passes the refusal to a callback', async () => {
      const { transaction } = await startScene()
      const refusal = await transaction(
        (tx) => new Promise<unknown>((resolve) => tx.query('COMMIT', (error: Error) => resolve(error))),
      )
      expect(refusal).toMatchObject({ code: 'transaction_ended' })
    })

    test('refuses queries after the function has ended, so they never reach the connection’s next user', async () => {
      const { transaction, write, effect } = await startScene()
      let kept: PoolClient | undefined
      await transaction(async (tx) => {
        kept = tx
        await write(tx)
      })
      await expect(write(kept as PoolClient)).rejects.toMatchObject({ code: 'transaction_ended' })
      expect(await scene.countEffects(effect)).toBe(1)
    })

    test('refuses queries after the time limit', async () => {
      const pool = scene.pool({ max: 1 })
      const store = postgresStore({ pool, table, transactionLimitMs: 50 })
      const request = newClaim()
      await store.claim(request)
      const late = new Promise<unknown>((resolve) => {
        const hanging = store.transaction({ ...request, checkpoint: 'count' })(async (tx) => {
          await hanging.catch(() => {})
          await tx.query('SELECT 1').catch(resolve)
        })
      })
      expect(await late).toMatchObject({ code: 'transaction_ended' })
    })
  })

  describe('releases what it borrows', () => {
    test('a client that arrives after its call was rejected goes back to the pool', async () => {
      const pool = scene.pool({ max: 1 })
      const store = postgresStore({ pool, table, callLimitMs: 20 })
      const taken = await pool.connect()
      await expect(store.quarantine.list()).rejects.toMatchObject({ code: 'store_unavailable' })
      await expect(async () => store.claim(newClaim())).rejects.toMatchObject({ code: 'store_unavailable' })
      taken.release()
      const again = await pool.connect()
      expect([pool.totalCount, pool.waitingCount]).toEqual([1, 0])
      again.release()
    })

    test('1,000 calls add no listener to a client or to the pool', async () => {
      const pool = scene.pool({ max: 1 })
      const store = postgresStore({ pool, table })
      const clients = new Set<PoolClient>()
      pool.on('acquire', (client) => clients.add(client))
      await store.claim(newClaim())
      const [client] = clients
      const counts = () =>
        [...(client?.eventNames() ?? [])].map((name) => `${String(name)} ${client?.listenerCount(name)}`)
      const before = [counts(), pool.listenerCount('error'), pool.listenerCount('connect')]
      for (let count = 0; count < 1000; count++) {
        const request = newClaim()
        await store.claim(request)
        if (count % 100 === 0) await store.transaction({ ...request, checkpoint: 'count' })(async () => {})
      }
      expect(clients.size).toBe(1)
      expect([counts(), pool.listenerCount('error'), pool.listenerCount('connect')]).toEqual(before)
    })
  })
})
