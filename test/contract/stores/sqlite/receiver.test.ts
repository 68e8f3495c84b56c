/** A receiver with sqliteStore: restarts, other writers on the file, corrupt records, and exactly-once effects. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createReceiver, type ErrorReport } from '../../../../src/index.js'
import {
  type SqliteStoreOptions,
  type SqliteTransaction,
  sqliteStore,
} from '../../../../src/stores/sqlite/sqlite-store.js'
import { fixedClock, signDelivery } from '../../../../src/testing/index.js'
import { LIBRARIES, makeLater, rowsOf, type TestDatabase, temporaryFiles } from '../../../support/sqlite.js'

const SECRET = 'your_webhook_secret'
const LEASE_MS = 55_000
const newFile = temporaryFiles()

type Context = { readonly attempt: number; readonly transaction: SqliteTransaction<TestDatabase> }

/** Creates a receiver with one handler and its own connection, like a separate process. */
function startProcess(
  database: TestDatabase,
  handle: (context: Context) => unknown,
  options: Partial<SqliteStoreOptions<TestDatabase>> = {},
) {
  const reports: ErrorReport[] = []
  const receiver = createReceiver({
    secret: SECRET,
    store: sqliteStore({ database, ...options }),
    onError: (report) => reports.push(report),
    ...(options.clock && { clock: options.clock }),
  }).on('qr.created', (_, context) => handle(context))
  return { receiver, reports }
}

/** Lets the store try to write in real event-loop turns, before a fixed clock advances. */
async function afterTurns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await nextTurn()
}

async function signedEvent(data: object = {}) {
  // Not in the future of a fixed clock that was created before.
  const timestamp = new Date(Date.now() - 1000).toISOString()
  const { delivery } = await signDelivery({ event: 'qr.created', timestamp, data }, { secret: SECRET })
  return delivery
}

