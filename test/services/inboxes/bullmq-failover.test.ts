/** bullmqInbox while another Redis takes over: it accepts and processes the next delivery without a restart. */
import { randomBytes } from 'node:crypto'
import * as bullmq from 'bullmq'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bullmqInbox } from '../../../src/inboxes/bullmq/bullmq-inbox.js'
import { createReceiver, type Receiver } from '../../../src/index.js'
import { signDelivery } from '../../../src/testing/index.js'
import { describeWithOwnRedis, type RedisServer, startRedisServer } from '../../support/redis-server.js'
import { createTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js'

const SECRET = 'your_webhook_secret'

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 20))
}

describeWithOwnRedis('bullmqInbox in a failover', () => {
  let before: RedisServer
  let after: RedisServer
  let address: TcpProxy
  const receivers: Receiver[] = []
  const clients: Redis[] = []
  beforeEach(async () => {
    // By default, a replica's copy starts after 5 s.
    before = await startRedisServer('--repl-diskless-sync-delay', '0')
    after = await startRedisServer()
    address = await createTcpProxy(before.url)
  })
  afterEach(async () => {
    for (const receiver of receivers.splice(0)) await receiver.close({ timeoutMs: 1000 })
    for (const client of clients.splice(0)) client.disconnect()
    await address.close()
    await Promise.all([before.remove(), after.remove()])
  })

  const demote = async () => {
    await after.command('REPLICAOF', '127.0.0.1', new URL(before.url).port)
    await until(async () => String(await after.command('INFO', 'replication')).includes('master_link_status:up'))
    await after.command('REPLICAOF', 'NO', 'ONE')
    await before.command('REPLICAOF', '127.0.0.1', new URL(after.url).port)
  }

  const CONNECTIONS = {
    'an address': ({ hostname, port }: URL): bullmq.ConnectionOptions => ({ host: hostname, port: Number(port) }),
    'a client of ioredis': ({ href }: URL): bullmq.ConnectionOptions => {
      const client = new Redis(href).on('error', () => {})
      clients.push(client)
      return client
    },
  }

  function open(connection: bullmq.ConnectionOptions) {
    const numbers: unknown[] = []
    const inbox = bullmqInbox({ bullmq, connection, queue: `govalid-${randomBytes(6).toString('hex')}` })
    const receiver = createReceiver({ secret: SECRET, inbox, onError: () => {} })
    receiver.on('qr.created', (event) => void numbers.push(event.data['number']))
    receivers.push(receiver)
    const deliver = async (number: number) => {
      const payload = { event: 'qr.created', timestamp: new Date().toISOString(), data: { number } }
      return (await receiver.receive((await signDelivery(payload, { secret: SECRET })).delivery)).status
    }
    return { deliver, numbers }
  }

  test.each(Object.entries(CONNECTIONS))(
    'accepts and processes after its server was demoted: %s',
    async (_, connect) => {
      const { deliver, numbers } = open(connect(new URL(address.url)))
      expect(await deliver(1)).toBe('accepted')
      await until(() => numbers.length === 1)
      await demote()
      address.pointTo(after.url)
      expect(await deliver(2)).toBe('accepted')
      await until(() => numbers.length === 2)
      expect(numbers).toEqual([1, 2])
    },
  )

  test.each(Object.entries(CONNECTIONS))(
    'accepts and processes after its server was stopped: %s',
    async (_, connect) => {
      const { deliver, numbers } = open(connect(new URL(address.url)))
      expect(await deliver(1)).toBe('accepted')
      await until(() => numbers.length === 1)
      address.pointTo(after.url)
      await before.kill()
      expect(await deliver(2)).toBe('accepted')
      await until(() => numbers.length === 2)
      expect(numbers).toEqual([1, 2])
    },
  )
})
