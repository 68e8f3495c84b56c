/** postgresStore after a failover: connections to a server that became read-only, that shuts down, or that is full. */
import { randomBytes } from 'node:crypto'
import { Pool, type PoolConfig } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createReceiver, type ErrorReport } from '../../../src/index.js'
import { type PostgresTransaction, postgresStore } from '../../../src/stores/postgres/postgres-store.js'
import type { ClaimRequest } from '../../../src/stores/store.js'
import { signDelivery } from '../../../src/testing/index.js'
import { postgresScene } from '../../support/postgres.js'
import { describeWithOwnPostgres, type PostgresServer, startPostgresServer } from '../../support/postgres-server.js'
import { describeWithService } from '../../support/services.js'

const SECRET = 'your_webhook_secret'

async function signedEvent() {
  const payload = { event: 'qr.created', timestamp: new Date().toISOString(), data: { nonce: crypto.randomUUID() } }
  return (await signDelivery(payload, { secret: SECRET })).delivery
}

function newClaim(waitMs: number): ClaimRequest {
  const [key, token] = [randomBytes(32).toString('hex'), randomBytes(16).toString('hex')]
  return { key, token, leaseMs: 55_000, attemptGapMs: 30_000, retainUntil: Date.now() + 86_400_000, waitMs }
}

/** Opens all connections of a pool and makes their sessions read-only. New sessions are writable. */
async function makeReadOnly(pool: Pool): Promise<void> {
  const clients = await Promise.all(Array.from({ length: pool.options.max }, () => pool.connect()))
  for (const client of clients) {
    await client.query('SET default_transaction_read_only = on')
    client.release()
  }
}

describeWithService('postgres', 'postgresStore with read-only sessions in its pool', (url) => {
  const scene = postgresScene(url)
  const start = (config: PoolConfig, handle: (transaction: PostgresTransaction) => unknown) => {
    const pool = scene.pool(config)
    const reports: ErrorReport[] = []
    const store = postgresStore({ pool, table: scene.table })
    const receiver = createReceiver({ secret: SECRET, store, onError: (report) => reports.push(report) })
    receiver.on('qr.created', (_, { transaction }) => handle(transaction))
    return { pool, store, reports, receive: receiver.receive }
  }

  test('processes all of 20 deliveries, one after another', async () => {
    let calls = 0
    const { pool, receive, reports } = start({ max: 3 }, () => calls++)
    await receive(await signedEvent())
    await makeReadOnly(pool)
    for (let count = 0; count < 20; count++) {
      expect(await receive(await signedEvent())).toMatchObject({ status: 'processed', attempt: 1 })
    }
    expect([calls, reports]).toEqual([21, []])
  })

  test('processes all of 200 concurrent deliveries', async () => {
    const { pool, receive } = start({ max: 10 }, () => {})
    await receive(await signedEvent())
    await makeReadOnly(pool)
    const deliveries = await Promise.all(Array.from({ length: 200 }, signedEvent))
    const outcomes = await Promise.all(deliveries.map((delivery) => receive(delivery)))
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['processed']))
  })

  test('creates the tables, and keeps and lists quarantined deliveries', async () => {
    const pool = scene.pool({ max: 3 })
    await makeReadOnly(pool)
    const store = postgresStore({ pool, table: `${scene.schema}.created` })
    expect(await store.claim(newClaim(4_000))).toMatchObject({ status: 'claimed' })
    await makeReadOnly(pool)
    const entry = {
      key: '0'.repeat(64),
      code: 'stale',
      eventType: undefined,
      rawBody: new Uint8Array(),
      error: undefined,
    }
    await store.quarantine({ ...entry, headers: {}, receivedAt: 1, attempt: 1 })
    expect(await store.quarantine.list()).toHaveLength(1)
  })

  test('runs a handler’s transaction once, on a writable connection', async () => {
    const effect = crypto.randomUUID()
    let calls = 0
    const { pool, receive } = start({ max: 3 }, async (transaction) => {
      calls++
      await makeReadOnly(pool)
      await transaction((tx) => tx.query(`INSERT INTO ${scene.schema}.effects (effect) VALUES ($1)`, [effect]))
    })
    expect((await receive(await signedEvent())).status).toBe('processed')
    expect([calls, await scene.countEffects(effect)]).toEqual([1, 1])
  })

  test('waits for a connection while the role has too many', async () => {
    const role = `${scene.schema}_full`
    await scene.admin.query(
      `CREATE ROLE ${role} LOGIN CONNECTION LIMIT 1; GRANT ALL ON SCHEMA ${scene.schema} TO ${role}`,
    )
    const config = { connectionString: url.replace(/\/\/[^@]*@/, `//${role}@`), max: 1 }
    const other = scene.pool(config)
    try {
      const taken = await other.connect()
      const store = postgresStore({ pool: scene.pool(config), table: `${scene.schema}.full` })
      const claiming = store.claim(newClaim(4_000))
      await scene.until('SELECT pg_sleep(0.2)')
      taken.release(true)
      expect(await claiming).toMatchObject({ status: 'claimed' })
    } finally {
      await scene.admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1`, [role])
      await scene.admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    }
  })
})

describeWithOwnPostgres('postgresStore with a primary and a standby', () => {
  let primary: PostgresServer
  let standby: PostgresServer
  beforeAll(async () => {
    primary = await startPostgresServer()
    const pool = new Pool({ connectionString: primary.url })
    await postgresStore({ pool }).claim(newClaim(4_000))
    await pool.end()
    standby = await startPostgresServer(primary)
  })
  afterAll(() => {
    standby.remove()
    primary.remove()
  })

  test('processes a delivery that arrives while the standby is promoted', async () => {
    const pool = new Pool({ connectionString: standby.url, max: 3 })
    try {
      const store = postgresStore({ pool })
      const receiver = createReceiver({ secret: SECRET, store, onError: () => {} }).on('qr.created', () => {})
      expect(await receiver.receive(await signedEvent())).toMatchObject({ status: 'unavailable' })
      const receiving = receiver.receive(await signedEvent())
      primary.stop('fast')
      standby.promote()
      expect(await receiving).toMatchObject({ status: 'processed', attempt: 1 })
      expect((await receiver.receive(await signedEvent())).status).toBe('processed')
    } finally {
      await pool.end()
    }
  })
})
