/** redisStore and its client: refused clients, waiting for a connection, the commands that are sent, and eviction. */
import { createRequire } from 'node:module'
import { Redis, type RedisOptions } from 'ioredis'
import { createClient, RESP_TYPES } from 'redis'
import { createClient as createClient4, createCluster as createCluster4 } from 'redis4'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createReceiver, type ErrorReport } from '../../../src/index.js'
import { type RedisClient, redisStore } from '../../../src/stores/redis/redis-store.js'
import { signDelivery } from '../../../src/testing/index.js'
import { caught, rejection } from '../../support/caught.js'
import { LIBRARIES, type TestClient } from '../../support/redis.js'
import { describeWithOwnRedis, type RedisServer, startRedisServer } from '../../support/redis-server.js'

type Create = new (...options: object[]) => unknown
/** Version 4 has no types. */
const Redis4: Create & { readonly Cluster: Create } = createRequire(import.meta.url)('ioredis4')

let made = 0
function newClaim() {
  const key = (++made).toString(16).padStart(64, '0')
  return { key, token: `token-${made}`, leaseMs: 10_000, retainUntil: Date.now() + 60_000, attemptGapMs: 1000 }
}

const FIRST = { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] }

describe('redisStore refuses', () => {
  test.each([undefined, null, 'redis://127.0.0.1', {}, { evalsha() {} }])('%j as a client', (client) => {
    expect(caught(() => redisStore({ client: client as never }))).toMatchObject({ code: 'option_invalid' })
  })

  test.each([
    ['redis', () => createClient4()],
    ['redis', () => createCluster4({ rootNodes: [] })],
    ['ioredis', () => new Redis4({ lazyConnect: true })],
    ['ioredis', () => new Redis4.Cluster([], { lazyConnect: true })],
  ])('a client of version 4 of %s, and says how to update it', (library, create) => {
    const error = caught(() => redisStore({ client: create() as never }))
    expect(error).toMatchObject({ code: 'option_invalid' })
    expect(String(error)).toContain(`npm install ${library}@latest`)
  })

  test('a namespace with braces, which would select the slot of a cluster', () => {
    const client = new Redis({ lazyConnect: true, maxRetriesPerRequest: 0 })
    expect(caught(() => redisStore({ client, namespace: '{a}' }))).toMatchObject({ code: 'option_invalid' })
  })

  test('an ioredis client that leads to a replica', () => {
    const replica = { sentinels: [{ host: 'a' }], name: 'm', role: 'slave' as const }
    const client = new Redis({ ...replica, lazyConnect: true, maxRetriesPerRequest: 0 })
    const error = caught(() => redisStore({ client }))
    expect(error).toMatchObject({ code: 'store_unsuitable' })
    expect(String(error)).toContain("Remove role: 'slave'")
  })

  test('an ioredis client that resends commands, and says how to create a suitable one', () => {
    for (const options of [
      {},
      { maxRetriesPerRequest: null },
      { maxRetriesPerRequest: 3, enableOfflineQueue: false },
      // With these settings ioredis doesn't resend, but the calls of a lost connection never end.
      { enableOfflineQueue: false, autoResendUnfulfilledCommands: false },
    ]) {
      const client = new Redis({ lazyConnect: true, ...options })
      const error = caught(() => redisStore({ client }))
      expect(error).toMatchObject({ code: 'store_unsuitable' })
      expect(String(error)).toContain('maxRetriesPerRequest: 0')
    }
    redisStore({ client: new Redis({ lazyConnect: true, maxRetriesPerRequest: 0 }) })
  })
})

