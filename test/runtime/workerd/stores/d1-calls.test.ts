/** The calls of the D1 store when the connection fails or many operations start together. The database itself is real. */
import { createExecutionContext, createMessageBatch, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { toQueueHandler } from '../../../../src/inboxes/cloudflare-queue/cloudflare-queue-inbox.js'
import { toJob } from '../../../../src/inboxes/inbox.js'
import { createReceiver } from '../../../../src/index.js'
import { type D1DatabaseBinding, d1Store } from '../../../../src/stores/cloudflare/d1-store.js'
import { signDelivery } from '../../../../src/testing/index.js'
import { createEffects } from './effects.js'
import { createEndpoint, newBody } from './endpoint.js'

const { DB } = env
const HOUR_MS = 60 * 60 * 1000
const SECRET = 'a secret of these tests'

interface Calls {
  readonly database: D1DatabaseBinding
  /** The number of statements of each call. */
  readonly sizes: number[]
}

/** Wraps the real database. `fail` returns an error before the call (`lost: false`) or after it, as if its response were lost. */
function wrap(
  fail: (call: number) => { readonly error: Error; readonly isLate?: boolean } | undefined = () => undefined,
): Calls {
  const sizes: number[] = []
  const batch: D1DatabaseBinding['batch'] = async (statements) => {
    const failure = fail(sizes.push(statements.length))
    if (failure && !failure.isLate) throw failure.error
    const results = await DB.batch(statements as D1PreparedStatement[])
    if (failure) throw failure.error
    return results
  }
  return { database: { prepare: (query) => DB.prepare(query), batch }, sizes }
}

const lost = () => new Error('D1_ERROR: Network connection lost.')
const newNamespace = () => crypto.randomUUID()
const claimOf = (key: string, token = key) => ({
  ...{ key: key.padEnd(64, '0'), token, retainUntil: Date.now() + HOUR_MS, leaseMs: 55_000, attemptGapMs: 30_000 },
})

describe('a connection that is lost', () => {
  test.each([false, true])('once in each operation wastes no attempt (response lost: %s)', async (isLate) => {
    await d1Store({ database: DB }).claim(claimOf(crypto.randomUUID()))
    // Every other call fails, beginning with the claim.
    const { database } = wrap((call) => (call % 2 === 1 ? { error: lost(), isLate } : undefined))
    const endpoint = createEndpoint(d1Store({ database, namespace: newNamespace() }))
    let calls = 0
    endpoint.receiver.on('qr.scanned', () => void calls++)
    const body = newBody()
    expect(await endpoint.send(body)).toMatchObject({ httpStatus: 200, status: 'processed' })
    expect((await endpoint.send(body)).status).toBe('duplicate')
    expect(calls).toBe(1)
    expect(endpoint.reported).toEqual([])
  })

  test('on the first call to a database without tables wastes no attempt', async () => {
    const { database, sizes } = wrap((call) => (call === 1 ? { error: lost() } : undefined))
    const endpoint = createEndpoint(d1Store({ database, table: 'lost_at_first' }))
    endpoint.receiver.on('qr.scanned', () => {})
    expect((await endpoint.send(newBody())).status).toBe('processed')
    expect(sizes).toEqual([1, 1, 4, 2])
  })

  test('twice gets a 503, and the next attempt is processed', async () => {
    const { database, sizes } = wrap((call) => (call <= 2 ? { error: lost() } : undefined))
    const endpoint = createEndpoint(d1Store({ database, namespace: newNamespace() }))
    endpoint.receiver.on('qr.scanned', () => {})
    const body = newBody()
    expect((await endpoint.send(body)).httpStatus).toBe(503)
    expect(sizes).toHaveLength(2)
    expect((await endpoint.send(body)).status).toBe('processed')
    expect(endpoint.reported).toEqual(['store_unavailable'])
  })

  test('in the quarantine is repeated', async () => {
    const { database } = wrap((call) => (call === 1 ? { error: lost(), isLate: true } : undefined))
    const { quarantine } = d1Store({ database, namespace: newNamespace() })
    const entry = { key: 'a', code: 'stale', eventType: undefined, rawBody: new Uint8Array(3), headers: {} }
    await quarantine({ ...entry, error: undefined, receivedAt: 1, attempt: undefined })
    expect(await quarantine.count?.()).toBe(1)
  })

  test('in a transaction is not repeated, because the effect may have been committed', async () => {
    const effects = createEffects(DB)
    const effect = crypto.randomUUID()
    const insert = await effects.statement(effect)
    // The second call is the transaction: it commits, and its response is lost.
    const { database } = wrap((call) => (call === 2 ? { error: lost(), isLate: true } : undefined))
    const endpoint = createEndpoint(d1Store({ database, namespace: newNamespace() }))
    endpoint.receiver.on('qr.scanned', async (_, { transaction }) => void (await transaction((tx) => tx.add(insert))))
    const body = newBody()
    expect((await endpoint.send(body)).httpStatus).toBe(500)
    expect((await endpoint.send(body)).status).toBe('processed')
    expect(await effects.count(effect)).toBe(1)
  })
})

test('an overloaded database gets no second call, and the report says so', async () => {
  const error = new Error('D1_ERROR: D1 DB is overloaded. Too many requests queued.')
  const { database, sizes } = wrap(() => ({ error }))
  const endpoint = createEndpoint(d1Store({ database, namespace: newNamespace() }))
  endpoint.receiver.on('qr.scanned', () => {})
  expect((await endpoint.send(newBody())).httpStatus).toBe(503)
  expect(sizes).toHaveLength(1)
  expect(endpoint.reported).toEqual(['overloaded'])
})

describe('operations that start together', () => {
  test('share one call, each has its own result, and a key is claimed in order', async () => {
    const { database, sizes } = wrap()
    const store = d1Store({ database, namespace: newNamespace() })
    const results = await Promise.all([
      store.claim(claimOf('a', 'first')),
      store.claim(claimOf('b')),
      store.claim(claimOf('a', 'second')),
      store.renew({ key: 'c'.padEnd(64, '0'), token: 'c', leaseMs: 55_000 }),
    ])
    expect(results).toMatchObject([{ status: 'claimed' }, { status: 'claimed' }, { status: 'busy' }, false])
    expect(sizes).toEqual([4])
  })

  test('get their own errors: one faulty operation fails alone', async () => {
    const { database } = wrap()
    const store = d1Store({ database, namespace: newNamespace() })
    const results = await Promise.allSettled([
      store.claim(claimOf('a')),
      store.claim({ ...claimOf('b'), leaseMs: null as never }),
      store.claim(claimOf('c')),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  test('are split into calls of at most 50 operations', async () => {
    const { database, sizes } = wrap()
    const store = d1Store({ database, namespace: newNamespace() })
    const claims = Array.from({ length: 120 }, (_, index) => store.claim(claimOf(String(index + 100))))
    expect((await Promise.all(claims)).every(({ status }) => status === 'claimed')).toBe(true)
    expect(sizes).toEqual([50, 50, 20])
  })

  test('all fail if their connection is lost twice, after two calls', async () => {
    const { database, sizes } = wrap(() => ({ error: lost() }))
    const store = d1Store({ database, namespace: newNamespace() })
    const results = await Promise.allSettled([store.claim(claimOf('a')), store.claim(claimOf('b'))])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(sizes).toHaveLength(2)
  })
})

test('a queue’s batch of 10 deliveries needs three calls and 31 statements', async () => {
  const { database, sizes } = wrap()
  const store = d1Store({ database, namespace: newNamespace() })
  let handled = 0
  const receiver = createReceiver({ secret: SECRET, store }).on('qr.scanned', () => void handled++)
  const messages = await Promise.all(
    Array.from({ length: 10 }, async (_, index) => {
      const { rawBody, headers } = await signDelivery(newBody(), { secret: SECRET })
      const body = toJob({ key: '', rawBody, headers, receivedAt: Date.now() })
      return { id: String(index), timestamp: new Date(), attempts: 1, body }
    }),
  )
  const ctx = createExecutionContext()
  await toQueueHandler(receiver)(createMessageBatch('deliveries', messages), {}, ctx)
  await waitOnExecutionContext(ctx)
  expect(handled).toBe(10)
  // The claims; the completions with one statement that deletes expired records; and the removal from the quarantine.
  expect(sizes).toEqual([10, 11, 10])
})
