/** A receiver with redisStore while the network or Redis fails: no attempt is wasted, and no event is processed twice. */
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createReceiver, type ErrorReport } from '../../../src/index.js'
import { type RedisClient, redisStore } from '../../../src/stores/redis/redis-store.js'
import { signDelivery } from '../../../src/testing/index.js'
import { LIBRARIES, redisScene } from '../../support/redis.js'
import { describeWithOwnRedis, type RedisServer, startRedisServer } from '../../support/redis-server.js'
import { describeWithService } from '../../support/services.js'
import { createTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js'

const SECRET = 'your_webhook_secret'
const LEASE_MS = 55_000
/** Every response leaves within this time. */
const MAX_RESPONSE_MS = 4600

/** Creates a receiver with one handler, and records its attempts and reports. */
function startReceiver(client: RedisClient, namespace: string, handle: (attempt: number) => unknown) {
  const reports: ErrorReport[] = []
  const attempts: number[] = []
  const onError = (report: ErrorReport) => reports.push(report)
  const store = redisStore({ client, namespace })
  const receiver = createReceiver({ secret: SECRET, store, onError }).on('qr.created', async (_, { attempt }) => {
    attempts.push(attempt)
    await handle(attempt)
  })
  return { receiver, store, attempts, codes: () => reports.map(({ code }) => code) }
}

let made = 0
async function signedEvent() {
  const payload = { event: 'qr.created', timestamp: new Date().toISOString(), data: { number: made++ } }
  return (await signDelivery(payload, { secret: SECRET })).delivery
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** Runs an operation and measures its duration in milliseconds. */
async function timed<T>(operation: () => Promise<T>): Promise<{ readonly result: T; readonly ms: number }> {
  const start = performance.now()
  return { result: await operation(), ms: performance.now() - start }
}

describeWithService('redis', 'a receiver with redisStore on a bad network', (url) => {
  const { home, open, makeLater, bystander, ...scene } = redisScene(url)
  const proxies: TcpProxy[] = []
  afterEach(async () => {
    for (const proxy of proxies.splice(0)) await proxy.close()
  })

  describe.each(Object.entries(LIBRARIES))('with %s', (_, openClient) => {
    /** Creates a receiver with its own network and an open connection. */
    async function startScene(handle: (attempt: number, network: TcpProxy) => unknown = () => {}) {
      const network = await createTcpProxy(url)
      proxies.push(network)
      const namespace = `${home}-${made}`
      const { client } = open(openClient, network.url)
      const started = startReceiver(client, namespace, (attempt) => handle(attempt, network))
      await redisStore({ client, namespace }).quarantine.discard('nothing')
      const stateOf = async () => {
        const [key] = await bystander.keys(`govalid:${namespace}:*`)
        return key === undefined ? undefined : scene.stateOf(key)
      }
      return { ...started, network, namespace, stateOf }
    }

    test('returns unavailable while Redis refuses connections, and processes the event afterwards without a restart', async () => {
      const { network, receiver, attempts, codes } = await startScene()
      const delivery = await signedEvent()
      network.set('refused')
      const { result, ms } = await timed(() => receiver.receive(delivery))
      expect(result).toMatchObject({ status: 'unavailable', code: 'store_unavailable' })
      expect(ms).toBeLessThan(MAX_RESPONSE_MS)
      network.set('open')
      expect(await receiver.receive(delivery)).toMatchObject({ status: 'processed', attempt: 1 })
      expect([attempts, codes()]).toEqual([[1], ['store_unavailable']])
    })

    test('returns unavailable while Redis is silent, and processes the event afterwards', async () => {
      const { network, receiver, attempts } = await startScene()
      const delivery = await signedEvent()
      network.set('silent')
      const { result, ms } = await timed(() => receiver.receive(delivery))
      expect([result.status, ms < MAX_RESPONSE_MS]).toEqual(['unavailable', true])
      network.set('refused')
      network.set('open')
      expect(await receiver.receive(delivery)).toMatchObject({ status: 'processed', attempt: 1 })
      expect(attempts).toEqual([1])
    })

    test('processes an event once after the lease if the response to its claim was lost', async () => {
      const { network, receiver, attempts, stateOf } = await startScene()
      const delivery = await signedEvent()
      network.set('mute')
      expect((await receiver.receive(delivery)).status).toBe('unavailable')
      expect(await stateOf()).toBe('processing')
      network.set('refused')
      network.set('open')
      expect((await receiver.receive(delivery)).status).toBe('busy')
      await makeLater(LEASE_MS)
      expect((await receiver.receive(delivery)).status).toBe('processed')
      expect(attempts).toHaveLength(1)
    })

    test('returns processed if Redis fails before the completion, and saves the completion afterwards', async () => {
      const { receiver, attempts, codes, network, stateOf } = await startScene((_attempt, own) => own.set('refused'))
      const delivery = await signedEvent()
      expect((await receiver.receive(delivery)).status).toBe('processed')
      await until(async () => codes().includes('completion_delayed'))
      expect(await stateOf()).toBe('processing')
      network.set('open')
      await until(async () => (await stateOf()) === 'done')
      expect((await receiver.receive(delivery)).status).toBe('duplicate')
      expect([attempts, codes()]).toEqual([[1], ['completion_delayed']])
    })

    test('recognizes a completion whose response was lost', async () => {
      const { receiver, attempts, codes, network, stateOf } = await startScene((_attempt, own) => own.set('mute'))
      const delivery = await signedEvent()
      expect((await receiver.receive(delivery)).status).toBe('processed')
      expect(await stateOf()).toBe('done')
      network.set('refused')
      network.set('open')
      await receiver.close()
      expect([attempts, codes()]).toEqual([[1], []])
    })

    test('recognizes a release whose response was lost', async () => {
      const { receiver, attempts, codes, network, stateOf } = await startScene((attempt, own) => {
        if (attempt > 1) return
        own.set('mute')
        throw new Error('the first attempt fails')
      })
      const delivery = await signedEvent()
      const response = receiver.receive(delivery)
      await until(async () => (await stateOf()) === 'released')
      network.set('refused')
      network.set('open')
      expect((await response).status).toBe('failed')
      expect((await receiver.receive(delivery)).status).toBe('processed')
      expect([attempts, codes()]).toEqual([[1, 2], ['handler_failed']])
    })

    test('returns failed if a failed attempt cannot be released, and runs the handler again after the lease', async () => {
      const { receiver, store, attempts, network } = await startScene((attempt, own) => {
        if (attempt > 1) return
        own.set('refused')
        throw new Error('the first attempt fails')
      })
      const delivery = await signedEvent()
      expect((await receiver.receive(delivery)).status).toBe('failed')
      await until(async () => store.waiting?.() === 0)
      network.set('open')
      expect((await receiver.receive(delivery)).status).toBe('busy')
      await makeLater(LEASE_MS)
      expect((await receiver.receive(delivery)).status).toBe('processed')
      expect(attempts).toEqual([1, 2])
    })

    test('recognizes a finished delivery with another client', async () => {
      const { receiver, namespace } = await startScene()
      const delivery = await signedEvent()
      expect((await receiver.receive(delivery)).status).toBe('processed')
      const other = startReceiver(open(openClient).client, namespace, () => {})
      expect((await other.receiver.receive(delivery)).status).toBe('duplicate')
      expect(other.attempts).toEqual([])
    })

    test('returns unavailable for a corrupt record, reports it and calls no handler', async () => {
      const { receiver, namespace, attempts, codes } = await startScene(() => {
        throw new Error('the first attempt fails')
      })
      const delivery = await signedEvent()
      const { idempotencyKey } = await receiver.receive(delivery)
      const key = `govalid:${namespace}:{${idempotencyKey}}`
      const good = (await bystander.get(key)) ?? ''
      for (const garbage of [
        '',
        'a text',
        good.replace('\n', ''),
        good.replace(/ \d+\n/, ' soon\n'),
        `${good}no JSON\n`,
      ]) {
        await bystander.set(key, garbage)
        expect((await receiver.receive(delivery)).status).toBe('unavailable')
      }
      await bystander.del(key)
      await bystander.hset(key, 'state', 'released')
      expect((await receiver.receive(delivery)).status).toBe('unavailable')
      expect([attempts, codes().slice(1)]).toEqual([[1], Array(6).fill('store_unavailable')])
    })
  })
})

describeWithOwnRedis('a receiver with redisStore whose Redis restarts', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedisServer()
  })
  afterAll(() => server.remove())

  test.each(Object.entries(LIBRARIES))(
    'never sends commands later that failed while Redis was down: %s',
    async (_, open) => {
      const opened = open(server.url)
      const { receiver, attempts } = startReceiver(opened.client, 'gone', () => {})
      expect((await receiver.receive(await signedEvent())).status).toBe('processed')
      await server.kill()
      const deliveries = await Promise.all(Array.from({ length: 20 }, signedEvent))
      const responses = await Promise.all(deliveries.map((delivery) => receiver.receive(delivery)))
      expect(new Set(responses.map(({ status }) => status))).toEqual(new Set(['unavailable']))
      await server.start()
      await untilBack(opened.client)
      expect(await server.countKeys()).toBe(0)
      const later = await Promise.all(deliveries.map((delivery) => receiver.receive(delivery)))
      expect(later.filter(({ status, attempt }) => status === 'processed' && attempt === 1)).toHaveLength(20)
      expect(attempts).toHaveLength(21)
      opened.close()
    },
  )

  test.each(Object.entries(LIBRARIES))(
    'never resends commands that were in flight when Redis died: %s',
    async (_, open) => {
      const opened = open(server.url)
      const { receiver, attempts } = startReceiver(opened.client, 'died', () => {})
      expect((await receiver.receive(await signedEvent())).status).toBe('processed')
      server.freeze()
      const deliveries = await Promise.all(Array.from({ length: 20 }, signedEvent))
      const responses = Promise.all(deliveries.map((delivery) => receiver.receive(delivery)))
      await new Promise((resolve) => setTimeout(resolve, 200))
      await server.kill()
      expect(new Set((await responses).map(({ status }) => status))).toEqual(new Set(['unavailable']))
      await server.start()
      await untilBack(opened.client)
      expect(await server.countKeys()).toBe(0)
      const later = await Promise.all(deliveries.map((delivery) => receiver.receive(delivery)))
      expect(later.filter(({ status, attempt }) => status === 'processed' && attempt === 1)).toHaveLength(20)
      expect(attempts).toHaveLength(21)
      opened.close()
    },
  )

  test.each(Object.entries(LIBRARIES))(
    'releases a claim at once that Redis executed after a pause: %s',
    async (_, open) => {
      const opened = open(server.url)
      const { receiver, attempts } = startReceiver(opened.client, 'paused', () => {})
      expect((await receiver.receive(await signedEvent())).status).toBe('processed')
      const delivery = await signedEvent()
      server.freeze()
      const { status, idempotencyKey } = await receiver.receive(delivery)
      expect(status).toBe('unavailable')
      server.thaw()
      const bystander = new Redis(server.url)
      const key = `govalid:paused:{${idempotencyKey}}`
      await until(async () => (await bystander.get(key))?.startsWith('released') ?? false)
      bystander.disconnect()
      expect(await receiver.receive(delivery)).toMatchObject({ status: 'processed', attempt: 1 })
      expect(attempts).toEqual([1, 1])
      opened.close()
    },
  )

  /** Waits for a response on the new connection. Any command that the client resends by itself comes before it. */
  async function untilBack(client: RedisClient): Promise<void> {
    const quarantine = redisStore({ client, namespace: 'back' }).quarantine
    await until(() =>
      quarantine.get('nothing').then(
        () => true,
        () => false,
      ),
    )
  }
})
