/** `bullmqInbox` on BullMQ and a real Redis. */
import { randomBytes } from 'node:crypto'
import * as bullmq from 'bullmq'
import * as bullmq5 from 'bullmq5'
import { Cluster, Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, expect, test, vi } from 'vitest'
import { bullmqInbox } from '../../../src/inboxes/bullmq/bullmq-inbox.js'
import { createReceiver } from '../../../src/index.js'
import { inboxSuite } from '../../contract/inboxes/inbox-suite.js'
import { describeWithService } from '../../support/services.js'

describeWithService('redis', 'bullmqInbox', (url) => {
  const { hostname: host, port } = new URL(url)
  const connection = { host, port: Number(port || 6379) }
  const queues: bullmq.Queue[] = []
  afterAll(async () => {
    for (const queue of queues) {
      await queue.obliterate({ force: true })
      await queue.close()
    }
  })
  inboxSuite(() => {
    const name = `govalid-${randomBytes(6).toString('hex')}`
    const queue = new bullmq.Queue(name, { connection })
    queues.push(queue)
    return {
      open: (attempts) => bullmqInbox({ bullmq, connection, queue: name, attempts, firstPauseMs: 100 }),
      async writeForged(job) {
        await queue.add('delivery', job)
      },
      openUnreachable: () =>
        bullmqInbox({ bullmq, connection: { host, port: 1, retryStrategy: () => null }, queue: name }),
    }
  })
})

