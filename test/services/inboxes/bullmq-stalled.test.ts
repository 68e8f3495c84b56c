/** A job that was fetched again and again by processes that died before they processed it. */
import { randomBytes } from 'node:crypto'
import * as bullmq from 'bullmq'
import { Redis } from 'ioredis'
import { expect, test, vi } from 'vitest'
import { bullmqInbox } from '../../../src/inboxes/bullmq/bullmq-inbox.js'
import { createReceiver, type QuarantineEntry } from '../../../src/index.js'
import { signDelivery } from '../../../src/testing/index.js'
import { describeWithService } from '../../support/services.js'

const SECRET = 'your_webhook_secret'

/** Looks for jobs of dead processes ten times per second. */
class FastWorker extends bullmq.Worker {
  constructor(name: string, process: bullmq.Processor, options: bullmq.WorkerOptions) {
    super(name, process, { ...options, stalledInterval: 100 })
  }
}

describeWithService('redis', 'a job of bullmqInbox that stalled more often than it has attempts', (url) => {
  test('goes to the quarantine, and not to the failed jobs of BullMQ', async () => {
    const { hostname: host, port } = new URL(url)
    const connection = { host, port: Number(port || 6379) }
    const name = `govalid-${randomBytes(6).toString('hex')}`
    const queue = new bullmq.Queue(name, { connection })
    const redis = new Redis(url)
    const withFastWorker = { ...bullmq, Worker: FastWorker } as unknown as typeof bullmq
    const inbox = bullmqInbox({ bullmq: withFastWorker, connection, queue: name, attempts: 3 })
    const { rawBody, signature } = await signDelivery({ event: 'qr.scanned', data: {} }, { secret: SECRET })
    const headers = { 'x-govalid-signature': signature }
    const key = 'd'.repeat(64)
    await inbox.accept({ key, rawBody, headers, receivedAt: Date.now() })
    // A process fetches the job and dies, for the fourth time.
    const dying = new bullmq.Worker(name, undefined, { connection, autorun: false })
    expect((await dying.getNextJob('a token'))?.id).toBe(key)
    await dying.close(true)
    await redis.hset(queue.toKey(key), 'stc', 3)
    await redis.del(`${queue.toKey(key)}:lock`)

    const entries: QuarantineEntry[] = []
    const quarantine = Object.assign(async (entry: QuarantineEntry) => void entries.push(entry), {
      discard: async () => {},
    })
    const receiver = createReceiver({ secret: SECRET, inbox, quarantine, onError: () => {} }).on('qr.scanned', () => {})
    await vi.waitFor(() => expect(entries.map(({ code }) => code)).toEqual(['handler_crashed']), { timeout: 20_000 })
    expect(await queue.getFailedCount()).toBe(0)
    await receiver.close()
    redis.disconnect()
    await queue.obliterate({ force: true })
    await queue.close()
  })
})
