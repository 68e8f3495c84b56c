/** `cloudflareQueueInbox` in workerd: a Worker with its queue, consumer, bucket and database, called over HTTP. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createTestHarness } from 'wrangler'
import { cloudflareQueueInbox, toQueueHandler } from '../../../src/inboxes/cloudflare-queue/cloudflare-queue-inbox.js'
import { signDelivery } from '../../../src/testing/index.js'

const SECRET = 'your_webhook_secret'
const configPath = fileURLToPath(new URL('../../runtime/workerd/queue/wrangler.jsonc', import.meta.url))

/** The bindings that these tests use. */
interface Bindings {
  readonly DELIVERIES: { send(message: unknown): Promise<unknown> }
  readonly LATER: { send(message: unknown): Promise<unknown> }
  readonly BODIES: { list(): Promise<{ objects: unknown[] }>; put(name: string, value: Uint8Array): Promise<unknown> }
  readonly DB: { prepare(sql: string): { all(): Promise<{ results: Record<string, unknown>[] }> } }
}

const server = createTestHarness({ workers: [{ configPath, secrets: { GOVALID_WEBHOOK_SECRET: SECRET } }] })
const bindings = () => server.getWorker<Bindings>().getEnv()
const rows = async (sql: string) => (await (await bindings()).DB.prepare(sql).all()).results
const eventually = <T>(check: () => Promise<T>) => vi.waitFor(check, { timeout: 25_000, interval: 100 })

async function sign(id: string, filler = '') {
  const payload = {
    event: 'qr.created',
    timestamp: new Date().toISOString(),
    webhook_id: 'wh-001',
    data: { id, filler },
  }
  const { rawBody, headers } = await signDelivery(payload, { secret: SECRET })
  return { method: 'POST', headers, body: rawBody }
}

async function send(delivery: Awaited<ReturnType<typeof sign>>, path = '/webhooks/govalid') {
  const response = await server.fetch(path, delivery)
  return { http: response.status, ...((await response.json()) as { status: string }) }
}

const countEffects = async (id: string) => (await rows(`SELECT 1 FROM effects WHERE id = '${id}'`)).length
const countAttempts = async (id: string) => (await rows(`SELECT 1 FROM attempts WHERE id = '${id}'`)).length
const kept = async () =>
  (await rows('SELECT key, about FROM govalid_deliveries_quarantine')).map(({ about }) => JSON.parse(String(about)))

