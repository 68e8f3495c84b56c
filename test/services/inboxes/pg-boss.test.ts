/** `pgBossInbox` on pg-boss and a real Postgres. */
import { randomBytes } from 'node:crypto'
import { Pool, types } from 'pg'
import { PgBoss } from 'pg-boss'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import type { InboxProcessor } from '../../../src/inboxes/inbox.js'
import { pgBossInbox } from '../../../src/inboxes/pg-boss/pg-boss-inbox.js'
import { inboxSuite } from '../../contract/inboxes/inbox-suite.js'
import { createGate } from '../../support/gate.js'
import { describeWithService } from '../../support/services.js'
import { createTcpProxy } from '../../support/tcp-proxy.js'

describeWithService('postgres', 'pgBossInbox', (url) => {
  const schema = `pgboss_${randomBytes(6).toString('hex')}`
  const bosses: PgBoss[] = []
  const makeBoss = (connectionString: string) => {
    const boss = new PgBoss({ connectionString, schema, max: 4 })
    boss.on('error', () => {})
    bosses.push(boss)
    return boss
  }
  afterEach(async () => {
    await Promise.all(bosses.splice(0).map((boss) => boss.stop({ graceful: false }).catch(() => {})))
  })
  afterAll(async () => {
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
      await expect(async () => inbox.start?.(finished)).rejects.toThrow('Database not opened')
    }
    await boss.start()
    await inbox.start?.(finished)
    await vi.waitFor(async () => expect(await inbox.status?.()).toMatchObject({ waiting: 0, processing: 0 }), 10_000)
    await inbox.stop?.()
  })

  const newQueue = () => `govalid-${randomBytes(6).toString('hex')}`
  const poolOf = (boss: PgBoss) => (boss.getDb() as unknown as { pool: Pool }).pool
  const countStatements = (boss: PgBoss) => {
    const db = boss.getDb()
    const execute = db.executeSql.bind(db)
    const texts: string[] = []
    db.executeSql = (text, values) => {
      texts.push(text)
      return execute(text, values)
    }
    return texts
  }

  test('500 deliveries at once are accepted in a few statements, and processed once each', async () => {
    const boss = makeBoss(url)
    const queue = newQueue()
    const inbox = pgBossInbox({ boss, schema, queue, pollSeconds: 0.5, concurrency: 50 })
    await inbox.accept(delivery())
    const texts = countStatements(boss)
    const deliveries = Array.from({ length: 500 }, delivery)
    // GoValid may send two copies of one delivery at the same time.
    await Promise.all([...deliveries, ...deliveries.slice(0, 50)].map((each) => inbox.accept(each)))
    expect(texts.filter((text) => text.includes('INSERT'))).toHaveLength(texts.length)
    expect(texts.length).toBeLessThan(20)
    const seen: string[] = []
    texts.length = 0
    await inbox.start?.(async ({ key }) => {
      seen.push(key)
      return { status: 'processed' }
    })
    await vi.waitFor(async () => expect(await inbox.status?.()).toMatchObject({ waiting: 0, processing: 0 }), 20_000)
    expect(seen).toHaveLength(501)
    expect(new Set(seen).size).toBe(501)
    expect(texts.length).toBeLessThan(200)
    await inbox.stop?.()
  })

  test('a delivery that Postgres refuses does not fail the others of its group', async () => {
    const inbox = pgBossInbox({ boss: makeBoss(url), schema, queue: newQueue() })
    await inbox.accept(delivery())
    const bad = { ...delivery(), headers: { 'x-text': 'JSON in Postgres has no \u0000' } }
    const deliveries = Array.from({ length: 50 }, (_, index) => (index === 25 ? bad : delivery()))
    const results = await Promise.allSettled(deliveries.map((each) => inbox.accept(each)))
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1)
    expect(results[25]?.status).toBe('rejected')
    expect(await inbox.status?.()).toMatchObject({ waiting: 50 })
  })

  test('a slow handler takes one place and delays no other delivery', async () => {
    const inbox = pgBossInbox({ boss: makeBoss(url), schema, queue: newQueue(), concurrency: 3, pollSeconds: 0.5 })
    const deliveries = Array.from({ length: 20 }, delivery)
    const slow = deliveries[0]?.key
    const released = createGate()
    let ended = 0
    await Promise.all(deliveries.map((each) => inbox.accept(each)))
    await inbox.start?.(async ({ key }) => {
      if (key === slow) await released.passed
      ended++
      return { status: 'processed' }
    })
    await vi.waitFor(() => expect(ended).toBe(19), 20_000)
    const stopped = inbox.stop?.()
    released.open()
    await stopped
    expect(ended).toBe(20)
    expect(await inbox.status?.()).toMatchObject({ waiting: 0, processing: 0 })
  })

  test('accepts and processes while the sessions of its pool become read-only, as after a failover', async () => {
    const boss = makeBoss(url)
    const inbox = pgBossInbox({ boss, schema, queue: newQueue(), pollSeconds: 0.5 })
    await inbox.accept(delivery())
    const makeReadOnly = async () => {
      const clients = await Promise.all(Array.from({ length: 4 }, () => poolOf(boss).connect()))
      for (const client of clients) {
        await client.query('SET default_transaction_read_only = on')
        client.release()
      }
    }
    await makeReadOnly()
    for (let count = 0; count < 5; count++) await inbox.accept(delivery())
    await makeReadOnly()
    let calls = 0
    await inbox.start?.(async () => {
      if (++calls === 1) await makeReadOnly()
      return { status: 'processed' }
    })
    await vi.waitFor(async () => expect(await inbox.status?.()).toMatchObject({ waiting: 0, processing: 0 }), 20_000)
    expect(calls).toBe(6)
    await inbox.stop?.()
  })

  test.each([
    ['NUL', 'a \u0000 b'],
    ['half a character', 'a \ud800 b'],
  ])('retries a job soon, even if its error has %s, which Postgres can’t store', async (_, text) => {
    const inbox = pgBossInbox({
      boss: makeBoss(url),
      schema,
      queue: newQueue(),
      firstPauseSeconds: 1,
      pollSeconds: 0.5,
    })
    let calls = 0
    await inbox.start?.(async () =>
      ++calls === 1 ? { status: 'failed', error: new Error(text) } : { status: 'processed' },
    )
    await inbox.accept(delivery())
    await vi.waitFor(() => expect(calls).toBe(2), 10_000)
    await inbox.stop?.()
  })

  test('accepts a delivery whose connection is reset', async () => {
    const proxy = await createTcpProxy(url)
    const boss = makeBoss(proxy.url)
    const inbox = pgBossInbox({ boss, schema, queue: newQueue() })
    await inbox.accept(delivery())
    proxy.set('silent')
    const accepted = inbox.accept(delivery())
    await new Promise((resolve) => setTimeout(resolve, 200))
    proxy.set('open')
    proxy.reset()
    await accepted
    expect(await inbox.status?.()).toMatchObject({ waiting: 2 })
    await boss.stop({ graceful: false })
    await proxy.close()
  })

  test('creates its queue again after it was deleted', async () => {
    const [boss, other] = [makeBoss(url), makeBoss(url)]
    const queue = newQueue()
    const inbox = pgBossInbox({ boss, schema, queue })
    await inbox.accept(delivery())
    await other.start()
    await other.deleteQueue(queue)
    await inbox.accept(delivery())
    expect(await inbox.status?.()).toMatchObject({ waiting: 1 })
  })

  test.each(['short', 'singleton', 'stately', 'exclusive', 'key_strict_fifo'] as const)(
    'refuses an existing queue with the policy %s, which would drop deliveries',
    async (policy) => {
      const boss = makeBoss(url)
      const queue = newQueue()
      await boss.start()
      await boss.createQueue(queue, { policy })
      const inbox = pgBossInbox({ boss, schema, queue })
      await expect(inbox.accept(delivery())).rejects.toMatchObject({
        code: 'option_invalid',
        message: expect.stringContaining(policy),
      })
    },
  )

  test('its status names a schema without pg-boss', async () => {
    const inbox = pgBossInbox({ boss: makeBoss(url), schema: `${schema}_other`, queue: newQueue() })
    await expect(inbox.status?.()).rejects.toMatchObject({ code: 'option_invalid' })
  })

  test('reads jobs whose JSON the application’s parsers left as text', async () => {
    const original = types.getTypeParser(types.builtins.JSONB)
    types.setTypeParser(types.builtins.JSONB, (text: string) => text)
    try {
      const inbox = pgBossInbox({ boss: makeBoss(url), schema, queue: newQueue(), pollSeconds: 0.5 })
      const sent = delivery()
      const seen: string[] = []
      await inbox.accept(sent)
      await inbox.start?.(async ({ key }) => {
        seen.push(key)
        return { status: 'processed' }
      })
      await vi.waitFor(() => expect(seen).toEqual([sent.key]), 10_000)
      await inbox.stop?.()
    } finally {
      types.setTypeParser(types.builtins.JSONB, original as (text: string) => unknown)
    }
  })

  test('stops fetching when the application stops pg-boss, and leaves no timer', async () => {
    const boss = makeBoss(url)
    const inbox = pgBossInbox({ boss, schema, queue: newQueue(), pollSeconds: 0.5 })
    await inbox.start?.(finished)
    await boss.stop({ graceful: false })
    await vi.waitFor(() => expect(boss.listenerCount('stopped')).toBe(0))
    await inbox.stop?.()
  })
})

test.each([
  ['an object that is not a pg-boss instance', { boss: {} }],
  ['a schema name that needs quoting', { schema: 'a b' }],
  ['more attempts than an integer of Postgres', { attempts: 2 ** 31 }],
  ['a poll interval that no timer can wait for', { pollSeconds: 1e7 }],
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

test('pgBossInbox names the version that it needs if pg-boss is too old', () => {
  // Versions before 12.12 have no heartbeats.
  const boss = Object.assign(new PgBoss('postgres://postgres@127.0.0.1:1/test'), { touch: undefined as never })
  expect(() => pgBossInbox({ boss })).toThrow(/has no touch.*pg-boss 12\.12 or newer.*explain option_invalid/)
})
