/** `context.transaction`: the receiver's half. The drivers' transactions are tested with their databases. */
import { describe, expect, test } from 'vitest'
import { isWebhookError, memoryStore, type Store, type TransactionRequest } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { EVENT_TIME } from '../support/payloads.js'
import { receiving } from '../support/receiving.js'

type Transact = <T>(work: () => Promise<T>) => Promise<T>

/** A store whose transactions save the checkpoint after `work`, by renewing the claim. */
function open({ begin = async () => {}, commit = async () => {} } = {}) {
  const clock = fixedClock(EVENT_TIME)
  const inner = memoryStore({ clock })
  const opened: TransactionRequest[] = []
  const store: Store<Transact> = {
    ...inner,
    transaction: (request) => async (work) => {
      opened.push(request)
      await begin()
      const value = await work()
      await commit()
      await inner.renew({
        key: request.key,
        token: request.token,
        leaseMs: 55_000,
        completedHandlers: [request.checkpoint],
      })
      return value
    },
  }
  return { opened, ...receiving({ clock, store }) }
}

test('transaction resolves to the result of its callback', async () => {
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

test('a handler counts as finished once its transaction has committed, even if it fails afterwards', async () => {
  const seen: string[] = []
  const { receiver, attempts } = open()
  receiver.on(
    'qr.scanned',
    async (_, { transaction }) => {
      await transaction(async () => void seen.push('counted'))
      throw new Error('after the commit')
    },
    { name: 'count' },
  )
  const made = await attempts()
  expect(made.map(({ http }) => http)).toEqual([500, 200])
  expect(seen).toEqual(['counted'])
})

test('the completion and the release list a committed handler once', async () => {
  const clock = fixedClock(EVENT_TIME)
  const written: unknown[] = []
  const inner = memoryStore({ clock })
  const store: Store<Transact> = {
    ...inner,
    complete: (request) => {
      written.push(request.completedHandlers)
      return inner.complete(request)
    },
    release: (request) => {
      written.push(request.completedHandlers)
      return inner.release(request)
    },
    transaction: () => (work) => work(),
  }
  const { receiver, attempts } = receiving({ clock, store })
  let calls = 0
  receiver.on(
    'qr.scanned',
    async (_, { transaction }) => {
      calls++
      await transaction(async () => {})
      throw new Error('after its commit')
    },
    { name: 'count' },
  )
  receiver.on('qr.scanned', (_, { transaction }) => transaction(async () => {}), { name: 'mail' })
  expect((await attempts()).map(({ http }) => http)).toEqual([500, 200])
  expect([calls, written]).toEqual([
    1,
    [
      ['count', 'mail'],
      ['count', 'mail'],
    ],
  ])
})

test('the store receives any argument unchanged, and may call a synchronous callback', async () => {
  const received: unknown[] = []
  const clock = fixedClock(EVENT_TIME)
  const store: Store<(work: unknown) => Promise<unknown>> = {
    ...memoryStore({ clock }),
    transaction: () => async (work) => {
      received.push(work)
      return typeof work === 'function' ? work() : undefined
    },
  }
  const { receiver, deliver } = receiving({ clock, store })
  const names = ['text', 'sync'] as const
  const results: unknown[] = []
  for (const name of names) {
    receiver.on(
      'qr.scanned',
      async (_, { transaction }) => void results.push(await transaction(name === 'text' ? 'not a function' : () => 42)),
      { name },
    )
  }
  expect((await deliver()).status).toBe('processed')
  expect([received[0], results]).toEqual(['not a function', [undefined, 42]])
})

test('a callback that fails commits nothing, and the next attempt runs it again', async () => {
  let calls = 0
  const { receiver, attempts } = open()
  receiver.on('qr.scanned', (_, { transaction }) =>
    transaction(async () => {
      if (++calls === 1) throw new Error('constraint')
    }),
  )
  const made = await attempts()
  expect(made[0]?.outcome).toMatchObject({ status: 'failed', error: new Error('constraint') })
  expect(made.map(({ http }) => http)).toEqual([500, 200])
})

describe('the checkpoint', () => {
  test('needs no name if the event has one handler', async () => {
    const { receiver, deliver, opened } = open()
    receiver.on('qr.scanned', (_, { transaction }) => transaction(async () => {}))
    expect((await deliver()).status).toBe('processed')
    expect(opened).toMatchObject([{ checkpoint: '(only)' }])
  })

  test('fails with transaction_needs_name if the event has several handlers', async () => {
    const { receiver, deliver, opened } = open()
    receiver.on('qr.scanned', () => {}, { name: 'mail' })
    receiver.on('qr.scanned', (_, { transaction }) => transaction(async () => expect.unreachable()))
    const outcome = await deliver()
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'transaction_needs_name' } })
    expect(outcome.status === 'failed' && isWebhookError(outcome.error) && outcome.error.message).toContain('{ name }')
    expect(opened).toEqual([])
  })
})

