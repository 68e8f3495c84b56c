/** `pgBossInbox` on pg-boss and a real Postgres. */
import { randomBytes } from 'node:crypto'
import { Pool } from 'pg'
import { PgBoss } from 'pg-boss'
import { afterAll, expect, test, vi } from 'vitest'
import type { InboxProcessor } from '../../../src/inboxes/inbox.js'
import { pgBossInbox } from '../../../src/inboxes/pg-boss-inbox.js'
import { inboxSuite } from '../../contract/inboxes/inbox-suite.js'
import { describeWithService } from '../../support/services.js'

describeWithService('postgres', 'pgBossInbox', (url) => {
  const schema = `pgboss_${randomBytes(6).toString('hex')}`
  const bosses: PgBoss[] = []
  const makeBoss = (connectionString: string) => {
    const boss = new PgBoss({ connectionString, schema, max: 4 })
    boss.on('error', () => {})
    bosses.push(boss)
    return boss
  }
  afterAll(async () => {
    await Promise.all(bosses.map((boss) => boss.stop({ graceful: false }).catch(() => {})))
    const pool = new Pool({ connectionString: url })
    await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
    await pool.end()
  })
  inboxSuite(() => {
    const queue = `govalid-${randomBytes(6).toString('hex')}`
    const intruder = makeBoss(url)
    return {
      open: (attempts) =>
        pgBossInbox({ boss: makeBoss(url), schema, queue, attempts, firstPauseSeconds: 1, pollSeconds: 0.5 }),
      async writeForged(job) {
        await intruder.start()
        await intruder.send(queue, job)
      },
      openUnreachable: () => pgBossInbox({ boss: makeBoss('postgres://postgres@127.0.0.1:1/test'), schema, queue }),
    }
  })

  const delivery = () => ({
    key: randomBytes(32).toString('hex'),
    rawBody: new Uint8Array(),
    headers: {},
    receivedAt: Date.now(),
  })
  const finished: InboxProcessor = async () => ({ status: 'processed' })

  test('a failed start can be repeated, and then handles the waiting jobs', async () => {
    const boss = makeBoss(url)
    const inbox = pgBossInbox({ boss, schema, queue: `govalid-${randomBytes(6).toString('hex')}`, pollSeconds: 0.5 })
    await inbox.accept(delivery())
    await boss.stop({ graceful: false })
    for (let round = 0; round < 2; round++) {
      await expect(async () => inbox.start?.(finished)).rejects.toThrow('pg-boss is stopped')
    }
    await boss.start()
    await inbox.start?.(finished)
    await vi.waitFor(async () => expect(await inbox.status?.()).toMatchObject({ waiting: 0, processing: 0 }), 10_000)
    await inbox.stop?.()
  })

  test('a start that fails halfway leaves no worker running', async () => {
    const boss = makeBoss(url)
    const queue = `govalid-${randomBytes(6).toString('hex')}`
    const inbox = pgBossInbox({ boss, schema, queue, concurrency: 3, pollSeconds: 0.5 })
    const startWorker = boss.work.bind(boss) as (...args: unknown[]) => Promise<string>
    let startedWorkers = 0
    boss.work = (async (...args: unknown[]) => {
      if (++startedWorkers === 2) throw new Error('the second worker does not start')
      return startWorker(...args)
    }) as never
    await expect(async () => inbox.start?.(finished)).rejects.toThrow('the second worker does not start')
    await inbox.accept(delivery())
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(await inbox.status?.()).toMatchObject({ waiting: 1 })
    await inbox.start?.(finished)
    await vi.waitFor(async () => expect(await inbox.status?.()).toMatchObject({ waiting: 0 }), 10_000)
    await inbox.stop?.()
  })
})

test.each([
  ['an object that is not a pg-boss instance', { boss: {} }],
  ['a queue name that needs quoting', { queue: 'a"b' }],
  ['0 attempts', { attempts: 0 }],
  ['a fraction of an attempt', { attempts: 2.5 }],
  ['a fraction of a worker', { concurrency: 0.5 }],
  ['pauses in fractions of a second', { firstPauseSeconds: 2.5 }],
  ['a poll interval below the minimum of pg-boss', { pollSeconds: 0.2 }],
  ['an infinite poll interval', { pollSeconds: Number.POSITIVE_INFINITY }],
  ['a poll interval that is not a number', { pollSeconds: '1' }],
])('pgBossInbox refuses %s', (_, wrong) => {
  const boss = new PgBoss('postgres://postgres@127.0.0.1:1/test')
  expect(() => pgBossInbox({ boss, ...(wrong as object) })).toThrow(/option_invalid/)
})

test('pgBossInbox accepts the minimum of every number', () => {
  const boss = new PgBoss('postgres://postgres@127.0.0.1:1/test')
  const minimums = { concurrency: 1, attempts: 1, firstPauseSeconds: 1, pollSeconds: 0.5 }
  expect(() => pgBossInbox({ boss, ...minimums })).not.toThrow()
})
