/** Opens clients of both Redis libraries and gives a test file its own namespace. */
import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll } from 'vitest'
import type { RedisClient } from '../../src/stores/redis/redis-store.js'

/** A client of either library that is connecting. */
export interface TestClient {
  readonly client: RedisClient
  /** Closes the client immediately. */
  close(): void
}

/** Opens a client with each library, configured as the docs recommend. Error events are ignored, because the tests check results. */
export const LIBRARIES: Readonly<Record<string, (url: string) => TestClient>> = {
  'node-redis': (url) => {
    const client = createClient({ url, socket: { reconnectStrategy: 20 } }).on('error', () => {})
    client.connect().catch(() => {})
    return { client, close: () => client.destroy() }
  },
  ioredis: (url) => {
    const client = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => 20 }).on('error', () => {})
    return { client, close: () => client.disconnect() }
  },
}

/** A script that subtracts ARGV[2] milliseconds from every time in the records that match ARGV[1]. */
export const MAKE_LATER = `
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
  local text = redis.call('TYPE', key).ok == 'string' and redis.call('GET', key) or ''
  local head, times, rest = string.match(text, '^(%l+ %d+ %d+ )([%d ]+)(\\n.*)$')
  if head then
    local moved = {}
    for time in string.gmatch(times, '%d+') do moved[#moved + 1] = math.max(0, tonumber(time) - ARGV[2]) end
    local lease, retention = moved[2], moved[3]
    -- A finished record may still contain the end of its lease.
    local expiry = math.max(1, retention, string.find(head, '^done') and 1 or lease)
    local later = string.format('%.0f %.0f %.0f', unpack(moved))
    redis.call('SET', key, head .. later .. rest, 'PXAT', string.format('%.0f', expiry))
  end
end`

/** A script that removes every key that matches ARGV[1]. */
export const REMOVE = `for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end`

/** The clients and the namespace that the tests of one file share. */
export interface RedisScene {
  /** A client for the test itself; no store uses it. */
  readonly bystander: Redis
  /** The prefix of every namespace of the file. */
  readonly home: string
  /** Opens a client that is closed after the tests of the file. */
  open(library: (url: string) => TestClient, url?: string): TestClient
  /** The state of the record at a key, or `undefined` if it doesn't exist. */
  stateOf(key: string): Promise<string | undefined>
  /** Ages every record of the file by `ms` milliseconds. */
  makeLater(ms: number): Promise<void>
}

/** Makes the scene. Call it where tests are registered. */
export function redisScene(url: string): RedisScene {
  const home = `test-${randomBytes(6).toString('hex')}`
  const bystander = new Redis(url, { lazyConnect: true })
  const clients: TestClient[] = []
  afterAll(async () => {
    // The keys are removed first, so that none is left in Redis if closing a client fails.
    await bystander.eval(REMOVE, 0, `govalid:*${home}*`)
    bystander.disconnect()
    for (const client of clients) client.close()
  })
  return {
    bystander,
    home,
    open(library, at = url) {
      const client = library(at)
      clients.push(client)
      return client
    },
    stateOf: async (key) => (await bystander.get(key))?.split(' ')[0],
    async makeLater(ms) {
      await bystander.eval(MAKE_LATER, 0, `govalid:${home}*`, String(ms))
    },
  }
}
