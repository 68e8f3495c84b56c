/** The inbox on Cloudflare Queues: a Worker in workerd with its queue, its consumer, its bucket and its database, called over HTTP. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createTestHarness } from 'wrangler'
import { cloudflareQueueInbox, toQueueHandler } from '../../../src/inboxes/cloudflare-queue/cloudflare-queue-inbox.js'
import { signDelivery } from '../../../src/testing/index.js'

const SECRET = 'your_webhook_secret'
const configPath = fileURLToPath(new URL('../../runtime/workerd/queue/wrangler.jsonc', import.meta.url))

/** The bindings, as far as they are used here. */
interface Bindings {
  readonly DELIVERIES: { send(message: unknown): Promise<unknown> }
  readonly LATER: { send(message: unknown): Promise<unknown> }
  readonly BODIES: { list(): Promise<{ objects: unknown[] }>; put(name: string, value: Uint8Array): Promise<unknown> }
  readonly DB: { prepare(sql: string): { all(): Promise<{ results: Record<string, unknown>[] }> } }
}

const server = createTestHarness({ workers: [{ configPath, secrets: { GOVALID_WEBHOOK_SECRET: SECRET } }] })
const bindings = () => server.getWorker<Bindings>().getEnv()
const rows = async (sql: string) => (await (await bindings()).DB.prepare(sql).all()).results
const soon = <T>(look: () => Promise<T>) => vi.waitFor(look, { timeout: 25_000, interval: 100 })

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

  test('answers accepted, and the consumer works the delivery once, also when it was sent twice', async () => {
    const delivery = await sign('once')
    expect(await send(delivery)).toEqual({ http: 200, status: 'accepted' })
    expect(await send(delivery)).toEqual({ http: 200, status: 'accepted' })
    await soon(async () => expect(await countEffects('once')).toBe(1))
    // Its second message is no second effect.
    expect(await send(await sign('after it'))).toEqual({ http: 200, status: 'accepted' })
    await soon(async () => expect(await countEffects('after it')).toBe(1))
    expect(await countEffects('once')).toBe(1)
  })

  test('takes a body that no message can hold through the bucket, byte for byte, and leaves nothing there', async () => {
    const delivery = await sign('large', '\u00e9'.repeat(200_000))
    expect(await send(delivery)).toEqual({ http: 200, status: 'accepted' })
    expect(await send(delivery)).toEqual({ http: 200, status: 'accepted' })
    await soon(async () => expect(await countEffects('large')).toBe(1))
    expect(await rows(`SELECT bytes FROM attempts WHERE id = 'large'`)).toEqual([{ bytes: delivery.body.byteLength }])
    await soon(async () => expect((await (await bindings()).BODIES.list()).objects).toEqual([]))
    expect(await kept()).toEqual([])
  })

  test('takes headers of any size beside the largest body of a message', async () => {
    const delivery = await sign('headers', 'x'.repeat(79_800))
    const headers = { ...delivery.headers, 'x-large': '\u00e9'.repeat(15_000) }
    expect(await send({ ...delivery, headers })).toEqual({ http: 200, status: 'accepted' })
    await soon(async () => expect(await countEffects('headers')).toBe(1))
  })

  test('tries a failing handler again, and sets the delivery aside after the last try', async () => {
    expect(await send(await sign('flaky'))).toMatchObject({ status: 'accepted' })
    expect(await send(await sign('poison'))).toMatchObject({ status: 'accepted' })
    await soon(async () =>
      expect(await kept()).toMatchObject([{ code: 'attempts_exhausted', eventType: 'qr.created' }]),
    )
    await soon(async () => expect(await countEffects('flaky')).toBe(1))
    expect(await countAttempts('flaky')).toBe(2)
    expect(await countAttempts('poison')).toBe(3)
    expect(await rows('SELECT * FROM dead')).toEqual([])
  })

  test('186: a handler that fails twenty times: set aside after the twentieth, long after its 200', async () => {
    await rows('DELETE FROM govalid_deliveries_quarantine')
    expect(await send(await sign('poison of twenty'), '/patient')).toEqual({ http: 200, status: 'accepted' })
    await soon(async () => expect(await kept()).toMatchObject([{ code: 'attempts_exhausted', attempt: 20 }]))
    expect(await countAttempts('poison of twenty')).toBe(20)
    expect(await rows('SELECT * FROM dead')).toEqual([])
  })

  test('never runs a message that somebody else wrote, and leaves the objects of others alone', async () => {
    await rows('DELETE FROM govalid_deliveries_quarantine')
    const { DELIVERIES, BODIES } = await bindings()
    const headers = { 'x-govalid-signature': `sha256=${'0'.repeat(64)}` }
    const body = Buffer.from('{"event":"qr.created","data":{"id":"forged"}}').toString('base64')
    const job = { format: 1, key: 'f'.repeat(64), headers, receivedAt: Date.now() }
    await BODIES.put('of another', new TextEncoder().encode('{}'))
    await DELIVERIES.send({ ...job, body })
    await DELIVERIES.send({ ...job, object: 'of another' })
    await DELIVERIES.send({ something: 'else' })
    await DELIVERIES.send('text')
    await soon(async () => expect((await kept()).map(({ code }) => code)).toContain('job_forged'))
    await soon(async () => expect(await kept()).toHaveLength(4))
    expect(await countAttempts('forged')).toBe(0)
    expect((await BODIES.list()).objects).toMatchObject([{ key: 'of another' }])
  })

  test('leaves to the dead letter queue what found no store on any try', async () => {
    await rows(`INSERT INTO outages VALUES ('now')`)
    expect(await send(await sign('stranded'))).toMatchObject({ status: 'accepted' })
    await soon(async () => expect(await rows('SELECT * FROM dead')).toHaveLength(1))
    await rows('DELETE FROM outages')
    expect(await countAttempts('stranded')).toBe(0)
  })

  test('refuses a forged request before anything is queued', async () => {
    const headers = { 'x-govalid-signature': `sha256=${'0'.repeat(64)}` }
    expect(await send({ ...(await sign('refused')), headers })).toEqual({ http: 401, status: 'refused' })
  })

  test('tells what waits, as far as the platform does, and never that nothing is left', async () => {
    const status = async () => (await (await server.fetch('/status')).json()) as Record<string, unknown>
    await soon(async () => expect(await status()).toMatchObject({ waiting: 0 }))
    expect((await status())['accepted']).toBeGreaterThan(0)
    expect(await status()).not.toHaveProperty('drained')
    expect(await status()).not.toHaveProperty('oldestWaitingMs')
    const { LATER } = await bindings()
    await LATER.send({ something: 'else' })
    const held = (await (await server.fetch('/status-of-later')).json()) as Record<string, unknown>
    expect(held).toMatchObject({ waiting: 1, drained: false })
    expect(held['oldestWaitingMs']).toBeGreaterThanOrEqual(0)
    expect(held['oldestWaitingMs']).toBeLessThan(60_000)
  })

  test('demands a maxBodyBytes that fits into a message where there is no bucket', async () => {
    const { refused } = (await (await server.fetch('/without-bucket')).json()) as { refused: string }
    expect(refused).toMatch(/maxBodyBytes must be at most 80000.*option_invalid/)
  })
})

test.each([
  ['without a queue', () => cloudflareQueueInbox({ queue: {} as never })],
  ['with a bucket that is none', () => cloudflareQueueInbox({ queue: { send: async () => {} }, bucket: {} as never })],
  ['with no tries', () => toQueueHandler({ process: async () => ({ status: 'duplicate' }) as never }, { attempts: 0 })],
])('refuses to be made %s', (_, make) => {
  expect(make).toThrow(/option_invalid/)
})
