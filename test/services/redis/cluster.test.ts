/** redisStore on a Redis Cluster, which refuses a script with keys in several slots. */
import { Cluster } from 'ioredis'
import { createCluster } from 'redis'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type RedisClient, redisStore } from '../../../src/stores/redis/redis-store.js'
import { describeWithOwnRedis, type RedisServer, startRedisServer } from '../../support/redis-server.js'

describeWithOwnRedis('redisStore on a cluster', () => {
  let server: RedisServer
  let bystander: Cluster
  beforeAll(async () => {
    server = await startRedisServer('--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1')
    bystander = new Cluster([server.url], { lazyConnect: true })
    await server.command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
    await vi.waitUntil(async () => String(await server.command('CLUSTER', 'INFO')).includes('cluster_state:ok'), 10_000)
    await bystander.connect()
  })
  afterAll(async () => {
    bystander.disconnect()
    await server.remove()
  })

  const clusters: Readonly<Record<string, () => Promise<{ client: RedisClient; close(): void }>>> = {
    async 'node-redis'() {
      const client = createCluster({ rootNodes: [{ url: server.url }] }).on('error', () => {})
      await client.connect()
      return { client, close: () => client.destroy() }
    },
    async ioredis() {
      const client = new Cluster([server.url])
      return { client, close: () => client.disconnect() }
    },
  }

  test.each(Object.entries(clusters))(
    'spreads deliveries over slots and keeps the quarantine in one slot: %s',
    async (name, open) => {
      const { client, close } = await open()
      const store = redisStore({ client, namespace: name })
      const keys = Array.from({ length: 20 }, (_, index) => index.toString(16).padStart(64, '0'))
      for (const key of keys) {
        const claim = { key, token: 'a', leaseMs: 10_000, retainUntil: Date.now() + 60_000, attemptGapMs: 1000 }
        expect((await store.claim(claim)).status).toBe('claimed')
        expect((await store.claim({ ...claim, token: 'b' })).status).toBe('busy')
        expect(await store.renew(claim)).toBe(true)
        expect(await store.complete(claim)).toBe(true)
        expect(await store.claim(claim)).toEqual({ status: 'done' })
        const entry = {
          ...{ key, code: 'stale', eventType: 'a', headers: {}, error: undefined },
          attempt: 1,
          receivedAt: 1,
        }
        await store.quarantine({ ...entry, rawBody: Uint8Array.of(1) })
      }
      const slots = await Promise.all(keys.map((key) => bystander.cluster('KEYSLOT', `govalid:${name}:{${key}}`)))
      expect(new Set(slots).size).toBeGreaterThan(15)
      expect((await store.quarantine.list()).map(({ key }) => key)).toEqual(keys)
      await store.quarantine.discard(keys[0] as string)
      expect(await store.quarantine.get(keys[0] as string)).toBeUndefined()
      close()
    },
  )
})
