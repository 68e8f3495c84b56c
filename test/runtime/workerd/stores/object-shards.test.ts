/** How deliveries are spread over objects, how alarms delete expired records, and how invalid options are refused. */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import {
  durableObjectStore,
  type IdempotencyNamespace,
} from '../../../../src/stores/cloudflare/durable-object-store.js'
import type { QuarantineEntry } from '../../../../src/stores/store.js'

const { IDEMPOTENCY } = env
const HOUR_MS = 60 * 60 * 1000
const MEBIBYTE = 1024 * 1024

const keyFrom = (start: string) => start.padEnd(64, '0')
const claim = (key: string, retainUntil = Date.now() + HOUR_MS, leaseMs = 55_000) => ({
  ...{ key, token: 'token', retainUntil, leaseMs, attemptGapMs: 30_000 },
})

function entry(key: string, rawBody = new Uint8Array(1)): QuarantineEntry {
  const unknown = { eventType: undefined, error: undefined, attempt: undefined }
  return { key, code: 'not_json', rawBody, headers: {}, receivedAt: 1, ...unknown }
}

/** Wraps the real objects and records the names of the called ones. */
function recordNames(): { readonly namespace: IdempotencyNamespace; readonly names: Set<string> } {
  const names = new Set<string>()
  const idFromName = (name: string) => IDEMPOTENCY.idFromName(names.add(name) && name)
  return { namespace: { idFromName, get: (id) => IDEMPOTENCY.get(id as DurableObjectId) }, names }
}

describe('a durableObjectStore', () => {
  test.each([1, 16] as const)('uses %d objects for keys with every first digit', async (shards) => {
    const { namespace, names } = recordNames()
    const store = durableObjectStore({ namespace, shards, name: crypto.randomUUID() })
    for (let index = 0; index < 32; index++) {
      const key = keyFrom((index * 8).toString(16).padStart(2, '0'))
      expect((await store.claim(claim(key))).status).toBe('claimed')
    }
    expect(names.size).toBe(shards)
  })

  test.each([1, 16] as const)('lists the quarantine of %d objects in the order of the keys', async (shards) => {
    const { quarantine } = durableObjectStore({ namespace: IDEMPOTENCY, shards, name: crypto.randomUUID() })
    const keys = ['00', '01', '0f', '10', '7a', '7b', 'fe', 'ff'].map(keyFrom)
    for (const key of [...keys].reverse()) await quarantine(entry(key))
    const listed = async (page?: { limit?: number; after?: string }) =>
      (await quarantine.list(page)).map(({ key }) => key)
    expect(await listed()).toEqual(keys)
    expect(await listed({ limit: 3 })).toEqual(keys.slice(0, 3))
    expect(await listed({ limit: 4, after: keys[2]! })).toEqual(keys.slice(3, 7))
    expect(await listed({ after: keys[6]! })).toEqual(keys.slice(7))
  })

  test('lists a page that is larger than one call may carry', async () => {
    const { quarantine } = durableObjectStore({ namespace: IDEMPOTENCY, shards: 1, name: crypto.randomUUID() })
    const bodies = Array.from({ length: 40 }, (_, index) => new Uint8Array(MEBIBYTE).fill(index))
    for (const [index, body] of bodies.entries()) await quarantine(entry(keyFrom(String(index + 10)), body))
    const listed = await quarantine.list()
    expect(listed.map(({ rawBody }) => [rawBody.length, rawBody[0]])).toEqual(
      bodies.map((_, index) => [MEBIBYTE, index]),
    )
  })
})

describe('an alarm', () => {
  const open = () => {
    const name = crypto.randomUUID()
    const object = IDEMPOTENCY.getByName(`${name}/1/`)
    const alarmAt = () => runInDurableObject(object, (_, { storage }) => storage.getAlarm())
    const query = 'SELECT key FROM deliveries ORDER BY key'
    const keys = () => runInDurableObject(object, (_, { storage }) => [...storage.sql.exec(query).raw()].flat())
    return { store: durableObjectStore({ namespace: IDEMPOTENCY, shards: 1, name }), object, alarmAt, keys }
  }

  test('is set by the first claim, and deletes expired records but no live claim', async () => {
    const { store, object, alarmAt, keys } = open()
    const past = Date.now() - HOUR_MS
    await store.claim(claim(keyFrom('a'), past, 0))
    expect(await alarmAt()).toBeGreaterThan(Date.now())
    await store.claim(claim(keyFrom('b'), past))
    await store.claim(claim(keyFrom('c'), Date.now() + 5 * HOUR_MS))
    expect(await runDurableObjectAlarm(object)).toBe(true)
    expect(await keys()).toEqual([keyFrom('b'), keyFrom('c')])
    expect(await alarmAt()).toBeGreaterThan(Date.now())
  })

  test('waits for the earliest retention, and is not set again without records', async () => {
    const { store, object, alarmAt, keys } = open()
    const retainUntil = Date.now() + 5 * HOUR_MS
    await store.claim(claim(keyFrom('a'), retainUntil))
    await runDurableObjectAlarm(object)
    expect(await alarmAt()).toBe(retainUntil)
    await runInDurableObject(
      object,
      (_, { storage }) => void storage.sql.exec('UPDATE deliveries SET retain_until = 1, lease_until = 1'),
    )
    await runDurableObjectAlarm(object)
    expect(await keys()).toEqual([])
    expect(await alarmAt()).toBe(null)
    await store.claim(claim(keyFrom('b')))
    expect(await alarmAt()).toBeGreaterThan(Date.now())
  })

  test('runs again soon while more than one batch is left', async () => {
    const { store, object, alarmAt } = open()
    const past = Date.now() - HOUR_MS
    await Promise.all(
      Array.from({ length: 1001 }, async (_, index) => store.claim(claim(keyFrom(`f${index}e`), past, 0))),
    )
    await runDurableObjectAlarm(object)
    expect(await alarmAt()).toBeLessThan(Date.now() + 2000)
    await runDurableObjectAlarm(object)
    expect(await alarmAt()).toBe(null)
  })
})

test('a binding of another kind and other numbers of shards are refused', () => {
  expect(() => durableObjectStore({ namespace: env.DB as never })).toThrow(
    /Durable Object binding.*explain option_invalid/,
  )
  expect(() => durableObjectStore({ namespace: undefined as never })).toThrow(/explain option_invalid/)
  expect(() => durableObjectStore({ namespace: IDEMPOTENCY, shards: 2 as never })).toThrow(/1 or 16; it is 2/)
})