describe.each(Object.entries(LIBRARIES))('a receiver with sqliteStore and %s', (_, open) => {
  test('recognizes a finished delivery in another process and after a restart', async () => {
    const file = newFile()
    let calls = 0
    const [first, second] = [open(file), open(file)].map((database) => startProcess(database, () => calls++))
    const delivery = await signedEvent()
    expect((await first?.receiver.receive(delivery))?.status).toBe('processed')
    expect((await second?.receiver.receive(delivery))?.status).toBe('duplicate')
    const restarted = startProcess(open(file), () => calls++)
    expect((await restarted.receiver.receive(delivery)).status).toBe('duplicate')
    expect(calls).toBe(1)
  })

  test('returns unavailable in time while another connection writes, and processes the event afterwards', async () => {
    const file = newFile()
    const clock = fixedClock()
    let calls = 0
    const { receiver, reports } = startProcess(open(file), () => calls++, { clock })
    const delivery = await signedEvent()
    const other = open(file)
    other.exec('CREATE TABLE other (id INTEGER)')
    other.exec('BEGIN IMMEDIATE')
    for (let attempt = 0; attempt < 2; attempt++) {
      const response = receiver.receive(delivery)
      await afterTurns()
      await clock.advance(4600)
      expect(await response).toMatchObject({ status: 'unavailable', code: 'store_unavailable' })
    }
    other.exec('COMMIT')
    expect(calls).toBe(0)
    expect(clock.pendingTimers()).toBe(0)
    expect(reports.map(({ code, error }) => [code, String(error)])).toEqual(
      Array(2).fill(['store_unavailable', expect.stringContaining('Keep write transactions on this file short')]),
    )
    expect(await receiver.receive(delivery)).toMatchObject({ status: 'processed', attempt: 1 })
    expect(calls).toBe(1)
  })

  test('waits for another writer without blocking the process', async () => {
    const file = newFile()
    const { receiver } = startProcess(open(file), () => {})
    await receiver.receive(await signedEvent({ first: true }))
    const other = open(file)
    other.exec('BEGIN IMMEDIATE')
    const response = receiver.receive(await signedEvent())
    // The other writer is this process. It could never commit if waiting blocked the process.
    setTimeout(() => other.exec('COMMIT'), 50)
    expect((await response).status).toBe('processed')
  })

  test('returns unavailable for a corrupt record, reports it and calls no handler', async () => {
    const file = newFile()
    const database = open(file)
    let calls = 0
    const { receiver, reports } = startProcess(database, () => {
      calls++
      throw new Error('the first attempt fails')
    })
    const delivery = await signedEvent()
    expect((await receiver.receive(delivery)).status).toBe('failed')
    for (const garbage of [
      `completed_handlers = 'no JSON'`,
      `completed_handlers = '{}'`,
      `attempt = 'many', completed_handlers = '[]'`,
    ]) {
      database.exec(`UPDATE govalid_deliveries SET ${garbage}`)
      expect(await receiver.receive(delivery)).toMatchObject({ status: 'unavailable' })
    }
    expect(calls).toBe(1)
    expect(reports.slice(1).map(({ code }) => code.slice(0, 6))).toEqual(['store_', 'store_', 'store_'])
  })

  test('returns processed if the completion cannot be written for ten minutes, and writes it afterwards', async () => {
    const file = newFile()
    const clock = fixedClock()
    const other = open(file)
    let calls = 0
    const handle = () => {
      calls++
      other.exec('BEGIN IMMEDIATE')
    }
    const { receiver, reports } = startProcess(open(file), handle, { clock })
    const delivery = await signedEvent()
    const response = receiver.receive(delivery)
    await afterTurns()
    await clock.advance(5000)
    expect((await response).status).toBe('processed')
    expect(reports.map(({ code }) => code)).toEqual(['completion_delayed'])
    await clock.advance(10 * 60_000)
    other.exec('COMMIT')
    await clock.advance(30_000)
    expect(rowsOf(other, 'SELECT state FROM govalid_deliveries')).toMatchObject([{ state: 'done' }])
    expect((await receiver.receive(delivery)).status).toBe('duplicate')
    expect([calls, reports.map(({ code }) => code), clock.pendingTimers()]).toEqual([1, ['completion_delayed'], 0])
  })

  test('runs a handler again after its lease if the release of the failed attempt could not be written', async () => {
    const file = newFile()
    const clock = fixedClock()
    const other = open(file)
    const attempts: number[] = []
    const handle = ({ attempt }: Context) => {
      attempts.push(attempt)
      if (attempt > 1) return
      other.exec('BEGIN IMMEDIATE')
      throw new Error('the first attempt fails')
    }
    const { receiver } = startProcess(open(file), handle, { clock })
    const delivery = await signedEvent()
    const response = receiver.receive(delivery)
    await afterTurns()
    await clock.advance(5000)
    expect((await response).status).toBe('failed')
    other.exec('COMMIT')
    makeLater(other, LEASE_MS)
    expect(await receiver.receive(delivery)).toMatchObject({ status: 'processed', attempt: 2 })
    expect(attempts).toEqual([1, 2])
  })
})

