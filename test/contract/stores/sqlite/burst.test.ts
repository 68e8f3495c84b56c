/** A burst of deliveries over sqliteStore and sqliteInbox: all get 200, and each is handled once. Time stands still, so only counts matter. */
import { DatabaseSync } from 'node:sqlite'
import { expect, test, vi } from 'vitest'
import { sqliteInbox } from '../../../../src/inboxes/sqlite/sqlite-inbox.js'
import { createReceiver, type Inbox, type Store } from '../../../../src/index.js'
import { sqliteStore } from '../../../../src/stores/sqlite/sqlite-store.js'
import { fixedClock, signDelivery } from '../../../../src/testing/index.js'
import { temporaryFiles } from '../../../support/sqlite.js'

const SECRET = 'your_webhook_secret'
const COUNT = 5000
const newFile = temporaryFiles()

function setUp(open: (clock: ReturnType<typeof fixedClock>) => { store: Store<never>; inbox?: Inbox }) {
  const clock = fixedClock()
  const handled = new Map<string, number>()
  const receiver = createReceiver({ secret: SECRET, clock, onError: () => {}, ...open(clock) }).on(
    'qr.created',
    (event) => {
      const id = String(event.data.id)
      handled.set(id, (handled.get(id) ?? 0) + 1)
    },
  )
  return { clock, receiver, handled }
}

async function signMany() {
  const timestamp = new Date(Date.now() - 1000).toISOString()
  return Promise.all(
    Array.from({ length: COUNT }, async (_, index) => {
      const payload = { event: 'qr.created', timestamp, data: { id: `qr-${index}` } }
      return (await signDelivery(payload, { secret: SECRET })).delivery
    }),
  )
}

test(`${COUNT} deliveries at once are processed once each`, async () => {
  const { receiver, handled } = setUp((clock) => ({
    store: sqliteStore({ database: new DatabaseSync(newFile()), clock }) as never,
  }))
  const deliveries = await signMany()
  const outcomes = await Promise.all(deliveries.map((delivery) => receiver.receive(delivery)))
  expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['processed']))
  expect([handled.size, new Set(handled.values())]).toEqual([COUNT, new Set([1])])
  const again = await Promise.all(deliveries.map((delivery) => receiver.receive(delivery)))
  expect(new Set(again.map(({ status }) => status))).toEqual(new Set(['duplicate']))
})

test(`${COUNT} deliveries at once are accepted by an inbox and processed once each`, async () => {
  const file = newFile()
  const { clock, receiver, handled } = setUp((clock) => ({
    store: sqliteStore({ database: new DatabaseSync(file), clock }) as never,
    inbox: sqliteInbox({ database: new DatabaseSync(file), clock, concurrency: 100 }),
  }))
  await clock.advance(0)
  const deliveries = await signMany()
  const outcomes = await Promise.all(deliveries.map((delivery) => receiver.receive(delivery)))
  expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['accepted']))
  await vi.waitFor(() => expect(handled.size).toBe(COUNT), { timeout: 60_000 })
  expect(new Set(handled.values())).toEqual(new Set([1]))
  await receiver.close()
})
