/** redisStore while another server takes over: a demoted, stopped, loading or vanished server, without a restart of the process. */
import { createClientPool } from 'redis'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Clock, systemClock } from '../../../src/clock.js'
import { createReceiver, type ErrorReport } from '../../../src/index.js'
import { type RedisClient, redisStore } from '../../../src/stores/redis/redis-store.js'
import { signDelivery } from '../../../src/testing/index.js'
import { LIBRARIES, type TestClient } from '../../support/redis.js'
import { describeWithOwnRedis, type RedisServer, startRedisServer } from '../../support/redis-server.js'
import { createTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js'

const SECRET = 'your_webhook_secret'

let made = 0
async function signedEvent() {
  const payload = { event: 'qr.created', timestamp: new Date().toISOString(), data: { number: made++ } }
  return (await signDelivery(payload, { secret: SECRET })).delivery
}

function startReceiver(client: RedisClient, clock?: Clock) {
  const reports: ErrorReport[] = []
  const attempts: number[] = []
  const onError = (report: ErrorReport) => reports.push(report)
  const store = redisStore({ client, clock })
  const receiver = createReceiver({ secret: SECRET, store, onError }).on('qr.created', (_, { attempt }) => {
    attempts.push(attempt)
  })
  return { receiver, store, attempts, codes: () => reports.map(({ code }) => code) }
}

function timeout(ms: number): Promise<false> {
  return new Promise((resolve) => setTimeout(resolve, ms, false))
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 20))
}

