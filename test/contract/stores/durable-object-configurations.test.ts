/** `durableObjectStore` with old and wrong configurations of a Worker, in workerd, and outside of workerd. */
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createTestHarness } from 'wrangler'
import { toHandler } from '../../../src/adapters/cloudflare.js'
import { createReceiver } from '../../../src/index.js'
import {
  durableObjectStore,
  type IdempotencyNamespace,
  IdempotencyObject,
} from '../../../src/stores/cloudflare/durable-object-store.js'
import { createEvent, signDelivery } from '../../../src/testing/index.js'

const SECRET = 'your_webhook_secret'
const signed = () => signDelivery(createEvent('qr.scanned'), { secret: SECRET })

/** Sends one delivery twice to a Worker with a configuration, and returns the statuses and the reports. */
async function sendTwice(configuration: string) {
  const configPath = fileURLToPath(new URL(`../../runtime/workerd/objects/${configuration}.jsonc`, import.meta.url))
  const server = createTestHarness({ workers: [{ configPath, secrets: { GOVALID_WEBHOOK_SECRET: SECRET } }] })
  try {
    await server.listen()
    const { rawBody, headers } = await signed()
    const send = async () =>
      (await (await server.fetch('/', { method: 'POST', headers, body: rawBody })).json()) as {
        status: string
        reported: string[]
      }
    const first = await send()
    const second = await send()
    return { statuses: [first.status, second.status], reported: second.reported }
  } finally {
    await server.close()
  }
}

test('works with a compatibility date before the platform had RPC', async () => {
  expect(await sendTwice('old-date')).toEqual({ statuses: ['processed', 'duplicate'], reported: [] })
})

test.each([
  ['a class without SQLite', 'without-sqlite', 'new_sqlite_classes'],
  ['another class', 'other-class', 'Bind the class IdempotencyObject'],
])('names the fix if the binding leads to %s', async (_, configuration, fix) => {
  const { statuses, reported } = await sendTwice(configuration)
  expect(statuses).toEqual(['unavailable', 'unavailable'])
  for (const text of reported) expect(text).toContain(fix)
  expect(reported[0]).toContain('explain store_unsuitable')
})

/** Runs the objects in this process, on SQLite in memory. */
function localObjects(): IdempotencyNamespace {
  const objects = new Map<string, IdempotencyObject>()
  const create = () => {
    const database = new DatabaseSync(':memory:')
    const exec = (sql: string, ...values: unknown[]) => {
      const rows = database.prepare(sql).all(...(values as SQLInputValue[]))
      return { toArray: () => rows }
    }
    return new IdempotencyObject({ storage: { sql: { exec }, getAlarm: async () => null, setAlarm: async () => {} } })
  }
  return {
    idFromName: (name) => ({ name }),
    get: (id) => ({
      async fetch(url, request) {
        const { name } = id as { name: string }
        const object = objects.get(name) ?? create()
        objects.set(name, object)
        return object.fetch(new Request(url, request))
      },
    }),
  }
}

test('runs in a test outside of workerd', async () => {
  const handle = toHandler((env: { secret: string; IDEMPOTENCY: IdempotencyNamespace }) =>
    createReceiver({ secret: env.secret, store: durableObjectStore({ namespace: env.IDEMPOTENCY }) }).on('*', () => {}),
  )
  const env = { secret: SECRET, IDEMPOTENCY: localObjects() }
  const delivery = await signed()
  const send = async () => (await handle(delivery.request('https://example.com/'), env, { waitUntil: () => {} })).json()
  expect([await send(), await send()]).toEqual([{ status: 'processed' }, { status: 'duplicate' }])
})
