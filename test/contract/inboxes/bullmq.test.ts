/** The inbox on BullMQ and a real Redis. */
import { randomBytes } from 'node:crypto'
import * as bullmq from 'bullmq'
import { afterAll, expect, test } from 'vitest'
import { bullmqInbox } from '../../../src/inboxes/bullmq.js'
import { describeWithService } from '../../support/services.js'
import { inboxSuite } from './inbox-suite.js'

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
      open: (tries) => bullmqInbox({ bullmq, connection, queue: name, tries, firstPauseMs: 100 }),
      async writeForged(job) {
        await queue.add('delivery', job)
      },
      openUnreachable: () =>
        bullmqInbox({ bullmq, connection: { host, port: 1, retryStrategy: () => null }, queue: name }),
    }
  })
})

test.each([
  ['without BullMQ', { bullmq: {} }],
  ['without a connection', { connection: undefined }],
  ['with no tries', { tries: 0 }],
])('bullmqInbox refuses to be made %s', (_, wrong) => {
  expect(() => bullmqInbox({ bullmq, connection: {}, ...(wrong as object) })).toThrow(/option_invalid/)
})
