/** `sqliteInbox` on a real file: it stores deliveries durably, processes each once, retries after pauses, and quarantines in the end. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { sqliteInbox } from '../../../src/inboxes/sqlite/sqlite-inbox.js'
import { createReceiver, type Outcome } from '../../../src/index.js'
import { sqliteStore } from '../../../src/stores/sqlite/sqlite-store.js'
import { fixedClock, signDelivery } from '../../../src/testing/index.js'
import { bundleForTests } from '../../support/bundle.js'
import { deferred } from '../../support/deferred.js'
import { countCommits, rowsOf, type TestDatabase } from '../../support/sqlite.js'
import { inboxSuite } from './inbox-suite.js'

const SECRET = 'your_webhook_secret'
const START = Date.parse('2025-01-29T12:00:00Z')
const STEP_MS = 500

let folder: string
let file: string
const opened: DatabaseSync[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'govalid-inbox-'))
  file = join(folder, 'webhooks.db')
})

afterEach(() => {
  for (const each of opened.splice(0)) if (each.isOpen) each.close()
  rmSync(folder, { recursive: true })
})

function openDatabase(path = file): DatabaseSync {
  const database = new DatabaseSync(path)
  opened.push(database)
  return database
}

const created = (id: string) => ({
  event: 'qr.created',
  timestamp: '2025-01-29T12:00:00Z',
  webhook_id: 'wh-001',
  data: { id },
})

function setUp(options: Partial<Parameters<typeof sqliteInbox>[0]> = {}) {
  const clock = fixedClock(START)
  const inbox = sqliteInbox({ database: openDatabase(), clock, ...options })
  const outcomes: Outcome[] = []
  const receiver = createReceiver({
    secret: SECRET,
    clock,
    inbox,
    store: sqliteStore({ database: openDatabase() }),
    onError: () => {},
    onOutcome: (outcome) => void outcomes.push(outcome),
  })
  const accept = async (id: string) => receiver.receive((await signDelivery(created(id), { secret: SECRET })).delivery)
  /** Lets time pass in steps. SQLite responds in real event-loop turns, so each step leaves it a few. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed <= ms; passed += STEP_MS) {
      await clock.advance(Math.min(STEP_MS, ms - passed))
      for (let turn = 0; turn < 10; turn++) await nextTurn()
    }
  }
  const statuses = () => outcomes.map(({ status }) => status).filter((status) => status !== 'accepted')
  return { clock, pass, inbox, receiver, accept, statuses }
}

describe('sqliteInbox keeps the inbox contract', () => {
  inboxSuite(() => {
    const path = file
    return {
      open: (attempts) => sqliteInbox({ database: openDatabase(path), attempts, firstPauseMs: 100, pollMs: 50 }),
      async writeForged(job) {
        const { key = 'e'.repeat(64), body = '' } = job as { key?: string; body?: string }
        openDatabase(path)
          .prepare(`INSERT INTO govalid_inbox (key, raw_body, headers, received_at, due_at) VALUES (?, ?, '{}', 0, 0)`)
          .run(key, Buffer.from(body, 'base64'))
      },
      openUnreachable() {
        const database = openDatabase(path)
        const inbox = sqliteInbox({ database })
        database.close()
        return inbox
      },
    }
  })
})

describe('sqliteInbox', () => {
  test('accepts a delivery and handles it after the response', async () => {
    const { clock, pass, receiver, accept, statuses } = setUp()
    const seen: unknown[] = []
    receiver.on('qr.created', (event) => void seen.push(event.data.id))
    await pass(0)
    expect(await accept('abc123')).toMatchObject({ status: 'accepted' })
    await pass(10)
    expect(seen).toEqual(['abc123'])
    expect(statuses()).toEqual(['processed'])
    expect(await receiver.status()).toMatchObject({ accepted: 1, waiting: 0, drained: true })
    await receiver.close()
    expect(clock.pendingTimers()).toBe(0)
  })

  test('accepts, takes and finishes deliveries that arrive together in groups', async () => {
    const { database, take } = countCommits(openDatabase() as TestDatabase)
    const { pass, receiver, inbox, accept, statuses } = setUp({ database, concurrency: 50 })
    await pass(0)
    take()
    await Promise.all(Array.from({ length: 50 }, (_, index) => accept(`qr-${index}`)))
    expect(await inbox.status()).toMatchObject({ waiting: 50 })
    expect(take()).toBeLessThan(10)
    receiver.on('*', () => {})
    await pass(1000)
    expect(statuses()).toEqual(Array(50).fill('processed'))
    expect(take()).toBeLessThan(10)
  })

  test('accepts the deliveries of a burst before it processes them', async () => {
    const { pass, receiver } = setUp({ concurrency: 200 })
    let accepted = 0
    const acceptedBefore: number[] = []
    receiver.on('qr.created', () => void acceptedBefore.push(accepted))
    await pass(0)
    const [waves, perWave] = [4, 600]
    const ids = Array.from({ length: waves * perWave }, (_, index) => `qr-${index}`)
    const signed = await Promise.all(ids.map((id) => signDelivery(created(id), { secret: SECRET })))
    const receive = async ({ delivery }: (typeof signed)[number]) => {
      expect((await receiver.receive(delivery)).status).toBe('accepted')
      accepted++
    }
    const received: Promise<void>[] = []
    for (let wave = 0; wave < waves; wave++) {
      // More deliveries arrive in an event-loop turn than fit in one group.
      received.push(...signed.slice(wave * perWave, (wave + 1) * perWave).map(receive))
      await nextTurn()
    }
    await Promise.all(received)
    await pass(1000)
    await vi.waitFor(() => expect(acceptedBefore).toHaveLength(ids.length), { timeout: 30_000 })
    expect(Math.min(...acceptedBefore)).toBeGreaterThan(ids.length - 2 * 256)
  })

  test('keeps accepted deliveries across a restart and handles each once', async () => {
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

  test('retries a failing handler after growing pauses and quarantines it after the twentieth attempt', async () => {
    const { clock, pass, inbox, receiver, accept, statuses } = setUp({ pollMs: 4000 })
    const at: number[] = []
    receiver.on('*', () => {
      at.push(clock.now() - START)
      throw new Error('never')
    })
    await pass(0)
    await accept('abc123')
    // SQLite answers in real event-loop turns, so time advances in steps.
    for (let hour = 0; hour < 12; hour++) for (let poll = 0; poll < 900; poll++) await clock.advance(4000)
    expect(at).toHaveLength(20)
    expect(statuses()).toEqual([...Array(19).fill('failed'), 'quarantined'])
    const pauses = at.slice(1).map((time, index) => time - (at[index] as number))
    expect(pauses[0]).toBeGreaterThanOrEqual(4000)
    expect(pauses[0]).toBeLessThanOrEqual(8000)
    for (const pause of pauses.slice(10)) expect(pause).toBeGreaterThan(0.79 * 3_600_000)
    expect(await inbox.status()).toMatchObject({ waiting: 0, processing: 0 })
    expect((await receiver.status()).quarantined).toBe(1)
  })

  test('takes a job again after its process died', async () => {
    const { accept, inbox } = setUp()
    await accept('abc123')
    // The clock of a killed process stands still, so its lease expires.
    const deadClock = fixedClock(START)
    const deadInbox = sqliteInbox({ database: openDatabase(), clock: deadClock })
    deadInbox.start(() => new Promise(() => {}))
    await deadClock.advance(10)
    expect(await inbox.status()).toMatchObject({ waiting: 0, processing: 1 })

    const { pass, receiver } = setUp()
    const seen: unknown[] = []
    receiver.on('qr.created', (event) => void seen.push(event.data.id))
    await pass(59_000)
    expect(seen).toEqual([])
    await pass(3000)
    expect(seen).toEqual(['abc123'])
  })

  test('a worker that was frozen for longer than its lease changes nothing about its job', async () => {
    const { accept, inbox } = setUp()
    await accept('abc123')
    const ends = deferred<Outcome>()
    const frozenClock = fixedClock(START)
    const frozen = sqliteInbox({ database: openDatabase(), clock: frozenClock })
    frozen.start(() => ends.promise)
    await vi.waitFor(async () => expect(await inbox.status()).toMatchObject({ processing: 1 }))

    // Another worker takes the job over, and its handler fails.
    const { pass, receiver, statuses } = setUp()
    receiver.on('*', () => {
      throw new Error('not yet')
    })
    await pass(61_000)
    await vi.waitFor(() => expect(statuses()).toEqual(['failed']))
    await receiver.close()
    const before = rowsOf(openDatabase(), 'SELECT * FROM govalid_inbox')
    ends.resolve({ status: 'processed' })
    await frozen.stop()
    expect(rowsOf(openDatabase(), 'SELECT * FROM govalid_inbox')).toEqual(before)
    expect(before).toHaveLength(1)
  })

  test('handles at most `concurrency` deliveries at once', async () => {
    const { clock, pass, receiver, accept } = setUp({ concurrency: 3 })
    let running = 0
    let maxRunning = 0
    receiver.on('*', async () => {
      maxRunning = Math.max(maxRunning, ++running)
      await new Promise<void>((resolve) => void clock.setTimer(1000, resolve))
      running--
    })
    await pass(0)
    for (let index = 0; index < 10; index++) await accept(`qr-${index}`)
    await pass(10_000)
    expect(maxRunning).toBe(3)
    expect(await receiver.status()).toMatchObject({ waiting: 0, drained: true })
  })

  test('close waits for running handlers and takes no further job', async () => {
    const { clock, pass, receiver, accept, inbox } = setUp({ concurrency: 1 })
    let finished = 0
    receiver.on('*', async () => {
      await new Promise<void>((resolve) => void clock.setTimer(1000, resolve))
      finished++
    })
    await pass(0)
    await accept('one')
    await accept('two')
    await pass(10)
    const closed = receiver.close()
    await pass(2000)
    await closed
    expect(finished).toBe(1)
    expect(await inbox.status()).toMatchObject({ waiting: 1, processing: 0 })
    expect(clock.pendingTimers()).toBe(0)
  })

  test('quarantines a forged job from the file without running a handler', async () => {
    const { pass, receiver, statuses } = setUp()
    let runs = 0
    receiver.on('*', () => void runs++)
    const intruder = openDatabase()
    await receiver.status()
    intruder
      .prepare(`INSERT INTO govalid_inbox (key, raw_body, headers, received_at, due_at) VALUES (?, ?, '{}', 0, 0)`)
      .run('f'.repeat(64), new TextEncoder().encode(JSON.stringify(created('abc123'))))
    await pass(2000)
    expect(statuses()).toEqual(['quarantined'])
    expect(runs).toBe(0)
  })
})

describe('a process that never closes its receiver', () => {
  const script = bundleForTests(join(import.meta.dirname, '../../support/idle-process.ts'))

  test('ends once its deliveries are processed, because an idle inbox does not keep it running', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [script, file])
    expect(stdout).toBe('processed\n')
  })

  test('stays with keepAlive, and processes what other processes accept', async () => {
    const child = spawn(process.execPath, [script, file, 'keepAlive'], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      const lines = createInterface({ input: child.stdout })
      await once(lines, 'line')
      const web = createReceiver({ secret: SECRET, inbox: sqliteInbox({ database: openDatabase() }) })
      const payload = { ...created('abc123'), timestamp: new Date().toISOString() }
      await web.receive((await signDelivery(payload, { secret: SECRET })).delivery)
      await once(lines, 'line')
      expect(child.exitCode).toBeNull()
    } finally {
      child.kill()
      await once(child, 'exit')
    }
  })
})

test('malformed rows do not block the valid jobs next to them', async () => {
  const { pass, receiver, accept, statuses } = setUp()
  const seen: unknown[] = []
  await receiver.status()
  const row = openDatabase().prepare(
    'INSERT INTO govalid_inbox (key, raw_body, headers, received_at, due_at) VALUES (?, ?, ?, ?, 0)',
  )
  row.run('a'.repeat(64), 1e12, '{}', 0)
  row.run('b'.repeat(64), 'text', 'no JSON', 'no time')
  row.run('c'.repeat(64), new Uint8Array(), 'null', 0)
  await accept('abc123')
  receiver.on('qr.created', (event) => void seen.push(event.data.id))
  await pass(2000)
  expect(seen).toEqual(['abc123'])
  expect(statuses().sort()).toEqual(['processed', 'quarantined', 'quarantined', 'quarantined'])
})

test('a full disk makes the inbox unavailable until there is room again', async () => {
  const full = openDatabase()
  const { pass, receiver, accept } = setUp({ database: full })
  const seen: unknown[] = []
  expect(await accept('fits')).toMatchObject({ status: 'accepted' })
  const [{ page_count: pages }] = full.prepare('PRAGMA page_count').all() as [{ page_count: number }]
  full.exec(`PRAGMA max_page_count = ${pages}`)
  const large = 'x'.repeat(100_000)
  expect(await accept(large)).toMatchObject({ status: 'unavailable', code: 'inbox_unavailable' })
  receiver.on('qr.created', (event) => void seen.push(event.data.id))
  await pass(2000)
  expect(seen).toEqual(['fits'])
  full.exec('PRAGMA max_page_count = 1000000')
  expect(await accept(large)).toMatchObject({ status: 'accepted' })
  await pass(2000)
  expect(seen).toEqual(['fits', large])
})

test.each([
  ['an object that is not a database', { database: {} }],
  ['a table name that needs quoting', { table: 'a;b' }],
  ['a concurrency of 0', { concurrency: 0 }],
  ['attempts that are not a number', { attempts: Number.NaN }],
])('sqliteInbox refuses %s', (_, wrong) => {
  expect(() => sqliteInbox({ database: openDatabase(), ...(wrong as object) })).toThrow(/option_invalid/)
})
