/** The types of the Redis store: the clients that fit, and no transaction for handlers. */
import type { Cluster, Redis } from 'ioredis'
import type { createClient, createCluster, createSentinel } from 'redis'
import { test } from 'vitest'
import { createReceiver } from '../../src/index.js'
import { redisStore } from '../../src/stores/redis/redis-store.js'

test('accepts clients, clusters and sentinels of both libraries', () => {
  redisStore({ client: {} as ReturnType<typeof createClient> })
  redisStore({ client: {} as ReturnType<typeof createCluster> })
  redisStore({ client: {} as ReturnType<typeof createSentinel> })
  redisStore({ client: {} as Redis })
  redisStore({ client: {} as Cluster })
})

test('refuses an address as the client', () => {
  // @ts-expect-error: the application creates the client
  redisStore({ client: 'redis://127.0.0.1:6379' })
})

test('a handler has no transaction', () => {
  createReceiver({ secret: 'a secret', store: redisStore({ client: {} as Redis }) }).on('*', (_, context) => {
    // @ts-expect-error: Redis can't commit a handler's writes to another database together with its own
    return context.transaction
  })
})
