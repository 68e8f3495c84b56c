/** The inbox on pg-boss and a real Postgres. */
import { randomBytes } from 'node:crypto'
import { Pool } from 'pg'
import { PgBoss } from 'pg-boss'
import { afterAll, expect, test, vi } from 'vitest'
import type { InboxProcessor } from '../../../src/inboxes/inbox.js'
import { pgBossInbox } from '../../../src/inboxes/pg-boss-inbox.js'
import { describeWithService } from '../../support/services.js'
import { inboxSuite } from './inbox-suite.js'

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

  test('a start that failed is no start: the next one works what waits', async () => {
    const boss = makeBoss(url)
    const inbox = pgBossInbox({ boss, schema, queue: `govalid-${randomBytes(6).toString('hex')}`, pollSeconds: 0.5 })
    await inbox.accept(delivery())
    await boss.stop({ graceful: false })
    for (let round = 0; round < 2; round++) {
      await expect(async () => inbox.start?.(finished)).rejects.toThrow('pg-boss is stopped')
    }
    await boss.start()
    await inbox.start?.(finished)
    await vi.waitFor(async () => expect(await inbox.status?.()).toMatchObject({ waiting: 0, working: 0 }), 10_000)
    await inbox.stop?.()
  })

  test('a start of which a part failed leaves nobody at work', async () => {
    const boss = makeBoss(url)
    const queue = `govalid-${randomBytes(6).toString('hex')}`
    const inbox = pgBossInbox({ boss, schema, queue, concurrency: 3, pollSeconds: 0.5 })
    const begin = boss.work.bind(boss) as (...given: unknown[]) => Promise<string>
    let begun = 0
    boss.work = (async (...given: unknown[]) => {
      if (++begun === 2) throw new Error('the second does not begin')
      return begin(...given)
    }) as never
    await expect(async () => inbox.start?.(finished)).rejects.toThrow('the second does not begin')
    await inbox.accept(delivery())
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(await inbox.status?.()).toMatchObject({ waiting: 1 })
    await inbox.start?.(finished)
    await vi.waitFor(async () => expect(await inbox.status?.()).toMatchObject({ waiting: 0 }), 10_000)
    await inbox.stop?.()
  })
})

test.each([
  ['without an instance', { boss: {} }],
  ['with a queue whose name needs quoting', { queue: 'a"b' }],
  ['with no tries', { attempts: 0 }],
  ['with half a try', { attempts: 2.5 }],
  ['with half a worker', { concurrency: 0.5 }],
  ['with pauses pg-boss cannot make', { firstPauseSeconds: 2.5 }],
  ['with polls more often than pg-boss can', { pollSeconds: 0.2 }],
  ['with polls that never come', { pollSeconds: Number.POSITIVE_INFINITY }],
  ['with polls that are no number', { pollSeconds: '1' }],
])('pgBossInbox refuses to be made %s', (_, wrong) => {
  const boss = new PgBoss('postgres://postgres@127.0.0.1:1/test')
  expect(() => pgBossInbox({ boss, ...(wrong as object) })).toThrow(/option_invalid/)
})

test('pgBossInbox takes the least of everything', () => {
  const boss = new PgBoss('postgres://postgres@127.0.0.1:1/test')
  const least = { concurrency: 1, attempts: 1, firstPauseSeconds: 1, pollSeconds: 0.5 }
  expect(() => pgBossInbox({ boss, ...least })).not.toThrow()
})
