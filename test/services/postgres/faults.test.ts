/** postgresStore while Postgres, its network or its pool fails: rejected calls are never executed later. */
import { randomBytes } from 'node:crypto'
import type { PoolClient } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresStoreOptions, postgresStore } from '../../../src/stores/postgres/postgres-store.js'
import type { ClaimRequest } from '../../../src/stores/store.js'
import { fixedClock } from '../../../src/testing/fixed-clock.js'
import { createGate } from '../../support/gate.js'
import { postgresScene } from '../../support/postgres.js'
import { describeWithService } from '../../support/services.js'
import { createTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js'

function newClaim(changes: Partial<ClaimRequest> = {}): ClaimRequest {
  const [key, token] = [randomBytes(32).toString('hex'), randomBytes(16).toString('hex')]
  return { key, token, leaseMs: 55_000, attemptGapMs: 30_000, retainUntil: Date.now() + 86_400_000, ...changes }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describeWithService('postgres', 'postgresStore during failures', (url) => {
  const scene = postgresScene(url)
  const { table, admin } = scene
  const open = (options: Partial<PostgresStoreOptions> = {}) => postgresStore({ pool: scene.pool(), table, ...options })
  const rowsOf = async (key: string) => {
    const { rowCount } = await admin.query(`SELECT FROM ${table} WHERE key = decode($1, 'hex')`, [key])
    return rowCount
  }
  let network: TcpProxy

  beforeAll(async () => {
    network = await createTcpProxy(url)
    await open().claim(newClaim())
  })

  afterEach(() => network.set('open'))
  afterAll(() => network.close())

  const openBehindNetwork = async (options: Partial<PostgresStoreOptions> = {}) => {
    const store = open({ pool: scene.pool({ connectionString: network.url, max: 2 }), ...options })
    await store.claim(newClaim())
    return store
  }

  test('a claim rejects immediately while connections are refused, and succeeds afterwards', async () => {
    const store = await openBehindNetwork()
    const request = newClaim()
    network.set('refused')
    const startedAt = Date.now()
    await expect(async () => store.claim(request)).rejects.toThrow()
    expect(Date.now() - startedAt).toBeLessThan(1500)
    network.set('open')
    await pause(100)
    expect(await rowsOf(request.key)).toBe(0)
    expect(await store.claim(request)).toMatchObject({ status: 'claimed', attempt: 1 })
  })

  test('a claim on a broken connection is repeated on another one', async () => {
    const store = await openBehindNetwork()
    const request = newClaim()
    network.set('mute')
    const response = store.claim(request)
    await scene.until(`SELECT FROM ${table} WHERE key = decode($1, 'hex')`, [request.key])
    network.set('refused')
    network.set('open')
    expect(await response).toMatchObject({ status: 'claimed', attempt: 1 })
  })

  test('a completion whose response was lost is repeated and returns true', async () => {
    const store = await openBehindNetwork()
    const request = newClaim()
    await store.claim(request)
    network.set('mute')
    const response = store.complete(request)
    await scene.until(`SELECT FROM ${table} WHERE key = decode($1, 'hex') AND state = 'done'`, [request.key])
    network.set('refused')
    network.set('open')
    expect(await response).toBe(true)
  })

  test('a claim without a free connection rejects and is not executed later', async () => {
    const pool = scene.pool({ max: 1 })
    const store = open({ pool, callLimitMs: 50 })
    const request = newClaim()
    const taken = await pool.connect()
    await expect(async () => store.claim(request)).rejects.toMatchObject({ code: 'store_unavailable' })
    taken.release()
    await pause(50)
    expect(await rowsOf(request.key)).toBe(0)
    expect([pool.idleCount, pool.waitingCount]).toEqual([1, 0])
    expect(await store.claim(request)).toMatchObject({ status: 'claimed', attempt: 1 })
  })

  test('1,000 claims abandoned by an exhausted pool leave no rows and no waiting calls', async () => {
    const pool = scene.pool({ max: 1 })
    const store = open({ pool, callLimitMs: 20 })
    const key = randomBytes(32).toString('hex')
    const taken = await pool.connect()
    const responses = await Promise.allSettled(Array.from({ length: 1000 }, async () => store.claim(newClaim({ key }))))
    expect(responses.every(({ status }) => status === 'rejected')).toBe(true)
    taken.release()
    await pause(50)
    expect(await rowsOf(key)).toBe(0)
    expect(pool.waitingCount).toBe(0)
  })

  test('waiting and abandoned claims leave a connection to heartbeats', async () => {
    const pool = scene.pool({ max: 3 })
    const store = open({ pool, callLimitMs: 1_000 })
    const [held, locked] = [newClaim(), newClaim()]
    for (const request of [held, locked]) await store.claim(request)
    await store.release({ ...locked, completedHandlers: [], counted: true })
    const other = await admin.connect()
    await other.query('BEGIN')
    await other.query(`SELECT FROM ${table} WHERE key = decode($1, 'hex') FOR UPDATE`, [locked.key])
    for (let round = 0; round < 2; round++) {
      const storm = Promise.allSettled(
        Array.from({ length: 20 }, async () => store.claim(newClaim({ key: locked.key }))),
      )
      await pause(100)
      expect(await Promise.race([storm, store.renew(held)])).toBe(true)
      expect((await storm).every(({ status }) => status === 'rejected')).toBe(true)
    }
    await other.query('ROLLBACK')
    other.release()
    expect(await store.complete(held)).toBe(true)
  })

  test('a claim that waits for a locked row rejects and is not executed later', async () => {
    const store = open({ callLimitMs: 1000 })
    const request = newClaim()
    await store.claim(request)
    await store.release({ ...request, completedHandlers: [], counted: true })
    const other = await admin.connect()
    await other.query('BEGIN')
    await other.query(`SELECT FROM ${table} WHERE key = decode($1, 'hex') FOR UPDATE`, [request.key])
    await expect(async () => store.claim(newClaim({ key: request.key }))).rejects.toMatchObject({ code: '55P03' })
    await other.query('ROLLBACK')
    other.release()
    await pause(100)
    const { rows } = await admin.query(`SELECT state, attempt FROM ${table} WHERE key = decode($1, 'hex')`, [
      request.key,
    ])
    expect(rows).toEqual([{ state: 'released', attempt: 1 }])
  })

  test('a silent server does not hold a call forever', async () => {
    const clock = fixedClock()
    const pool = scene.pool({ connectionString: network.url, max: 2 })
    const store = await openBehindNetwork({ clock, pool })
    network.set('silent')
    // All three claims are sent in one statement.
    const claims = [newClaim(), newClaim(), newClaim()].map(async (request) => store.claim(request))
    const settled = Promise.allSettled(claims)
    await pause(50)
    await clock.advance(10_000)
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(pool.totalCount).toBe(0)
    network.set('refused')
    network.set('open')
    expect(await store.claim(newClaim())).toMatchObject({ status: 'claimed' })
    // The store retries the release of the claims that were sent, because a frozen server may still execute them.
    expect(clock.pendingTimers()).toBe(3)
    while (clock.pendingTimers() > 0) {
      await clock.advance(2_000)
      await pause(20)
    }
  })

  test('a claim opens another connection if an earlier one never opened', async () => {
    const pool = scene.pool({ connectionString: network.url, max: 6, idleTimeoutMillis: 1 })
    const store = open({ pool })
    await store.claim(newClaim())
    while (pool.totalCount > 0) await pause(5)
    network.set('silent')
    for (let count = 0; count < 2; count++) {
      const rejected = { code: 'store_unavailable' }
      await expect(async () => store.claim(newClaim({ waitMs: 100 }))).rejects.toMatchObject(rejected)
    }
    // The proxy still swallows what it has swallowed, as a network does after an address has moved.
    network.set('open')
    expect(await store.claim(newClaim({ waitMs: 5_000 }))).toMatchObject({ status: 'claimed' })
    network.set('refused')
  })

  test('a server that falls silent while it creates the tables delays calls only until that connection times out', async () => {
    const clock = fixedClock()
    const pool = scene.pool({ connectionString: network.url, max: 2 })
    await pool.query('SELECT 1')
    const store = open({ clock, pool, table: `${scene.schema}.silent` })
    network.set('silent')
    const first = Promise.allSettled([store.claim(newClaim())])
    await pause(50)
    await clock.advance(1_000)
    expect(await first).toMatchObject([{ status: 'rejected', reason: { code: 'store_unavailable' } }])
    network.set('open')
    await clock.advance(9_000)
    expect(pool.totalCount).toBe(0)
    expect(await store.claim(newClaim())).toMatchObject({ status: 'claimed' })
    expect(clock.pendingTimers()).toBe(0)
  })

  test('creating the tables times out behind a lock, and the next claim succeeds after the lock is released', async () => {
    const table = `${scene.schema}.locked`
    const store = open({ table, callLimitMs: 20_000 })
    const other = await admin.connect()
    await other.query(`SELECT pg_advisory_lock(hashtext('govalid-webhooks'), hashtext($1))`, [
      `"${scene.schema}"."locked"`,
    ])
    await expect(async () => store.claim(newClaim())).rejects.toMatchObject({ code: '55P03' })
    await other.query('SELECT pg_advisory_unlock_all()')
    other.release()
    expect(await store.claim(newClaim())).toMatchObject({ status: 'claimed' })
  })

  describe('a transaction on a silent server', () => {
    /** Creates a store for one transaction at a time, with a claimed delivery and a function that writes. */
    async function startScene() {
      const clock = fixedClock()
      const pool = scene.pool({ connectionString: network.url, max: 2 })
      const store = open({ clock, pool, maxTransactions: 1 })
      const request = newClaim()
      await store.claim(request)
      const effect = randomBytes(8).toString('hex')
      const write = (tx: PoolClient) => tx.query(`INSERT INTO ${scene.schema}.effects (effect) VALUES ($1)`, [effect])
      const transaction = store.transaction({ ...request, checkpoint: 'count' })
      const countEffects = () => scene.countEffects(effect)
      /** Expects closed connections, a free permit for the next transaction, and no effect of the failed one. */
      const expectNextSucceeds = async () => {
        expect(pool.totalCount).toBe(0)
        network.set('open')
        await transaction(write)
        expect(await countEffects()).toBe(1)
      }
      return { clock, pool, transaction, write, countEffects, expectNextSucceeds }
    }

    test('continues on another connection if nothing was written yet', async () => {
      const { clock, transaction, write, countEffects } = await startScene()
      network.set('silent')
      const done = transaction(write)
      await pause(50)
      network.set('open')
      await clock.advance(10_000)
      await done
      expect(await countEffects()).toBe(1)
      expect(clock.pendingTimers()).toBe(0)
    })

    test('rejects after two connections and lets the next transaction run', async () => {
      const { clock, pool, transaction, write, expectNextSucceeds } = await startScene()
      // Both connections are open before they fall silent.
      await Promise.all([pool.query('SELECT 1'), pool.query('SELECT 1')])
      network.set('silent')
      const failing = expect(transaction(write)).rejects.toMatchObject({ code: 'store_unavailable' })
      for (let connection = 0; connection < 2; connection++) {
        await pause(50)
        await clock.advance(10_000)
      }
      await failing
      await expectNextSucceeds()
    })

    test('is rolled back by closing its connection if ROLLBACK gets no response, and lets the next transaction run', async () => {
      const { clock, transaction, write, expectNextSucceeds } = await startScene()
      const failed = createGate()
      const failing = transaction(async (tx) => {
        await write(tx)
        network.set('silent')
        failed.open()
        throw new Error('no')
      })
      const refused = expect(failing).rejects.toThrow('no')
      await failed.passed
      await pause(50)
      await clock.advance(10_000)
      await refused
      await expectNextSucceeds()
    })
  })

  test('a transaction whose connection breaks before BEGIN continues on another one', async () => {
    const store = await openBehindNetwork()
    const request = newClaim()
    await store.claim(request)
    network.set('mute')
    const done = store.transaction({ ...request, checkpoint: 'count' })(async () => 'done')
    await pause(50)
    network.set('refused')
    network.set('open')
    expect(await done).toBe('done')
  })

  test('killing idle backends neither ends the process nor fails a claim', async () => {
    const pool = scene.pool({ application_name: `${scene.schema}_idle` })
    const store = open({ pool })
    await Promise.all(Array.from({ length: 5 }, async () => store.claim(newClaim())))
    await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [
      `${scene.schema}_idle`,
    ])
    const responses = await Promise.all(Array.from({ length: 20 }, async () => store.claim(newClaim())))
    expect(responses.filter(({ status }) => status === 'claimed')).toHaveLength(20)
  })

  test('killing the backend of a running claim does not fail the claim', async () => {
    const name = `${scene.schema}_busy`
    const store = open({ pool: scene.pool({ application_name: name }), callLimitMs: 5000 })
    const request = newClaim()
    await store.claim(request)
    await store.release({ ...request, completedHandlers: [], counted: true })
    const other = await admin.connect()
    await other.query('BEGIN')
    await other.query(`SELECT FROM ${table} WHERE key = decode($1, 'hex') FOR UPDATE`, [request.key])
    const response = store.claim(newClaim({ key: request.key }))
    const waiting = `FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'`
    await scene.until(`SELECT ${waiting}`, [name])
    await admin.query(`SELECT pg_terminate_backend(pid) ${waiting}`, [name])
    await other.query('ROLLBACK')
    other.release()
    expect(await response).toMatchObject({ status: 'claimed', attempt: 2 })
  })

  test('the user’s own error listener still receives broken connections', async () => {
    const name = `${scene.schema}_listened`
    const pool = scene.pool({ application_name: name })
    const received: Error[] = []
    pool.on('error', (error) => received.push(error))
    await open({ pool }).claim(newClaim())
    await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [name])
    while (received.length === 0) await pause(5)
    expect(received[0]?.message).toMatch(/terminat/)
  })

  test('stores that share a pool add one error listener', () => {
    const pool = scene.pool()
    for (let count = 0; count < 20; count++) open({ pool })
    expect(pool.listenerCount('error')).toBe(1)
  })

  test('claims work in a database that defaults to serializable transactions', async () => {
    const pool = scene.pool({ options: '-c default_transaction_isolation=serializable' })
    const store = open({ pool, callLimitMs: 10_000 })
    const key = randomBytes(32).toString('hex')
    const responses = await Promise.all(Array.from({ length: 100 }, async () => store.claim(newClaim({ key }))))
    expect(responses.filter(({ status }) => status === 'claimed')).toHaveLength(1)
    expect(responses.filter(({ status }) => status === 'busy')).toHaveLength(99)
  })

  test('calls work behind a proxy that loses prepared statements', async () => {
    const pool = scene.pool({ max: 1 })
    const store = open({ pool })
    const request = newClaim()
    await store.claim(request)
    await pool.query('DEALLOCATE ALL')
    expect(await store.complete(request)).toBe(true)
    expect(await store.claim(request)).toEqual({ status: 'done' })
  })

  test('claims work behind a proxy where another client has prepared the same name', async () => {
    const first = scene.pool({ max: 1 })
    const store = open({ pool: first })
    await store.claim(newClaim())
    const { rows } = await first.query<{ name: string }>('SELECT name FROM pg_prepared_statements')
    const second = scene.pool({ max: 1 })
    await second.query(`PREPARE ${rows[0]?.name} AS SELECT 1`)
    expect(await open({ pool: second }).claim(newClaim())).toMatchObject({ status: 'claimed', attempt: 1 })
  })

  test('a claim that a trigger suppresses is an error, not a result', async () => {
    const other = `${scene.schema}.guarded`
    const store = open({ table: other })
    await store.claim(newClaim())
    await admin.query(
      `CREATE FUNCTION ${scene.schema}.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
    )
    await admin.query(
      `CREATE TRIGGER nothing BEFORE INSERT ON ${other} FOR EACH ROW EXECUTE FUNCTION ${scene.schema}.nothing()`,
    )
    await expect(async () => store.claim(newClaim())).rejects.toThrow('The claim returned no row')
  })
})
