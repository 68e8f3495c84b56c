/** The conformance suite on redisStore: both libraries, against a real Redis. */
import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, describe, test } from 'vitest'
import { redisStore } from '../../../src/stores/redis.js'
import type { RedisClient } from '../../../src/stores/redis-client.js'
import { testStore } from '../../../src/testing/index.js'
import { describeWithService } from '../../support/services.js'

interface Opened {
  readonly client: RedisClient
  close(): void
}

const LIBRARIES: Readonly<Record<string, (url: string) => Promise<Opened>>> = {
  async 'node-redis'(url) {
    const client = createClient({ url })
    await client.connect()
    return { client, close: () => client.destroy() }
  },
  async ioredis(url) {
    const client = new Redis(url, { maxRetriesPerRequest: 0 })
    return { client, close: () => client.disconnect() }
  },
}

/** Takes ARGV[2] milliseconds off every time of the records that match ARGV[1]. */
const ADVANCE = `
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
  if redis.call('TYPE', key).ok == 'hash' and redis.call('HEXISTS', key, 'leaseUntil') == 1 then
    local latest = 0
    for _, field in ipairs({ 'countedAt', 'leaseUntil', 'retainUntil' }) do
      latest = math.max(latest, redis.call('HINCRBY', key, field, -ARGV[2]))
    end
    redis.call('PEXPIREAT', key, string.format('%.0f', latest))
  end
end`

const REMOVE = `for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end`

for (const [library, open] of Object.entries(LIBRARIES)) {
  describeWithService('redis', library, (url) => {
    const home = `test-${randomBytes(6).toString('hex')}`
    const opened = new Map<unknown, Opened>()
    const bystander = new Redis(url)
    afterAll(async () => {
      await bystander.eval(REMOVE, 0, `govalid:*${home}*`)
      bystander.disconnect()
    })

    testStore(
      { describe, test },
      {
        name: `redisStore with ${library}`,
        async open({ namespace }) {
          const connection = await open(url)
          const store = redisStore({ client: connection.client, namespace: `${home}-${namespace}` })
          opened.set(store, connection)
          return store
        },
        close(store) {
          opened.get(store)?.close()
          opened.delete(store)
        },
        async advance(ms) {
          await bystander.eval(ADVANCE, 0, `govalid:${home}-*`, String(ms))
        },
        quarantine: true,
      },
    )
  })
}
