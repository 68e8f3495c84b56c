/** Which clients fit the Redis store, and that a handler over it has no transaction. */
import type { Cluster, Redis } from 'ioredis'
import type { createClient, createCluster, createSentinel } from 'redis'
import { test } from 'vitest'
import { createReceiver } from '../../src/index.js'
import { redisStore } from '../../src/stores/redis/redis-store.js'

test('clients, clusters and sentinels of both libraries fit', () => {
  redisStore({ client: {} as ReturnType<typeof createClient> })
  redisStore({ client: {} as ReturnType<typeof createCluster> })
  redisStore({ client: {} as ReturnType<typeof createSentinel> })
  redisStore({ client: {} as Redis })
  redisStore({ client: {} as Cluster })
})

test('an address is no client', () => {
  // @ts-expect-error: the client is made by whoever owns it
  redisStore({ client: 'redis://127.0.0.1:6379' })
})

test('a handler has no transaction', () => {
  createReceiver({ secret: 'a secret', store: redisStore({ client: {} as Redis }) }).on('*', (_, context) => {
    // @ts-expect-error: Redis cannot commit a handler's writes elsewhere together with its own
    return context.transaction
  })
})
