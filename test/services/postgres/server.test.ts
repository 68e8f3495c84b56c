/** postgresStore on the test's own server: restarted, crashed, frozen, and with an encoding other than UTF-8. */
import { Pool } from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createReceiver, type ErrorReport } from '../../../src/index.js'
import { postgresStore } from '../../../src/stores/postgres/postgres-store.js'
import { fixedClock, signDelivery } from '../../../src/testing/index.js'
import { describeWithOwnPostgres, type PostgresServer, startPostgresServer } from '../../support/postgres-server.js'

const SECRET = 'your_webhook_secret'

async function signedEvent() {
  const payload = { event: 'qr.created', timestamp: new Date().toISOString(), data: { nonce: crypto.randomUUID() } }
  return (await signDelivery(payload, { secret: SECRET })).delivery
}

describeWithOwnPostgres('a receiver with its own Postgres', () => {
  let server: PostgresServer
  let pool: Pool
  beforeAll(async () => {
    server = await startPostgresServer()
    pool = new Pool({ connectionString: server.url })
  })
  afterAll(async () => {
    await pool.end()
    server.remove()
  })

  test.each(['fast', 'immediate'] as const)(
    'returns unavailable while Postgres is stopped (%s), and processes the event after its restart',
    async (mode) => {
      let calls = 0
      const receiver = createReceiver({ secret: SECRET, store: postgresStore({ pool }), onError: () => {} })
      receiver.on('qr.created', () => void calls++)
      const [before, during] = [await signedEvent(), await signedEvent()]
      expect((await receiver.receive(before)).status).toBe('processed')
      server.stop(mode)
      for (const delivery of [before, during]) {
        expect(await receiver.receive(delivery)).toMatchObject({ status: 'unavailable', code: 'store_unavailable' })
      }
      server.start()
      expect((await receiver.receive(before)).status).toBe('duplicate')
      expect(await receiver.receive(during)).toMatchObject({ status: 'processed', attempt: 1 })
      expect(calls).toBe(2)
    },
  )

  test('wastes no attempt if Postgres restarts between two deliveries', async () => {
    const receiver = createReceiver({ secret: SECRET, store: postgresStore({ pool }) }).on('qr.created', () => {})
    expect((await receiver.receive(await signedEvent())).status).toBe('processed')
    server.stop('fast')
    server.start()
    expect((await receiver.receive(await signedEvent())).status).toBe('processed')
  })

  test('returns processed if Postgres crashes while the handler runs, and saves the completion afterwards', async () => {
    const reports: ErrorReport[] = []
    const store = postgresStore({ pool })
    const receiver = createReceiver({ secret: SECRET, store, onError: (report) => reports.push(report) })
    receiver.on('qr.created', () => server.stop('immediate'))
    const delivery = await signedEvent()
    expect((await receiver.receive(delivery)).status).toBe('processed')
    expect(reports.map(({ code }) => code)).toEqual(['completion_delayed'])
    server.start()
    await receiver.close()
    const restarted = createReceiver({ secret: SECRET, store }).on('qr.created', () => {})
    expect((await restarted.receive(delivery)).status).toBe('duplicate')
  })

  test('processes an event again if Postgres crashes during its transaction, and writes its effect once', async () => {
    await pool.query('CREATE TABLE effects (effect text NOT NULL)')
    const receiver = createReceiver({ secret: SECRET, store: postgresStore({ pool }), onError: () => {} })
    receiver.on('qr.created', (_, { attempt, transaction }) =>
      transaction(async (tx) => {
        await tx.query(`INSERT INTO effects VALUES ('once')`)
        if (attempt === 1) server.stop('immediate')
      }),
    )
    const delivery = await signedEvent()
    expect((await receiver.receive(delivery)).status).toBe('failed')
    server.start()
    // The release failed, so the claim ends with its lease.
    expect((await receiver.receive(delivery)).status).toBe('busy')
    await pool.query('UPDATE govalid_deliveries SET lease_until = lease_until - 55000')
    expect(await receiver.receive(delivery)).toMatchObject({ status: 'processed', attempt: 2 })
    expect((await pool.query('SELECT FROM effects')).rowCount).toBe(1)
  })

  test('processes an event at the next attempt if Postgres froze for longer than the response limit', async () => {
    const clock = fixedClock()
    const own = new Pool({ connectionString: server.url, max: 2 })
    const namespace = 'frozen'
    const store = postgresStore({ pool: own, clock, namespace })
    const receiver = createReceiver({ secret: SECRET, clock, store, onError: () => {} }).on('qr.created', () => {})
    const stateOf = async () => {
      const { rows } = await pool.query(
        `SELECT state FROM govalid_deliveries WHERE namespace = $1 AND state <> 'done' AND lease_until > $2`,
        [namespace, Date.now()],
      )
      return rows[0]?.state as string | undefined
    }
    const soon = { timeout: 10_000 }
    try {
      // This opens one connection without any background work.
      await store.quarantine.list()
      const delivery = await signedEvent()
      server.freeze()
      const first = receiver.receive(delivery)
      // The claim has been sent.
      await vi.waitFor(() => expect(own.idleCount).toBe(0), soon)
      await clock.advance(4_600)
      expect(await first).toMatchObject({ status: 'unavailable', code: 'store_unavailable' })
      await clock.advance(5_400)
      expect(own.totalCount).toBe(0)
      server.thaw()
      await vi.waitFor(async () => expect(await stateOf()).toBe('processing'), soon)
      await clock.advance(2_000)
      await vi.waitFor(async () => expect(await stateOf()).toBe('released'), soon)
      expect(await receiver.receive(delivery)).toMatchObject({ status: 'processed', attempt: 1 })
    } finally {
      server.thaw()
      await own.end()
    }
  })

  test('keeps every text of a quarantined delivery in a LATIN1 database', async () => {
    await pool.query(`CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'`)
    const latin = new Pool({ connectionString: server.url.replace(/postgres$/, 'latin') })
    try {
      const { quarantine } = postgresStore({ pool: latin })
      const text = 'é 日本 😀 \ud800 \0 \u2028'
      const entry = { key: '0'.repeat(64), code: 'stale', eventType: text, rawBody: Uint8Array.of(0, 255), error: text }
      const whole = { ...entry, headers: { 'x-text': text }, receivedAt: 1, attempt: 1 }
      await quarantine(whole)
      expect(await quarantine.get(entry.key)).toEqual(whole)
    } finally {
      await latin.end()
    }
  })
})