describeWithService('redis', 'bullmqInbox', (url) => {
  test('marks a job whose process died during the last attempt as over', async () => {
    const { hostname: host, port } = new URL(url)
    const name = `govalid-${randomBytes(6).toString('hex')}`
    const connection = { host, port: Number(port || 6379) }
    const queue = new bullmq.Queue(name, { connection })
    const inbox = bullmqInbox({ bullmq, connection, queue: name, attempts: 2 })
    const key = 'b'.repeat(64)
    await inbox.accept({ key, rawBody: new Uint8Array(), headers: {}, receivedAt: Date.now() })
    // BullMQ counts expired locks in this field.
    const redis = new Redis(url)
    await redis.hset(queue.toKey(key), 'stc', 2)
    redis.disconnect()
    const attempts: unknown[] = []
    await inbox.start?.(async (_, attempt) => {
      attempts.push(attempt)
      return { status: 'processed' }
    })
    await vi.waitFor(() => expect(attempts).toEqual([{ number: 3, last: true, over: true }]), { timeout: 10_000 })
    await inbox.stop?.()
    await queue.obliterate({ force: true })
    await queue.close()
  })

  test.each([
    ['6', bullmq],
    ['5', bullmq5 as unknown as typeof bullmq],
  ])('counts the jobs of a queue that an operator has paused, and is not drained: BullMQ %s', async (_, version) => {
    const { hostname: host, port } = new URL(url)
    const name = `govalid-${randomBytes(6).toString('hex')}`
    const connection = { host, port: Number(port || 6379) }
    const queue = new version.Queue(name, { connection })
    const inbox = bullmqInbox({ bullmq: version, connection, queue: name })
    await queue.pause()
    await inbox.accept({ key: 'c'.repeat(64), rawBody: new Uint8Array(), headers: {}, receivedAt: Date.now() })
    const receiver = createReceiver({ secret: 'a secret', inbox })
    expect(await receiver.status()).toMatchObject({ waiting: 1, drained: false })
    await receiver.close()
    await queue.obliterate({ force: true })
    await queue.close()
  })

  test('accepts nothing while its user may not fetch jobs', async () => {
    const { hostname: host, port } = new URL(url)
    const name = `govalid-${randomBytes(6).toString('hex')}`
    const connection = { host, port: Number(port || 6379) }
    const admin = new Redis(url)
    await admin.call('ACL', 'SETUSER', name, 'on', '>pass', '~*', '&*', '+@all', '-bzpopmin')
    const user = { ...connection, username: name, password: 'pass' }
    const inbox = bullmqInbox({ bullmq, connection: user, queue: name })
    const accept = () =>
      inbox.accept({ key: 'e'.repeat(64), rawBody: new Uint8Array(), headers: {}, receivedAt: Date.now() })
    await inbox.start?.(async () => ({ status: 'processed' }))
    await vi.waitFor(async () => expect(accept).rejects.toThrow(/can't fetch jobs.*bzpopmin.*Grant the user/), 10_000)
    await inbox.stop?.()
    await admin.call('ACL', 'DELUSER', name)
    admin.disconnect()
    const queue = new bullmq.Queue(name, { connection })
    await queue.obliterate({ force: true })
    await queue.close()
  })

  test('pauses for at most an hour before the next attempt', async () => {
    const { hostname: host, port } = new URL(url)
    const name = `govalid-${randomBytes(6).toString('hex')}`
    const connection = { host, port: Number(port || 6379) }
    const queue = new bullmq.Queue(name, { connection })
    const inbox = bullmqInbox({ bullmq, connection, queue: name, firstPauseMs: 10 * 3_600_000 })
    await inbox.accept({ key: 'a'.repeat(64), rawBody: new Uint8Array(), headers: {}, receivedAt: Date.now() })
    await inbox.start?.(async () => ({ status: 'failed', error: new Error('not this time') }))
    const [delayed] = await vi.waitFor(
      async () => {
        const jobs = await queue.getDelayed()
        expect(jobs).toHaveLength(1)
        return jobs
      },
      { timeout: 10_000 },
    )
    expect(delayed?.delay).toBeLessThanOrEqual(3_600_000)
    expect(delayed?.delay).toBeGreaterThanOrEqual(1_800_000)
    await inbox.stop?.()
    await queue.obliterate({ force: true })
    await queue.close()
  })

  test('still accepts and counts jobs after a stop, and keeps no connection open', async () => {
    const { hostname: host, port } = new URL(url)
    const name = `govalid-${randomBytes(6).toString('hex')}`
    const connection = { host, port: Number(port || 6379) }
    const observer = new Redis(url)
    const inbox = bullmqInbox({ bullmq, connection: { ...connection, connectionName: name }, queue: name })
    const connections = async () => {
      const list = (await observer.call('CLIENT', 'LIST')) as string
      return list.split('\n').filter((line) => line.includes(`name=${name}`)).length
    }
    const accept = () =>
      inbox.accept({
        key: randomBytes(32).toString('hex'),
        rawBody: new Uint8Array(),
        headers: {},
        receivedAt: Date.now(),
      })
    await accept()
    expect(await connections()).toBe(1)
    await inbox.stop?.()
    await accept()
    expect(await inbox.status?.()).toMatchObject({ waiting: 2, failed: 0 })
    await vi.waitFor(async () => expect(await connections()).toBe(0), 5000)
    await inbox.start?.(async () => ({ status: 'processed' }))
    await vi.waitFor(async () => expect(await inbox.status?.()).toMatchObject({ waiting: 0, processing: 0 }), 10_000)
    await inbox.stop?.()
    const queue = new bullmq.Queue(name, { connection })
    await queue.obliterate({ force: true })
    await queue.close()
    observer.disconnect()
  })
})

test.each([
  [
    'throws',
    () => {
      throw new Error('the hook is broken')
    },
  ],
  ['rejects', async () => Promise.reject(new Error('the hook is broken'))],
])('an onConnectionError that %s does not end the process', async (_, fail) => {
  let calls = 0
  const onConnectionError = () => {
    calls++
    return fail()
  }
  const inbox = bullmqInbox({ bullmq, connection: { host: '127.0.0.1', port: 1 }, onConnectionError })
  const delivery = { key: 'd'.repeat(64), rawBody: new Uint8Array(), headers: {}, receivedAt: 0 }
  await expect(inbox.accept(delivery)).rejects.toMatchObject({ code: 'inbox_unavailable' })
  await inbox.stop?.()
  expect(calls).toBeGreaterThan(0)
})

test.each([
  ['a missing BullMQ', { bullmq: {} }, /from: import \* as bullmq/],
  ['a missing connection', { connection: undefined }, /connection must be an object/],
  ['an address as text', { connection: 'redis://127.0.0.1' }, /connection must be an object.*it is string/],
  ['a client of node-redis', { connection: createClient() }, /it is another client/],
  ['0 attempts', { attempts: 0 }, /attempts must be a whole number above 0; it is 0/],
  ['a queue with a colon', { queue: 'a:b' }, /queue must be a name without a colon.*"a:b"/],
  ['an empty queue', { queue: '' }, /queue must be a name/],
  ['a prefix that is a number', { prefix: 1 }, /prefix must be a text/],
  ['a key prefix of the connection', { connection: { keyPrefix: 'app:' } }, /Use the option prefix instead/],
  ['a key prefix of a client', { connection: new Redis({ lazyConnect: true, keyPrefix: 'app:' }) }, /keyPrefix/],
  ['a replica', { connection: { role: 'slave', sentinels: [{ host: 'a' }], name: 'm' } }, /Remove role: 'slave'/],
  ['sentinels without the name of their primary', { connection: { sentinels: [{ host: 'a' }] } }, /in name/],
  ['a cluster without a hash tag', { connection: new Cluster([], { lazyConnect: true }) }, /prefix: '\{bull\}'/],
  [
    'a cluster whose commands give up',
    { connection: new Cluster([], { lazyConnect: true, redisOptions: { maxRetriesPerRequest: 3 } }), prefix: '{bull}' },
    /maxRetriesPerRequest of the cluster is null/,
  ],
])('bullmqInbox refuses %s', (_, wrong, message) => {
  const create = () => bullmqInbox({ bullmq, connection: {}, ...(wrong as object) })
  expect(create).toThrow(message)
  expect(create).toThrow(/Run: npx govalid-webhooks explain option_invalid/)
})

test('bullmqInbox refuses BullMQ 4, which takes its jobs in another way', () => {
  class Worker {
    waitForJob(): string {
      return 'client.brpoplpush(this.keys.wait, this.keys.active)'
    }
  }
  const old = { Queue: bullmq.Queue, Worker, DelayedError: bullmq.DelayedError } as never
  expect(() => bullmqInbox({ bullmq: old, connection: {} })).toThrow(
    /version 5 or newer. Run: npm install bullmq@latest/,
  )
})
