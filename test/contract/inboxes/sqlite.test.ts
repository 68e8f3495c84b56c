/** The inbox in a real SQLite file: accepted means durable, worked once, retried with pauses, set aside at last. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sqliteInbox } from '../../../src/inboxes/sqlite/sqlite-inbox.js'
import { createReceiver, type Outcome } from '../../../src/index.js'
import { sqliteStore } from '../../../src/stores/sqlite/sqlite-store.js'
import { fixedClock, signDelivery } from '../../../src/testing/index.js'
import { inboxSuite } from './inbox-suite.js'

const SECRET = 'your_webhook_secret'
const START = Date.parse('2025-01-29T12:00:00Z')

let folder: string
let file: string
const open: DatabaseSync[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'govalid-inbox-'))
  file = join(folder, 'webhooks.db')
})

afterEach(() => {
  for (const each of open.splice(0)) if (each.isOpen) each.close()
  rmSync(folder, { recursive: true })
})

function database(place = file): DatabaseSync {
  const made = new DatabaseSync(place)
  open.push(made)
  return made
}

const created = (id: string) => ({
  event: 'qr.created',
  timestamp: '2025-01-29T12:00:00Z',
  webhook_id: 'wh-001',
  data: { id },
})

function setUp(options: Partial<Parameters<typeof sqliteInbox>[0]> = {}) {
  const clock = fixedClock(START)
  const inbox = sqliteInbox({ database: database(), clock, ...options })
  const outcomes: Outcome[] = []
  const receiver = createReceiver({
    secret: SECRET,
    clock,
    inbox,
    store: sqliteStore({ database: database() }),
    onError: () => {},
    onOutcome: (outcome) => void outcomes.push(outcome),
  })
  const accept = async (id: string) => receiver.receive((await signDelivery(created(id), { secret: SECRET })).delivery)
  const statuses = () => outcomes.map(({ status }) => status).filter((status) => status !== 'accepted')
  return { clock, inbox, receiver, accept, statuses }
}

describe('the suite of every inbox, on a file', () => {
  inboxSuite(() => {
    const place = file
    return {
      open: (attempts) => sqliteInbox({ database: database(place), attempts, firstPauseMs: 100, pollMs: 50 }),
      async writeForged(job) {
        const { key = 'e'.repeat(64), body = '' } = job as { key?: string; body?: string }
        database(place)
          .prepare(`INSERT INTO govalid_inbox (key, raw_body, headers, received_at, due_at) VALUES (?, ?, '{}', 0, 0)`)
          .run(key, Buffer.from(body, 'base64'))
      },
      openUnreachable() {
        const closed = database(place)
        closed.close()
        return sqliteInbox({ database: closed })
      },
    }
  })
})

describe('an inbox in SQLite', () => {
  test('answers accepted, and works the delivery behind the answer', async () => {
    const { clock, receiver, accept, statuses } = setUp()
    const seen: unknown[] = []
    receiver.on('qr.created', (event) => void seen.push(event.data.id))
    await clock.advance(0)
    expect(await accept('abc123')).toMatchObject({ status: 'accepted' })
    await clock.advance(10)
    expect(seen).toEqual(['abc123'])
    expect(statuses()).toEqual(['processed'])
    expect(await receiver.status()).toMatchObject({ accepted: 1, waiting: 0, drained: true })
    await receiver.close()
    expect(clock.pendingTimers()).toBe(0)
  })

  test('keeps what was accepted over a restart, and works it once', async () => {
    const before = setUp()
    expect(await before.accept('abc123')).toMatchObject({ status: 'accepted' })
    expect(await before.accept('abc123')).toMatchObject({ status: 'accepted' })
    expect(await before.receiver.status()).toMatchObject({ waiting: 1, drained: false, oldestWaitingMs: 0 })

    const after = setUp()
    let runs = 0
    after.receiver.on('*', () => void runs++)
    await after.clock.advance(10)
    expect(runs).toBe(1)
    expect(await after.receiver.status()).toMatchObject({ waiting: 0, drained: true })
  })

  test('tries a failing handler again after growing pauses, and sets it aside after the twentieth', async () => {
    const { clock, inbox, receiver, accept, statuses } = setUp()
    const at: number[] = []
    receiver.on('*', () => {
      at.push(clock.now() - START)
      throw new Error('never')
    })
    await clock.advance(0)
    await accept('abc123')
    await clock.advance(24 * 3600 * 1000)
    expect(at).toHaveLength(20)
    expect(statuses()).toEqual([...Array(19).fill('failed'), 'quarantined'])
    const pauses = at.slice(1).map((time, index) => time - (at[index] as number))
    expect(pauses[0]).toBeGreaterThanOrEqual(4000)
    expect(pauses[0]).toBeLessThanOrEqual(7000)
    for (const pause of pauses.slice(10)) expect(pause).toBeGreaterThan(0.79 * 3_600_000)
    expect(await inbox.status()).toMatchObject({ waiting: 0, working: 0 })
    expect((await receiver.status()).quarantined).toBe(1)
  })

  test('takes a job again whose worker died with it', async () => {
    const { accept, inbox } = setUp()
    await accept('abc123')
    // A process that took the job and was killed: its lease runs out.
    const dead = fixedClock(START)
    const other = sqliteInbox({ database: database(), clock: dead })
    other.start(() => new Promise(() => {}))
    await dead.advance(10)
    expect(await inbox.status()).toMatchObject({ waiting: 0, working: 1 })

    const { clock, receiver } = setUp()
    const seen: unknown[] = []
    receiver.on('qr.created', (event) => void seen.push(event.data.id))
    await clock.advance(59_000)
    expect(seen).toEqual([])
    await clock.advance(3000)
    expect(seen).toEqual(['abc123'])
  })

  test('works no more at once than it is told', async () => {
    const { clock, receiver, accept } = setUp({ concurrency: 3 })
    let now = 0
    let most = 0
    receiver.on('*', async () => {
      most = Math.max(most, ++now)
      await new Promise<void>((resolve) => void clock.setTimer(1000, resolve))
      now--
    })
    await clock.advance(0)
    for (let index = 0; index < 10; index++) await accept(`qr-${index}`)
    await clock.advance(10_000)
    expect(most).toBe(3)
    expect(await receiver.status()).toMatchObject({ waiting: 0, drained: true })
  })

  test('close waits for what runs and takes nothing more', async () => {
    const { clock, receiver, accept, inbox } = setUp({ concurrency: 1 })
    let finished = 0
    receiver.on('*', async () => {
      await new Promise<void>((resolve) => void clock.setTimer(1000, resolve))
      finished++
    })
    await clock.advance(0)
    await accept('one')
    await accept('two')
    await clock.advance(10)
    const closed = receiver.close()
    await clock.advance(2000)
    await closed
    expect(finished).toBe(1)
    expect(await inbox.status()).toMatchObject({ waiting: 1, working: 0 })
    expect(clock.pendingTimers()).toBe(0)
  })

  test('refuses a job that somebody else wrote into the file, and keeps it in quarantine', async () => {
    const { clock, receiver, statuses } = setUp()
    let runs = 0
    receiver.on('*', () => void runs++)
    const intruder = database()
    await receiver.status()
    intruder
      .prepare(`INSERT INTO govalid_inbox (key, raw_body, headers, received_at, due_at) VALUES (?, ?, '{}', 0, 0)`)
      .run('f'.repeat(64), new TextEncoder().encode(JSON.stringify(created('abc123'))))
    await clock.advance(2000)
    expect(statuses()).toEqual(['quarantined'])
    expect(runs).toBe(0)
  })
})

test('a row that somebody else wrote and that is no job does not keep those beside it', async () => {
  const { clock, receiver, accept, statuses } = setUp()
  const seen: unknown[] = []
  await receiver.status()
  const row = database().prepare(
    'INSERT INTO govalid_inbox (key, raw_body, headers, received_at, due_at) VALUES (?, ?, ?, ?, 0)',
  )
  row.run('a'.repeat(64), 1e12, '{}', 0)
  row.run('b'.repeat(64), 'text', 'no JSON', 'no time')
  row.run('c'.repeat(64), new Uint8Array(), 'null', 0)
  await accept('abc123')
  receiver.on('qr.created', (event) => void seen.push(event.data.id))
  await clock.advance(2000)
  expect(seen).toEqual(['abc123'])
  expect(statuses().sort()).toEqual(['processed', 'quarantined', 'quarantined', 'quarantined'])
})

test('a full disk is answered 503, and the process goes on as soon as there is room', async () => {
  const full = database()
  const { clock, receiver, accept } = setUp({ database: full })
  const seen: unknown[] = []
  expect(await accept('fits')).toMatchObject({ status: 'accepted' })
  const [{ page_count: pages }] = full.prepare('PRAGMA page_count').all() as [{ page_count: number }]
  full.exec(`PRAGMA max_page_count = ${pages}`)
  const large = 'x'.repeat(100_000)
  expect(await accept(large)).toMatchObject({ status: 'unavailable', code: 'inbox_unavailable' })
  receiver.on('qr.created', (event) => void seen.push(event.data.id))
  await clock.advance(2000)
  expect(seen).toEqual(['fits'])
  full.exec('PRAGMA max_page_count = 1000000')
  expect(await accept(large)).toMatchObject({ status: 'accepted' })
  await clock.advance(2000)
  expect(seen).toEqual(['fits', large])
})

test.each([
  ['a database that is none', { database: {} }],
  ['a table that is no plain name', { table: 'a;b' }],
  ['no concurrency', { concurrency: 0 }],
  ['tries that are no number', { attempts: Number.NaN }],
])('refuses %s at creation', (_, wrong) => {
  expect(() => sqliteInbox({ database: database(), ...(wrong as object) })).toThrow(/option_invalid/)
})
