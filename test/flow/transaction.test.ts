/** `context.transaction`: what the receiver makes of a store's transactions. The drivers' own are tested against their databases. */
import { describe, expect, test } from 'vitest'
import { isWebhookError, memoryStore, type Store, type TransactionRequest } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { EVENT_TIME } from '../support/payloads.js'
import { receiving } from '../support/receiving.js'

type Transact = <T>(work: () => Promise<T>) => Promise<T>

/** A store whose transactions commit their checkpoint with what `work` wrote: here by a renewal after it. */
function open() {
  const clock = fixedClock(EVENT_TIME)
  const inner = memoryStore({ clock })
  const opened: TransactionRequest[] = []
  const store: Store<Transact> = {
    ...inner,
    transaction: (request) => async (work) => {
      opened.push(request)
      const value = await work()
      await inner.renew({ key: request.key, token: request.token, leaseMs: 55_000, handlersDone: [request.checkpoint] })
      return value
    },
  }
  return { opened, ...receiving({ clock, store }) }
}

test('it gives back what the work gives back', async () => {
  const seen: unknown[] = []
  const { receiver, deliver, opened } = open()
  receiver.on('qr.scanned', async (_, { transaction }) => void seen.push(await transaction(async () => 42)), {
    name: 'count',
  })
  const outcome = await deliver()
  expect(seen).toEqual([42])
  expect(opened).toEqual([
    { key: outcome.idempotencyKey, token: expect.stringMatching(/^[0-9a-f]{32}-1$/), checkpoint: 'count' },
  ])
})

test('once it has committed its handler is done, even when that fails afterwards', async () => {
  const seen: string[] = []
  const { receiver, tries } = open()
  receiver.on(
    'qr.scanned',
    async (_, { transaction }) => {
      await transaction(async () => void seen.push('counted'))
      throw new Error('after the commit')
    },
    { name: 'count' },
  )
  const made = await tries()
  expect(made.map(({ http }) => http)).toEqual([500, 200])
  expect(seen).toEqual(['counted'])
})

test('a work that fails commits nothing: the next try does it', async () => {
  let calls = 0
  const { receiver, tries } = open()
  receiver.on('qr.scanned', (_, { transaction }) =>
    transaction(async () => {
      if (++calls === 1) throw new Error('constraint')
    }),
  )
  const made = await tries()
  expect(made[0]?.outcome).toMatchObject({ status: 'failed', error: new Error('constraint') })
  expect(made.map(({ http }) => http)).toEqual([500, 200])
})

describe('the checkpoint', () => {
  test('of an event’s only handler needs no name', async () => {
    const { receiver, deliver, opened } = open()
    receiver.on('qr.scanned', (_, { transaction }) => transaction(async () => {}))
    expect((await deliver()).status).toBe('processed')
    expect(opened).toMatchObject([{ checkpoint: '(only)' }])
  })

  test('of one of several does: transaction_needs_name, and nothing is done', async () => {
    const { receiver, deliver, opened } = open()
    receiver.on('qr.scanned', () => {}, { name: 'mail' })
    receiver.on('qr.scanned', (_, { transaction }) => transaction(async () => expect.unreachable()))
    const outcome = await deliver()
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'transaction_needs_name' } })
    expect(outcome.status === 'failed' && isWebhookError(outcome.error) && outcome.error.message).toContain('{ name }')
    expect(opened).toEqual([])
  })
})

test('the context has everything else beside it', async () => {
  const seen: unknown[] = []
  const { receiver, deliver } = open()
  receiver.on('qr.scanned', (_, context) => {
    const { transaction, attempt, idempotencyKey, signal } = context
    seen.push(typeof transaction, attempt, idempotencyKey, signal.aborted)
  })
  const outcome = await deliver()
  expect(seen).toEqual(['function', 1, outcome.idempotencyKey, false])
})
