/** The calls of the D1 store to its database, the deletion of expired records, and missing or corrupt tables. */
import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import type { ReceiverOptions } from '../../../../src/receiver/options.js'
import { type D1DatabaseBinding, d1Store } from '../../../../src/stores/cloudflare/d1-store.js'
import { createEndpoint, newBody } from './endpoint.js'

const { DB } = env
const HOUR_MS = 60 * 60 * 1000

/** Wraps the real database and counts its calls. */
function countCalls(): { readonly database: D1DatabaseBinding; calls(): number } {
  let count = 0
  const batch: D1DatabaseBinding['batch'] = (statements) => {
    count += 1
    return DB.batch(statements as D1PreparedStatement[])
  }
  return { database: { prepare: (query) => DB.prepare(query), batch }, calls: () => count }
}

describe('the D1 store', () => {
  test('makes no call at creation, one call per operation, and one more to create its tables', async () => {
    const { database, calls } = countCalls()
    const store = d1Store({ database, table: 'round_trips' })
    expect(calls()).toBe(0)
    const held = { key: 'a'.repeat(64), token: 'token' }
    const retainUntil = Date.now() + HOUR_MS
    await store.claim({ ...held, retainUntil, leaseMs: 55_000, attemptGapMs: 30_000 })
    expect(calls()).toBe(2)
    await store.renew({ ...held, leaseMs: 55_000 })
    await store.complete({ ...held, retainUntil })
    expect(calls()).toBe(4)
  })

  test('deletes a few expired records with each completion, and no others', async () => {
    const table = 'swept'
    const store = d1Store({ database: DB, table })
    const now = Date.now()
    const claim = (key: string, retainUntil: number, leaseMs: number) =>
      store.claim({ key, token: key, retainUntil, leaseMs, attemptGapMs: 0 })
    for (let index = 0; index < 7; index++) await claim(`expired-${index}`, now - HOUR_MS, 0)
    await claim('live', now - HOUR_MS, 55_000)
    await claim('kept', now + HOUR_MS, 55_000)
    const keys = async () => (await DB.prepare(`SELECT key FROM ${table} ORDER BY key`).raw<[string]>()).flat()
    await store.complete({ key: 'kept', token: 'kept', retainUntil: now + HOUR_MS })
    expect(await keys()).toHaveLength(4)
    await store.complete({ key: 'kept', token: 'kept', retainUntil: now + HOUR_MS })
    expect(await keys()).toEqual(['kept', 'live'])
  })

  test('creates its tables again after they are dropped, and no attempt is wasted', async () => {
    const store = d1Store({ database: DB, table: 'dropped' })
    const endpoint = createEndpoint(store)
    endpoint.receiver.on('qr.scanned', () => {})
    for (const table of ['dropped', 'dropped', 'dropped_quarantine']) {
      expect(await endpoint.send(newBody())).toMatchObject({ httpStatus: 200, status: 'processed' })
      expect(await store.quarantine.list()).toEqual([])
      await DB.prepare(`DROP TABLE ${table}`).run()
    }
    expect(await store.quarantine.list()).toEqual([])
    expect(endpoint.reported).toEqual([])
  })

  test('names the fix if other code owns a table of that name', async () => {
    await DB.prepare('CREATE TABLE foreign_table (id TEXT)').run()
    const errors: string[] = []
    const onError: ReceiverOptions['onError'] = ({ error }) => void errors.push(String(error))
    const endpoint = createEndpoint(d1Store({ database: DB, table: 'foreign_table' }), { onError })
    endpoint.receiver.on('qr.scanned', () => {})
    expect((await endpoint.send(newBody())).httpStatus).toBe(503)
    expect(errors).toEqual([expect.stringMatching(/other columns.*drop foreign_table.*explain store_unsuitable/)])
  })

  test('responds with 503 for a corrupt record and reports it', async () => {
    const endpoint = createEndpoint(d1Store({ database: DB, table: 'corrupt' }))
    let calls = 0
    endpoint.receiver.on('qr.scanned', () => {
      calls += 1
      throw new Error('not yet')
    })
    const body = newBody()
    await endpoint.send(body)
    await DB.prepare(`UPDATE corrupt SET completed_handlers = 'no list', lease_until = 0`).run()
    expect(await endpoint.send(body)).toMatchObject({ httpStatus: 503, status: 'unavailable' })
    await DB.prepare(`UPDATE corrupt SET completed_handlers = '[]', released_attempts = 'x', state = 'released'`).run()
    expect(await endpoint.send(body)).toMatchObject({ httpStatus: 503, status: 'unavailable' })
    expect(calls).toBe(1)
    expect(endpoint.reported).toEqual(['handler_failed', 'store_unavailable', 'store_corrupt'])
  })

  test('rolls back a completion that fails halfway, responds with 200 and writes it again', async () => {
    const table = 'half_way'
    let failures = 1
    const batch: D1DatabaseBinding['batch'] = (statements) => {
      // Only a completion has two statements. A third, invalid statement makes its batch fail after them.
      const isBroken = statements.length === 2 && failures-- > 0
      const broken = isBroken ? [DB.prepare(`SELECT json('no JSON')`)] : []
      return DB.batch([...(statements as D1PreparedStatement[]), ...broken])
    }
    const database: D1DatabaseBinding = { prepare: (query) => DB.prepare(query), batch }
    const endpoint = createEndpoint(d1Store({ database, table }))
    let calls = 0
    endpoint.receiver.on('qr.scanned', () => void calls++)
    const body = newBody()
    const response = await endpoint.send(body)
    expect(response).toMatchObject({ httpStatus: 200, status: 'processed' })
    const states = () => DB.prepare(`SELECT state FROM ${table}`).raw()
    expect(await states()).toEqual([['processing']])
    await response.settled()
    expect(await states()).toEqual([['done']])
    expect((await endpoint.send(body)).status).toBe('duplicate')
    expect(calls).toBe(1)
  })

  test('refuses values that are not a database, and table names that need quotes', () => {
    expect(() => d1Store({ database: env.KV as never })).toThrow(/D1 binding.*explain option_invalid/)
    expect(() => d1Store({ database: undefined as never })).toThrow(/explain option_invalid/)
    expect(() => d1Store({ database: DB, table: 'a; DROP TABLE b' })).toThrow(/explain option_invalid/)
    expect(() => d1Store({ database: DB, namespace: null as never })).toThrow(/explain option_invalid/)
  })
})