describe.each(Object.entries(LIBRARIES))('a transaction of sqliteStore with %s', (_, open) => {
  /** Creates a file with a table of effects, and a process whose handler writes one effect. */
  function startScene(handle?: (context: Context, write: () => Promise<void>) => unknown) {
    const file = newFile()
    const bystander = open(file)
    bystander.exec('CREATE TABLE effects (id INTEGER PRIMARY KEY)')
    const runs: number[] = []
    const start = () =>
      startProcess(open(file), async (context) => {
        runs.push(context.attempt)
        const write = () =>
          context.transaction((tx) => {
            tx.exec('INSERT INTO effects DEFAULT VALUES')
          })
        await (handle ? handle(context, write) : write())
      })
    return { bystander, runs, start, effects: () => rowsOf(bystander, 'SELECT id FROM effects').length }
  }

  test('commits exactly once if its process ends before the completion', async () => {
    const scene = startScene(async ({ attempt }, write) => {
      await write()
      // The process of the first attempt ends here.
      if (attempt === 1) await new Promise(() => {})
    })
    const delivery = await signedEvent()
    void scene.start().receiver.receive(delivery)
    while (scene.effects() === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    makeLater(scene.bystander, LEASE_MS)
    expect(await scene.start().receiver.receive(delivery)).toMatchObject({ status: 'processed', attempt: 2 })
    expect([scene.effects(), scene.runs]).toEqual([1, [1]])
  })

  test('commits exactly once if the handler fails after it', async () => {
    const scene = startScene(async (_context, write) => {
      await write()
      throw new Error('after the commit')
    })
    const { receiver } = scene.start()
    const delivery = await signedEvent()
    expect((await receiver.receive(delivery)).status).toBe('failed')
    expect(await receiver.receive(delivery)).toMatchObject({ status: 'processed', attempt: 2 })
    expect([scene.effects(), scene.runs]).toEqual([1, [1]])
  })

  test('rolls back if its function throws, and runs again with the next attempt', async () => {
    const scene = startScene(async ({ attempt, transaction }) => {
      await transaction((tx) => {
        tx.exec('INSERT INTO effects DEFAULT VALUES')
        if (attempt === 1) throw new Error('within the transaction')
      })
    })
    const { receiver } = scene.start()
    const delivery = await signedEvent()
    expect((await receiver.receive(delivery)).status).toBe('failed')
    expect(scene.effects()).toBe(0)
    expect((await receiver.receive(delivery)).status).toBe('processed')
    expect([scene.effects(), scene.runs]).toEqual([1, [1, 2]])
  })

  test('is refused with transaction_repeated the second time in a run, and the first one stays committed', async () => {
    const scene = startScene(async (_context, write) => {
      await write()
      await write()
    })
    const { receiver } = scene.start()
    const delivery = await signedEvent()
    expect(await receiver.receive(delivery)).toMatchObject({
      status: 'failed',
      error: { code: 'transaction_repeated' },
    })
    expect((await receiver.receive(delivery)).status).toBe('processed')
    expect([scene.effects(), scene.runs]).toEqual([1, [1]])
  })

  test('refuses an async function with transaction_async and rolls back its writes', async () => {
    const scene = startScene(async ({ transaction }) => {
      const insert = async (tx: TestDatabase) => tx.exec('INSERT INTO effects DEFAULT VALUES')
      await transaction(insert as never)
    })
    const outcome = await scene.start().receiver.receive(await signedEvent())
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'transaction_async' } })
    expect(scene.effects()).toBe(0)
  })

  test('refuses a late owner with lease_lost without calling its function', async () => {
    let called = 0
    const scene = startScene(async ({ attempt, transaction }, write) => {
      if (attempt > 1) return write()
      makeLater(scene.bystander, LEASE_MS)
      expect((await scene.start().receiver.receive(delivery)).status).toBe('processed')
      await transaction(() => called++)
    })
    const delivery = await signedEvent()
    const outcome = await scene.start().receiver.receive(delivery)
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'lease_lost' } })
    expect([scene.effects(), scene.runs, called]).toEqual([1, [1, 2], 0])
  })

  test('fails if its function commits or rolls back by itself', async () => {
    for (const ending of ['COMMIT', 'ROLLBACK', 'ROLLBACK; BEGIN']) {
      const scene = startScene(({ transaction }) => transaction((tx) => void tx.exec(ending)))
      const { receiver } = scene.start()
      const delivery = await signedEvent()
      expect((await receiver.receive(delivery)).status).toBe('failed')
      expect(rowsOf(scene.bystander, 'SELECT completed_handlers FROM govalid_deliveries')).toEqual([
        { completed_handlers: '[]' },
      ])
    }
  })

  test('waits longer for another writer than a store call may take', async () => {
    const scene = startScene(async (_context, write) => {
      scene.bystander.exec('BEGIN IMMEDIATE')
      setTimeout(() => scene.bystander.exec('COMMIT'), 1200)
      await write()
    })
    expect((await scene.start().receiver.receive(await signedEvent())).status).toBe('processed')
    expect(scene.effects()).toBe(1)
  })
})