describe('cloudflareQueueInbox in workerd', () => {
  beforeAll(async () => {
    await server.listen()
    for (const table of [
      'effects (id TEXT)',
      'attempts (id TEXT, bytes INTEGER)',
      'dead (body TEXT)',
      'outages (id TEXT)',
    ]) {
      await rows(`CREATE TABLE ${table}`)
    }
  })
  afterAll(() => server.close())

  test('accepts a delivery, and the consumer handles it once even if it was sent twice', async () => {
    const delivery = await sign('once')
    expect(await send(delivery)).toEqual({ http: 200, status: 'accepted' })
    expect(await send(delivery)).toEqual({ http: 200, status: 'accepted' })
    await eventually(async () => expect(await countEffects('once')).toBe(1))
    // The second message of the delivery has no second effect.
    expect(await send(await sign('after it'))).toEqual({ http: 200, status: 'accepted' })
    await eventually(async () => expect(await countEffects('after it')).toBe(1))
    expect(await countEffects('once')).toBe(1)
  })

  test('sends a body that is too large for a message through the bucket, byte for byte, and removes it afterwards', async () => {
    const delivery = await sign('large', '\u00e9'.repeat(200_000))
    expect(await send(delivery)).toEqual({ http: 200, status: 'accepted' })
    expect(await send(delivery)).toEqual({ http: 200, status: 'accepted' })
    await eventually(async () => expect(await countEffects('large')).toBe(1))
    expect(await rows(`SELECT bytes FROM attempts WHERE id = 'large'`)).toEqual([{ bytes: delivery.body.byteLength }])
    await eventually(async () => expect((await (await bindings()).BODIES.list()).objects).toEqual([]))
    expect(await kept()).toEqual([])
  })

  test('accepts headers of any size with the largest body of a message', async () => {
    const delivery = await sign('headers', 'x'.repeat(79_800))
    const headers = { ...delivery.headers, 'x-large': '\u00e9'.repeat(15_000) }
    expect(await send({ ...delivery, headers })).toEqual({ http: 200, status: 'accepted' })
    await eventually(async () => expect(await countEffects('headers')).toBe(1))
  })

  test('retries a failing handler and quarantines the delivery after the last attempt', async () => {
    expect(await send(await sign('flaky'))).toMatchObject({ status: 'accepted' })
    expect(await send(await sign('poison'))).toMatchObject({ status: 'accepted' })
    await eventually(async () =>
      expect(await kept()).toMatchObject([{ code: 'attempts_exhausted', eventType: 'qr.created' }]),
    )
    await eventually(async () => expect(await countEffects('flaky')).toBe(1))
    expect(await countAttempts('flaky')).toBe(2)
    expect(await countAttempts('poison')).toBe(3)
    expect(await rows('SELECT * FROM dead')).toEqual([])
  })

  test('quarantines a delivery after its twentieth failed attempt, long after the 200 (acceptance case 186)', async () => {
    await rows('DELETE FROM govalid_deliveries_quarantine')
    expect(await send(await sign('poison of twenty'), '/patient')).toEqual({ http: 200, status: 'accepted' })
    await eventually(async () => expect(await kept()).toMatchObject([{ code: 'attempts_exhausted', attempt: 20 }]))
    expect(await countAttempts('poison of twenty')).toBe(20)
    expect(await rows('SELECT * FROM dead')).toEqual([])
  })

  test('never handles a forged message, and never deletes the object of another delivery', async () => {
    await rows('DELETE FROM govalid_deliveries_quarantine')
    const { DELIVERIES, BODIES } = await bindings()
    const headers = { 'x-govalid-signature': `sha256=${'0'.repeat(64)}` }
    const body = Buffer.from('{"event":"qr.created","data":{"id":"forged"}}').toString('base64')
    const job = { format: 1, key: 'f'.repeat(64), headers, receivedAt: Date.now() }
    await BODIES.put('of another', new TextEncoder().encode('{}'))
    await DELIVERIES.send({ ...job, body })
    await DELIVERIES.send({ ...job, object: 'of another' })
    await eventually(async () => expect((await kept()).map(({ code }) => code)).toEqual(['job_forged', 'job_forged']))
    expect(await countAttempts('forged')).toBe(0)
    expect((await BODIES.list()).objects).toMatchObject([{ key: 'of another' }])
  })

  test('never acknowledges a message that other code has sent', async () => {
    await rows('DELETE FROM govalid_deliveries_quarantine')
    const { DELIVERIES } = await bindings()
    await DELIVERIES.send({ something: 'else' })
    await DELIVERIES.send('text')
    expect(await send(await sign('after the foreign messages'))).toMatchObject({ status: 'accepted' })
    await eventually(async () => expect(await countEffects('after the foreign messages')).toBe(1))
    expect(await kept()).toEqual([])
  })

  test('leaves a delivery to the dead letter queue if the store was unavailable on every attempt', async () => {
    await rows(`INSERT INTO outages VALUES ('now')`)
    expect(await send(await sign('stranded'))).toMatchObject({ status: 'accepted' })
    await eventually(async () => expect(await rows('SELECT * FROM dead')).toHaveLength(1))
    await rows('DELETE FROM outages')
    expect(await countAttempts('stranded')).toBe(0)
  })

  test('refuses a forged request before it queues anything', async () => {
    const headers = { 'x-govalid-signature': `sha256=${'0'.repeat(64)}` }
    expect(await send({ ...(await sign('refused')), headers })).toEqual({ http: 401, status: 'refused' })
  })

  test('reports the waiting messages that the platform reports, and never that the inbox is drained', async () => {
    const status = async () => (await (await server.fetch('/status')).json()) as Record<string, unknown>
    await eventually(async () => expect(await status()).toMatchObject({ waiting: 0 }))
    expect((await status())['accepted']).toBeGreaterThan(0)
    expect(await status()).not.toHaveProperty('drained')
    expect(await status()).not.toHaveProperty('oldestWaitingMs')
    const { LATER } = await bindings()
    await LATER.send({ something: 'else' })
    const later = (await (await server.fetch('/status-of-later')).json()) as Record<string, unknown>
    expect(later).toMatchObject({ waiting: 1, drained: false })
    expect(later['oldestWaitingMs']).toBeGreaterThanOrEqual(0)
    expect(later['oldestWaitingMs']).toBeLessThan(60_000)
  })

  test('requires a maxBodyBytes that fits into a message if it has no bucket', async () => {
    const { refused } = (await (await server.fetch('/without-bucket')).json()) as { refused: string }
    expect(refused).toMatch(/maxBodyBytes must be at most 80000.*option_invalid/)
  })
})

const RECEIVER = { process: async () => ({ status: 'duplicate' }) as never }

/** The methods of Workers KV. */
function kvNamespace() {
  return { get() {}, getWithMetadata() {}, put() {}, delete() {}, list() {} }
}

test.each([
  ['a missing queue', () => cloudflareQueueInbox({ queue: {} as never })],
  [
    'a binding that is not a bucket',
    () => cloudflareQueueInbox({ queue: { send: async () => {} }, bucket: {} as never }),
  ],
  [
    'a KV namespace as a bucket',
    () => cloudflareQueueInbox({ queue: { send: async () => {} }, bucket: kvNamespace() as never }),
  ],
  [
    'a bucket instead of a function that returns it',
    () => toQueueHandler(RECEIVER, { bucket: kvNamespace() as never }),
  ],
  ['an onError that is no function', () => toQueueHandler(RECEIVER, { onError: console as never })],
  ['a receiver that is none', () => toQueueHandler({} as never)],
  ['0 attempts', () => toQueueHandler(RECEIVER, { attempts: 0 })],
])('the Cloudflare Queues inbox refuses %s', (_, create) => {
  expect(create).toThrow(/option_invalid/)
})