describe('a second transaction in one run', () => {
  test('is refused with transaction_repeated, because the first has marked the handler as finished', async () => {
    const { receiver, attempts, opened } = open()
    receiver.on('qr.scanned', async (_, { transaction }) => {
      await transaction(async () => {})
      await transaction(async () => expect.unreachable())
    })
    const made = await attempts()
    expect(made[0]).toMatchObject({ http: 500, outcome: { status: 'failed', error: { code: 'transaction_repeated' } } })
    expect(made[1]?.http).toBe(200)
    expect(opened).toHaveLength(1)
  })

  test('is refused while the first is still open', async () => {
    const { receiver, deliver, opened } = open()
    receiver.on('qr.scanned', (_, { transaction }) =>
      Promise.all([transaction(async () => {}), transaction(async () => expect.unreachable())]),
    )
    expect(await deliver()).toMatchObject({ status: 'failed', error: { code: 'transaction_repeated' } })
    expect(opened).toHaveLength(1)
  })

  test('is refused if the commit of the first failed, because it may have succeeded', async () => {
    const { receiver, deliver } = open({ commit: () => Promise.reject(new Error('connection lost')) })
    receiver.on('qr.scanned', async (_, { transaction }) => {
      await expect(transaction(async () => {})).rejects.toThrow('connection lost')
      await transaction(async () => expect.unreachable())
    })
    expect(await deliver()).toMatchObject({ status: 'failed', error: { code: 'transaction_repeated' } })
  })

  test.each<[string, () => Promise<never>]>([
    ['rejected', () => Promise.reject(new Error('serialization failure'))],
    [
      'threw',
      () => {
        throw new Error('serialization failure')
      },
    ],
  ])('is allowed if the callback of the first %s, because nothing was committed', async (_, fails) => {
    const { receiver, deliver, opened } = open()
    receiver.on('qr.scanned', async (_event, { transaction }) => {
      await expect(transaction(fails)).rejects.toThrow('serialization failure')
      await transaction(async () => {})
    })
    expect((await deliver()).status).toBe('processed')
    expect(opened).toHaveLength(2)
  })

  test('is allowed if the callback of the first was never called', async () => {
    let isDown = true
    const { receiver, deliver, opened } = open({
      async begin() {
        if (isDown) throw new Error('no connection')
      },
    })
    receiver.on('qr.scanned', async (_event, { transaction }) => {
      await expect(transaction(async () => expect.unreachable())).rejects.toThrow('no connection')
      isDown = false
      await transaction(async () => {})
    })
    expect((await deliver()).status).toBe('processed')
    expect(opened).toHaveLength(2)
  })

  test('is allowed in another handler', async () => {
    const { receiver, deliver, opened } = open()
    for (const name of ['count', 'bill']) {
      receiver.on('qr.scanned', (_, { transaction }) => transaction(async () => {}), { name })
    }
    expect((await deliver()).status).toBe('processed')
    expect(opened.map(({ checkpoint }) => checkpoint)).toEqual(['count', 'bill'])
  })
})

test('the context has all its other fields next to transaction', async () => {
  const seen: unknown[] = []
  const { receiver, deliver } = open()
  receiver.on('qr.scanned', (_, context) => {
    const { transaction, attempt, idempotencyKey, signal } = context
    seen.push(typeof transaction, attempt, idempotencyKey, signal.aborted)
  })
  const outcome = await deliver()
  expect(seen).toEqual(['function', 1, outcome.idempotencyKey, false])
})
