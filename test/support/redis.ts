/** The two Redis libraries behind one word, and records of a namespace of the test file's own. */
import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll } from 'vitest'
import type { RedisClient } from '../../src/stores/redis/redis-store.js'

/** A client of either library, told to connect. */
export interface TestClient {
  readonly client: RedisClient
  /** Ends it at once. */
  close(): void
}

/** Opens a client with each library, the way its user is told to. Errors are the user's to log; here they are looked at elsewhere. */
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

/** Takes ARGV[2] milliseconds off every time of the records that match ARGV[1]. */
export const MAKE_LATER = `
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
  local text = redis.call('TYPE', key).ok == 'string' and redis.call('GET', key) or ''
  local head, times, rest = string.match(text, '^(%l+ %d+ %d+ )([%d ]+)(\\n.*)$')
  if head then
    local latest, later = 1, {}
    for time in string.gmatch(times, '%d+') do
      local moved = math.max(0, tonumber(time) - ARGV[2])
      latest = math.max(latest, moved)
      later[#later + 1] = string.format('%.0f', moved)
    end
    redis.call('SET', key, head .. table.concat(later, ' ') .. rest, 'PXAT', string.format('%.0f', latest))
  end
end`

export const REMOVE = `for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end`

/** What the tests of one file share. */
export interface RedisScene {
  /** A client that no store uses. */
  readonly bystander: Redis
  /** The first part of every namespace of the file. */
  readonly home: string
  /** Opens a client that is closed after the tests of the file. */
  open(library: (url: string) => TestClient, url?: string): TestClient
  /** The state of the record at a key; `undefined` when there is none. */
  stateOf(key: string): Promise<string | undefined>
  /** Lets every record of the file be that much older. */
  makeLater(ms: number): Promise<void>
}

/** Makes the scene; to be called where tests are registered. */
export function redisScene(url: string): RedisScene {
  const home = `test-${randomBytes(6).toString('hex')}`
  const bystander = new Redis(url, { lazyConnect: true })
  const clients: TestClient[] = []
  afterAll(async () => {
    // First, so that nothing is left in Redis whatever becomes of the clients.
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
