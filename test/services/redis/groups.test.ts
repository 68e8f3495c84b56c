/** redisStore under load: operations that wait share a call, wait as long as their callers, and keep their own results. */
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { redisStore } from '../../../src/stores/redis/redis-store.js'
import { rejection } from '../../support/caught.js'
import { LIBRARIES, type TestClient } from '../../support/redis.js'
import { describeWithOwnRedis, type RedisServer, startRedisServer } from '../../support/redis-server.js'

const DAY = 24 * 60 * 60 * 1000
let made = 0
function newClaim(waitMs = 4000) {
  const key = (++made).toString(16).padStart(64, '0')
  return { key, token: `token-${made}`, leaseMs: 55_000, retainUntil: Date.now() + DAY, attemptGapMs: 1000, waitMs }
}

describeWithOwnRedis('redisStore under load', () => {
  let server: RedisServer
  let bystander: Redis
  const opened: TestClient[] = []
  beforeAll(async () => {
    server = await startRedisServer()
    bystander = new Redis(server.url)
  })
  afterAll(async () => {
    bystander.disconnect()
    await server.remove()
  })
  afterEach(() => {
    server.thaw()
    for (const { close } of opened.splice(0)) close()
  })
  /** Opens a store that has loaded its scripts. */
  async function openStore(library: (url: string) => TestClient, namespace = `load-${++made}`) {
    const client = library(server.url)
    opened.push(client)
    const store = redisStore({ client: client.client, namespace })
    await store.claim(newClaim())
    return store
  }
  /** Freezes the server while it has two calls of the store, so that every further operation waits. */
  async function freezeUnder(store: Awaited<ReturnType<typeof openStore>>) {
    server.freeze()
    const sent = [newClaim(), newClaim()]
    const results: Promise<unknown>[] = []
    for (const claim of sent) {
      results.push(Promise.resolve(store.claim(claim)))
      await new Promise((resolve) => setImmediate(resolve))
    }
    return { sent, results }
  }
  const countCalls = async () =>
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(await bystander.info('commandstats'))?.[1] ?? 0)

  for (const [name, library] of Object.entries(LIBRARIES)) {
    test(`shares calls among the operations of concurrent deliveries: ${name}`, async () => {
      const store = await openStore(library)
      await bystander.config('RESETSTAT')
      const claims = Array.from({ length: 1000 }, () => newClaim())
      await Promise.all(
        claims.map(async (claim) => {
          expect((await store.claim(claim)).status).toBe('claimed')
          expect(await store.complete(claim)).toBe(true)
        }),
      )
      expect(await countCalls()).toBeLessThanOrEqual(16)
    })

    test(`under load, all operations of a turn share one call: ${name}`, async () => {
      const store = await openStore(library)
      const claimAtOnce = () => Promise.all(Array.from({ length: 10 }, async () => store.claim(newClaim())))
      await claimAtOnce()
      await bystander.config('RESETSTAT')
      await claimAtOnce()
      expect(await countCalls()).toBe(1)
    })

    test(`fails only the operation whose record is corrupt: ${name}`, async () => {
      const store = await openStore(library, `corrupt-${name}`)
      const claims = [newClaim(), newClaim(), newClaim()]
      await bystander.hset(`govalid:corrupt-${name}:{${claims[1]?.key}}`, 'field', 'value')
      const results = await Promise.allSettled(claims.map((claim) => store.claim(claim)))
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect(String((results[1] as PromiseRejectedResult).reason)).toContain('WRONGTYPE')
    })

    test(`sends renewals, completions and releases before waiting claims: ${name}`, async () => {
      const store = await openStore(library)
      const held = [newClaim(), newClaim(), newClaim()] as const
      for (const claim of held) await store.claim(claim)
      await freezeUnder(store)
      const order: string[] = []
      const record = (what: string) => () => void order.push(what)
      const claims = Array.from({ length: 300 }, () => Promise.resolve(store.claim(newClaim())).then(record('claim')))
      const urgent = [
        store.renew(held[0]),
        store.complete(held[1]),
        store.release({ ...held[2], completedHandlers: [], counted: true }),
      ]
      expect(store.waiting?.()).toBe(303)
      const ended = urgent.map((result) => Promise.resolve(result).then(record('urgent')))
      server.thaw()
      await Promise.all([...claims, ...ended])
      expect(order.slice(0, 3)).toEqual(['urgent', 'urgent', 'urgent'])
      expect(store.waiting?.()).toBe(0)
    })

    test(`rejects what has waited too long with overloaded, and never sends it: ${name}`, async () => {
      const store = await openStore(library)
      const keys = await server.countKeys()
      const { results } = await freezeUnder(store)
      const late = [newClaim(200), newClaim(200), newClaim(200)].map((claim) =>
        rejection(Promise.resolve(store.claim(claim))),
      )
      const [error] = await Promise.all(late)
      expect(error).toMatchObject({ code: 'overloaded' })
      expect(String(error)).toMatch(/overloaded: [1-3] operations waiting/)
      const silent = await rejection(Promise.resolve(store.claim(newClaim(1500))))
      expect(silent).toMatchObject({ code: 'store_unavailable' })
      expect(String(silent)).toMatch(/Redis has not responded for \d+ ms/)
      server.thaw()
      await Promise.all(results)
      expect(await store.claim(newClaim())).toMatchObject({ status: 'claimed' })
      expect(await server.countKeys()).toBe(keys + 3)
    })

    test(`continues after another client's script or a lack of replicas kept Redis from writing: ${name}`, async () => {
      const store = await openStore(library)
      await bystander.config('SET', 'min-replicas-to-write', 1)
      const waiting = store.claim(newClaim())
      const refused = async () => /errorstat_NOREPLICAS:count=[1-9]/.test(await bystander.info('errorstats'))
      while (!(await refused())) await new Promise((resolve) => setTimeout(resolve, 20))
      await bystander.config('SET', 'min-replicas-to-write', 0)
      expect(await waiting).toMatchObject({ status: 'claimed' })

      await bystander.config('SET', 'busy-reply-threshold', 20)
      const busy = new Redis(server.url)
      const loop = rejection(busy.eval('while true do end', 0))
      const isBusy = () =>
        bystander.ping().then(
          () => false,
          () => true,
        )
      while (!(await isBusy())) await new Promise((resolve) => setTimeout(resolve, 20))
      const blocked = store.claim(newClaim())
      // The claim is sent, refused, and waits again.
      for (const count of [0, 1]) {
        while (store.waiting?.() !== count) await new Promise((resolve) => setImmediate(resolve))
      }
      await bystander.script('KILL')
      expect(await blocked).toMatchObject({ status: 'claimed' })
      await loop
      busy.disconnect()
    })
  }
})

describeWithOwnRedis('redisStore with a client of one node of a cluster', () => {
  test.each(Object.entries(LIBRARIES))('claims keys of several slots at once: %s', async (_, library) => {
    const server = await startRedisServer('--cluster-enabled', 'yes')
    await server.command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
    const { client, close } = library(server.url)
    const store = redisStore({ client })
    const claims = Array.from({ length: 50 }, () => newClaim())
    await store.claim(newClaim())
    const results = await Promise.all(claims.map((claim) => store.claim(claim)))
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['claimed']))
    expect(await Promise.all(claims.map((claim) => store.complete(claim)))).not.toContain(false)
    close()
    await server.remove()
  })
})
