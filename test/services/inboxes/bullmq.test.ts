/** `bullmqInbox` on BullMQ and a real Redis. */
import { randomBytes } from 'node:crypto'
import * as bullmq from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, expect, test, vi } from 'vitest'
import { bullmqInbox } from '../../../src/inboxes/bullmq/bullmq-inbox.js'
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
  ['a missing BullMQ', { bullmq: {} }],
  ['a missing connection', { connection: undefined }],
  ['0 attempts', { attempts: 0 }],
])('bullmqInbox refuses %s', (_, wrong) => {
  expect(() => bullmqInbox({ bullmq, connection: {}, ...(wrong as object) })).toThrow(/option_invalid/)
})