describeWithOwnRedis('redisStore on its own Redis', () => {
  let server: RedisServer
  const opened: TestClient[] = []
  beforeAll(async () => {
    server = await startRedisServer()
  })
  afterAll(() => server.remove())
  afterEach(() => {
    for (const { close } of opened.splice(0)) close()
  })
  const open = (library: (url: string) => TestClient, url = server.url): RedisClient => {
    const client = library(url)
    opened.push(client)
    return client.client
  }
  const openIoredis = (options: Omit<RedisOptions, 'replyMapping'>, url = server.url) => {
    const client = new Redis(url, options).on('error', () => {})
    opened.push({ client, close: () => client.disconnect() })
    return client
  }

  describe('without the driver', () => {
    test('ioredis resends a command that was in flight when Redis died, so its defaults are refused', async () => {
      const client = openIoredis({ retryStrategy: () => 20 })
      await client.ping()
      server.freeze()
      const response = client.set('resent', 'value')
      await new Promise((resolve) => setTimeout(resolve, 100))
      await server.kill()
      await server.start()
      await response
      expect(await server.countKeys()).toBe(1)
    })

    test('node-redis sends a queued command after it reconnects, so the driver never queues one', async () => {
      const client = createClient({ url: server.url, socket: { reconnectStrategy: 20 } }).on('error', () => {})
      await client.connect()
      await server.kill()
      await vi.waitUntil(() => !client.isReady)
      const response = client.set('resent', 'value')
      await server.start()
      await response
      expect(await server.countKeys()).toBe(1)
      client.destroy()
    })
  })

  test.each(Object.entries(LIBRARIES))('waits for a client that is still connecting: %s', async (_, library) => {
    expect(await redisStore({ client: open(library) }).claim(newClaim())).toEqual(FIRST)
  })

  test('connects a lazy ioredis client', async () => {
    const client = openIoredis({ lazyConnect: true, maxRetriesPerRequest: 0 })
    expect(await redisStore({ client }).claim(newClaim())).toEqual(FIRST)
  })

  test('rejects at once if a client was never connected or was closed', async () => {
    const never = createClient({ url: server.url })
    const closed = openIoredis({ maxRetriesPerRequest: 0 })
    await closed.quit()
    for (const client of [never, closed]) {
      const error = await rejection(Promise.resolve(redisStore({ client }).claim(newClaim())))
      expect(error).toMatchObject({ code: 'store_unavailable' })
      expect(String(error)).toContain('client.connect()')
    }
  })

  test.each(Object.entries(LIBRARIES))('continues after Redis loses its cached scripts: %s', async (_, library) => {
    const store = redisStore({ client: open(library) })
    const claim = newClaim()
    await store.claim(claim)
    await openIoredis({}).script('FLUSH')
    expect(await store.claim(claim)).toEqual(FIRST)
  })

  test.each(Object.entries(LIBRARIES))('sends one command per operation: %s', async (_, library) => {
    const store = redisStore({ client: open(library) })
    const runAll = async () => {
      const claim = newClaim()
      await store.claim(claim)
      await store.renew(claim)
      await store.release({ ...claim, completedHandlers: [], counted: true })
      await store.claim(claim)
      await store.complete(claim)
    }
    await runAll()
    const bystander = openIoredis({})
    await bystander.config('RESETSTAT')
    for (let round = 0; round < 10; round++) await runAll()
    const calls = commandCalls(await bystander.info('commandstats'))
    expect([calls['evalsha'], calls['eval'] ?? 0]).toEqual([50, 0])
  })

  test('reads the replies of a client that returns buffers or numbers as strings', async () => {
    const typeMapping = { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.NUMBER]: String }
    const buffers = createClient({ url: server.url, commandOptions: { typeMapping } })
    await buffers.connect()
    for (const client of [buffers, openIoredis({ maxRetriesPerRequest: 0, stringNumbers: true })]) {
      const store = redisStore({ client })
      const claim = newClaim()
      expect(await store.claim(claim)).toEqual(FIRST)
      expect(await store.claim({ ...claim, token: 'another' })).toEqual({
        ...{ status: 'busy', attempt: 1, until: expect.any(Number) },
      })
      await store.release({ ...claim, completedHandlers: ['count', 'mail'], counted: true })
      expect(await store.claim(claim)).toEqual({
        ...FIRST,
        attempt: 2,
        releasedAttempts: 1,
        completedHandlers: ['count', 'mail'],
      })
    }
    buffers.destroy()
  })

  test('uses the key prefix of an ioredis client', async () => {
    const client = openIoredis({ maxRetriesPerRequest: 0, keyPrefix: 'shop:' })
    const claim = newClaim()
    await redisStore({ client }).claim(claim)
    expect(await openIoredis({}).exists(`shop:govalid:default:{${claim.key}}`)).toBe(1)
  })

  test('needs only the commands and keys listed in docs/stores/redis.md', async () => {
    const commands = 'EVALSHA EVAL TIME GET SET ZADD ZREM ZRANGEBYLEX HSET HGET HDEL'.split(' ')
    const user = ['SETUSER', 'least', 'on', '>pass', '~govalid:*', '-@all', ...commands.map((command) => `+${command}`)]
    await openIoredis({}).call('ACL', ...user)
    const url = server.url.replace('redis://', 'redis://least:pass@')
    const client = openIoredis({ maxRetriesPerRequest: 0, enableReadyCheck: false, disableClientInfo: true }, url)
    const store = redisStore({ client })
    const claim = newClaim()
    expect(await store.claim(claim)).toEqual(FIRST)
    expect(await store.renew(claim)).toBe(true)
    expect(await store.release({ ...claim, completedHandlers: [], counted: true })).toBe(true)
    await store.claim(claim)
    expect(await store.complete(claim)).toBe(true)
    const entry = { ...{ key: claim.key, code: 'stale', eventType: 'a', headers: {}, error: undefined, attempt: 1 } }
    await store.quarantine({ ...entry, rawBody: Uint8Array.of(1), receivedAt: 1 })
    expect(await store.quarantine.get(claim.key)).toMatchObject(entry)
    expect(await store.quarantine.list()).toHaveLength(1)
    await store.quarantine.discard(claim.key)
    expect(await store.quarantine.list()).toEqual([])
  })

  test('lets Redis delete a record after its retention, but not during its lease', async () => {
    const bystander = openIoredis({})
    const store = redisStore({ client: openIoredis({ maxRetriesPerRequest: 0 }) })
    const claim = newClaim()
    const name = `govalid:default:{${claim.key}}`
    await store.claim(claim)
    expect(await bystander.pexpiretime(name)).toBe(claim.retainUntil)
    await store.complete({ ...claim, retainUntil: claim.retainUntil - 50_000 })
    expect(await bystander.pexpiretime(name)).toBe(claim.retainUntil)
    for (const retainUntil of [Date.now() - 1000.5, 0, -1]) {
      const past = { ...newClaim(), retainUntil }
      await store.claim(past)
      expect(await bystander.pttl(`govalid:default:{${past.key}}`)).toBeGreaterThan(9000)
      expect(await store.release({ ...past, completedHandlers: [], counted: true })).toBe(true)
      expect(await bystander.exists(`govalid:default:{${past.key}}`)).toBe(0)
    }
  })

  describe('eviction', () => {
    const setPolicy = (policy: string) => openIoredis({}).config('SET', 'maxmemory-policy', policy)
    afterEach(() => setPolicy('noeviction'))

    test.each(Object.entries(LIBRARIES))(
      'is returned once, with the first claim, if Redis may evict records: %s',
      async (_, library) => {
        for (const policy of ['allkeys-lru', 'volatile-lru', 'volatile-ttl']) {
          await setPolicy(policy)
          const store = redisStore({ client: open(library) })
          expect(await store.claim(newClaim())).toEqual({ ...FIRST, evictedEarly: true })
          expect(await store.claim(newClaim())).toEqual(FIRST)
        }
      },
    )

    test('is reported to onError once', async () => {
      await setPolicy('allkeys-lfu')
      const codes: string[] = []
      const store = redisStore({ client: openIoredis({ maxRetriesPerRequest: 0 }) })
      const onError = ({ code }: ErrorReport) => codes.push(code)
      const receiver = createReceiver({ secret: 'a secret', store, onError }).on('*', () => {})
      const payload = () => ({ event: 'qr.created', timestamp: new Date().toISOString(), data: { number: ++made } })
      for (let delivery = 0; delivery < 3; delivery++) {
        const signed = await signDelivery(payload(), { secret: 'a secret' })
        expect((await receiver.receive(signed.delivery)).status).toBe('processed')
      }
      expect(codes).toEqual(['store_evicting'])
    })

    test('is not returned if Redis evicts nothing or refuses to tell its policy', async () => {
      expect(await redisStore({ client: openIoredis({ maxRetriesPerRequest: 0 }) }).claim(newClaim())).toEqual(FIRST)
      await setPolicy('allkeys-lru')
      await openIoredis({}).call('ACL', 'SETUSER', 'shop', 'on', '>pass', '~*', '+@all', '-info')
      const url = server.url.replace('redis://', 'redis://shop:pass@')
      const limited = openIoredis({ maxRetriesPerRequest: 0, enableReadyCheck: false }, url)
      expect(await redisStore({ client: limited }).claim(newClaim())).toEqual(FIRST)
    })
  })
})

/** Returns how many times each command was called. */
function commandCalls(stats: string): Readonly<Record<string, number>> {
  const lines = stats.matchAll(/cmdstat_(\w+):calls=(\d+)/g)
  return Object.fromEntries([...lines].map(([, command, calls]) => [command, Number(calls)]))
}
