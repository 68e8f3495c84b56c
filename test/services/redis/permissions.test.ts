/** redisStore on a server that it can't use: each error names what Redis reports and the fix. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type RedisClient, redisStore } from '../../../src/stores/redis/redis-store.js'
import { rejection } from '../../support/caught.js'
import { LIBRARIES, type TestClient } from '../../support/redis.js'
import { describeWithOwnRedis, type RedisServer, startRedisServer } from '../../support/redis-server.js'

let made = 0
function newClaim() {
  const key = (++made).toString(16).padStart(64, '0')
  return { key, token: 't', leaseMs: 10_000, retainUntil: Date.now() + 60_000, attemptGapMs: 1, waitMs: 3000 }
}

describeWithOwnRedis('redisStore on a server that it can’t use', () => {
  let server: RedisServer
  const opened: TestClient[] = []
  beforeAll(async () => {
    server = await startRedisServer()
  })
  afterAll(() => server.remove())
  afterEach(() => {
    for (const { close } of opened.splice(0)) close()
  })
  const failureOf = async (client: RedisClient) => rejection(Promise.resolve(redisStore({ client }).claim(newClaim())))
  const open = (library: (url: string) => TestClient, url: string): RedisClient => {
    const client = library(url)
    opened.push(client)
    return client.client
  }

  describe.each(Object.entries(LIBRARIES))('with %s', (_, library) => {
    test.each([
      ['a command', ['~govalid:*', '+@all', '-set'], /can't run this command|NOPERM/],
      ['scripts', ['~govalid:*', '+@all', '-evalsha'], /NOPERM/],
      ['the keys', ['~shop:*', '+@all'], /NOPERM/],
    ])('names the fix if its user may not use %s', async (what, rules, reported) => {
      const user = what.replace(' ', '-')
      await server.command('ACL', 'SETUSER', user, 'on', '>pass', ...rules)
      const error = await failureOf(open(library, server.url.replace('redis://', `redis://${user}:pass@`)))
      expect(error).toMatchObject({ code: 'store_unsuitable' })
      expect(String(error)).toMatch(reported)
      expect(String(error)).toContain('Grant the user of the client')
    })

    test('names the fix if the password is missing', async () => {
      const locked = await startRedisServer()
      await locked.command('CONFIG', 'SET', 'requirepass', 'pass')
      const error = await failureOf(open(library, locked.url))
      expect(error).toMatchObject({ code: 'store_unsuitable' })
      expect(String(error)).toContain("Give the client the server's username and password")
      await locked.remove()
    })

    test('names the fix if the server is out of memory', async () => {
      await server.command('CONFIG', 'SET', 'maxmemory', '1')
      const error = await failureOf(open(library, server.url))
      await server.command('CONFIG', 'SET', 'maxmemory', '0')
      expect(error).toMatchObject({ code: 'store_unsuitable' })
      expect(String(error)).toContain('Raise maxmemory')
    })
  })
})
