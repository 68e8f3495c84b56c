/** A Worker's work after its response, and handlers that end with their request, in workerd with one request per call. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createTestHarness } from 'wrangler'
import { signDelivery } from '../../src/testing/index.js'

const SECRET = 'your_webhook_secret'
const configPath = fileURLToPath(new URL('../runtime/workerd/requests/wrangler.jsonc', import.meta.url))
const server = createTestHarness({ workers: [{ configPath, secrets: { GOVALID_WEBHOOK_SECRET: SECRET } }] })
let minute = 0

interface Database {
  prepare(sql: string): { all(): Promise<{ results: Record<string, unknown>[] }> }
}

const rows = async (sql: string) => {
  const { DB } = await server.getWorker<{ DB: Database }>().getEnv()
  return (await DB.prepare(sql).all()).results
}

async function send(id: string, path = '/webhooks/govalid') {
  const timestamp = new Date(Date.UTC(2025, 0, 29, 13, minute++)).toISOString()
  const payload = { event: 'qr.created', timestamp, webhook_id: 'wh-001', data: { id } }
  const { rawBody, headers } = await signDelivery(payload, { secret: SECRET })
  const response = await server.fetch(path, { method: 'POST', headers, body: rawBody })
  return { http: response.status, ...((await response.json()) as { status: string }) }
}

beforeAll(async () => {
  await server.listen()
  await rows('CREATE TABLE recorded (name TEXT)')
})
afterAll(() => server.close())

test('a newestOnly handler that never settled and whose request has ended does not block its object', async () => {
  await (await server.fetch('/hang')).text()
  expect(await send('qr-1')).toEqual({ http: 200, status: 'processed' })
  expect(await send('qr-1')).toEqual({ http: 200, status: 'processed' })
})

test('hooks that return a promise finish after the response', async () => {
  expect(await send('qr-2', '/slow-hooks')).toEqual({ http: 500, status: 'failed' })
  await vi.waitFor(
    async () =>
      expect(await rows('SELECT name FROM recorded ORDER BY name')).toEqual([
        { name: 'onError' },
        { name: 'onOutcome' },
      ]),
    { timeout: 10_000, interval: 100 },
  )
})

test('200 concurrent deliveries in separate requests are all processed', async () => {
  const deliveries = Array.from({ length: 200 }, (_, index) => send(`burst-${index}`))
  expect((await Promise.all(deliveries)).filter(({ http }) => http !== 200)).toEqual([])
})