describeWithOwnRedis('redisStore in a failover', () => {
  let before: RedisServer
  let after: RedisServer
  let address: TcpProxy
  const opened: TestClient[] = []
  beforeEach(async () => {
    // By default, a replica's copy starts after 5 s.
    before = await startRedisServer('--repl-diskless-sync-delay', '0')
    after = await startRedisServer()
    address = await createTcpProxy(before.url)
  })
  afterEach(async () => {
    for (const { close } of opened.splice(0)) close()
    await address.close()
    await Promise.all([before.remove(), after.remove()])
  })
  const portOf = ({ url }: RedisServer) => new URL(url).port
  const followsBefore = async () => {
    await after.command('REPLICAOF', '127.0.0.1', portOf(before))
    await until(async () => String(await after.command('INFO', 'replication')).includes('master_link_status:up'))
  }
  const demote = async () => {
    await after.command('REPLICAOF', 'NO', 'ONE')
    await before.command('REPLICAOF', '127.0.0.1', portOf(after))
  }
  const open = (library: (url: string) => TestClient): RedisClient => {
    const client = library(address.url)
    opened.push(client)
    return client.client
  }
  const libraries: typeof LIBRARIES = {
    ...LIBRARIES,
    'a pool of node-redis': (url) => {
      const client = createClientPool({ url, socket: { reconnectStrategy: 20 } }, { minimum: 2 }).on('error', () => {})
      client.connect().catch(() => {})
      return { client, close: () => client.destroy() }
    },
  }

  describe.each(Object.entries(libraries))('with %s', (_, library) => {
    test('processes the first delivery after the server was demoted, and knows the earlier ones', async () => {
      await followsBefore()
      const { receiver, attempts, codes } = startReceiver(open(library))
      const early = await signedEvent()
      expect((await receiver.receive(early)).status).toBe('processed')
      await until(async () => (await after.countKeys()) === 1)
      await demote()
      address.pointTo(after.url)
      expect(await receiver.receive(await signedEvent())).toMatchObject({ status: 'processed', attempt: 1 })
      expect((await receiver.receive(early)).status).toBe('duplicate')
      expect([attempts, codes()]).toEqual([[1, 1], []])
      expect(await after.countKeys()).toBe(2)
    })

    test('waits in a delivery until its address leads to the new server', async () => {
      await followsBefore()
      const { receiver, attempts, codes } = startReceiver(open(library))
      expect((await receiver.receive(await signedEvent())).status).toBe('processed')
      await demote()
      const received = receiver.receive(await signedEvent())
      await until(
        async () =>
          Number(/errorstat_READONLY:count=(\d+)/.exec(String(await before.command('INFO', 'errorstats')))?.[1]) > 1,
      )
      address.pointTo(after.url)
      expect(await received).toMatchObject({ status: 'processed', attempt: 1 })
      expect([attempts, codes()]).toEqual([[1, 1], []])
    })

    test('completes on the new server what it claimed on the old one', async () => {
      await followsBefore()
      const { store } = startReceiver(open(library))
      const claim = {
        key: 'a'.repeat(64),
        token: 't',
        leaseMs: 55_000,
        retainUntil: Date.now() + 60_000,
        attemptGapMs: 1,
      }
      expect(await store.claim(claim)).toMatchObject({ status: 'claimed' })
      await until(async () => (await after.countKeys()) === 1)
      await demote()
      address.pointTo(after.url)
      expect(await store.complete(claim)).toBe(true)
      expect(await store.claim({ ...claim, token: 'other' })).toEqual({ status: 'done' })
    })

    test('writes to the quarantine of the new server', async () => {
      await followsBefore()
      const { store } = startReceiver(open(library))
      await store.quarantine.discard('nothing')
      await demote()
      address.pointTo(after.url)
      const entry = {
        key: 'a',
        code: 'stale',
        eventType: 'a',
        headers: {},
        error: undefined,
        attempt: 1,
        receivedAt: 1,
      }
      await store.quarantine({ ...entry, rawBody: Uint8Array.of(1) })
      expect(await store.quarantine.count?.()).toBe(1)
    })

    test('processes the first delivery after the server was stopped', async () => {
      const { receiver, attempts } = startReceiver(open(library))
      expect((await receiver.receive(await signedEvent())).status).toBe('processed')
      address.pointTo(after.url)
      await before.kill()
      expect(await receiver.receive(await signedEvent())).toMatchObject({ status: 'processed', attempt: 1 })
      expect(attempts).toEqual([1, 1])
    })
  })

  test.each(Object.entries(LIBRARIES))(
    'replaces a connection to a server that vanished without closing it: %s',
    async (_, library) => {
      // Ten seconds without a response pass in one.
      const clock: Clock = {
        now: systemClock.now,
        monotonicNow: () => 10 * performance.now(),
        setTimer: (ms, fn) => systemClock.setTimer(ms / 10, fn),
      }
      const store = redisStore({ client: open(library), clock })
      const newClaim = () => ({
        ...{ key: (++made).toString(16).padStart(64, '0'), token: `t${made}`, waitMs: 4000 },
        ...{ leaseMs: 55_000, retainUntil: Date.now() + 60_000, attemptGapMs: 1 },
      })
      expect(await store.claim(newClaim())).toMatchObject({ status: 'claimed' })
      before.freeze()
      address.pointTo(after.url)
      const claims = async () => {
        const claim = Promise.resolve(store.claim(newClaim()))
        return Promise.race([claim.then(({ status }) => status === 'claimed'), timeout(400)]).catch(() => false)
      }
      await until(claims)
      expect(await after.countKeys()).toBeGreaterThan(0)
    },
  )

  test.each(Object.entries(LIBRARIES))('leaves no listener on the client: %s', async (_, library) => {
    const client = open(library) as RedisClient & { listenerCount(event: string): number; eventNames(): string[] }
    const count = () => client.eventNames().map((event) => [event, client.listenerCount(event)])
    const { receiver } = startReceiver(client)
    await receiver.receive(await signedEvent())
    const listeners = count()
    for (let round = 0; round < 5; round++) {
      await before.kill()
      const received = receiver.receive(await signedEvent())
      await until(
        async () =>
          client.listenerCount('error') > Number(new Map(listeners.map(([event, n]) => [event, n])).get('error')),
      )
      await before.start()
      expect((await received).status).toBe('processed')
    }
    expect(count()).toEqual(listeners)
  })
})
