/** After `close` has stopped waiting, whatever hangs: every request has its response, and no timer keeps the process alive. */
import { expect, test } from 'vitest'
import { type Clock, createReceiver, type Delivery, memoryStore, type ReceiverOptions } from '../../src/index.js'
import { type FixedClock, fixedClock, signDelivery } from '../../src/testing/index.js'
import { faultyStore, type StoreCall } from '../support/faulty-store.js'
import { jobOf } from '../support/handed-out.js'
import { EVENT_TIME } from '../support/payloads.js'
import { MINUTE, receiving, SECOND, SECRET } from '../support/receiving.js'

const never = () => new Promise<never>(() => {})

/** Counts the timers that keep a process alive. */
function counting(clock: FixedClock): { readonly clock: Clock; active(): number } {
  const active = new Set<object>()
  return {
    active: () => active.size,
    clock: {
      now: clock.now,
      setTimer(ms, fn, options) {
        const timer = {}
        if (!options?.isIdle) active.add(timer)
        const cancel = clock.setTimer(ms, () => {
          active.delete(timer)
          fn()
        })
        return () => {
          active.delete(timer)
          cancel()
        }
      },
    },
  }
}

interface Hang {
  readonly name: string
  readonly options?: (clock: Clock) => Partial<ReceiverOptions>
  readonly handler?: () => unknown
  readonly body?: Delivery['body']
  /** The age of the event, in milliseconds. Default: 0, its first attempt. */
  readonly ageMs?: number
  readonly status: string
  /** When the call that hangs has reached its time limit, in milliseconds. Default: 5 seconds. */
  readonly limitMs?: number
}

const hangingStore = (call: StoreCall) => (clock: Clock) => {
  const store = faultyStore(memoryStore({ clock }))
  store.fail(call, 'hangs')
  return { store }
}
const failing = () => Promise.reject(new Error('no database'))
const quarantine = Object.assign(never, { discard: never })

const HANGS: readonly Hang[] = [
  { name: 'a handler', handler: never, status: 'unfinished' },
  {
    name: 'a handler with an early entry',
    handler: never,
    options: () => ({ quarantine }),
    ageMs: MINUTE,
    status: 'unfinished',
  },
  { name: 'the claim', options: hangingStore('claim'), status: 'unavailable', limitMs: 15 * SECOND },
  { name: 'the completion', options: hangingStore('complete'), status: 'processed' },
  { name: 'the release', options: hangingStore('release'), handler: failing, status: 'failed' },
  { name: 'the inbox', options: () => ({ inbox: { accept: never } }), status: 'unavailable' },
  { name: 'the quarantine', options: () => ({ quarantine, maxAgeMs: SECOND }), ageMs: MINUTE, status: 'unavailable' },
  { name: 'the secret function', options: () => ({ secret: never }), status: 'unavailable' },
  {
    name: 'a schema',
    options: () => ({ schemas: { 'qr.scanned': { '~standard': { version: 1, vendor: 'test', validate: never } } } }),
    status: 'failed',
  },
  { name: 'the body', body: { read: () => () => {} }, status: 'refused' },
]

test.each(HANGS)('$name', async ({ options, handler = () => {}, body, ageMs = 0, status, limitMs = 5 * SECOND }) => {
  const fixed = fixedClock(Date.parse(EVENT_TIME) + ageMs)
  const { clock, active } = counting(fixed)
  const receiver = createReceiver({ secret: SECRET, onError: () => {}, ...options?.(clock), clock } as ReceiverOptions)
  receiver.on('qr.scanned', handler)
  const { signature, rawBody } = await signDelivery(
    { event: 'qr.scanned', timestamp: EVENT_TIME, data: {} },
    { secret: SECRET },
  )
  const outcome = receiver.receive({
    method: 'POST',
    header: (name) => (name === 'x-govalid-signature' ? signature : undefined),
    body: body ?? rawBody,
  })
  let hasResponse = false
  void outcome.then(() => {
    hasResponse = true
  })
  await fixed.advance(100)
  const closed = receiver.close({ timeoutMs: 200 })
  await fixed.advance(200)
  await closed
  await fixed.advance(0)
  expect({ hasResponse, active: active() }).toEqual({ hasResponse: true, active: 0 })
  expect(await outcome).toMatchObject({ status })
  // The call that hung reaches its time limit, and nothing is tried again.
  await fixed.advance(limitMs)
  expect(fixed.pendingTimers()).toBe(0)
})

test('a job whose handler hangs keeps no lease, so another process can claim it sooner', async () => {
  const clock = fixedClock(EVENT_TIME)
  const store = faultyStore(memoryStore({ clock }))
  const { receiver } = receiving({ clock, store })
  receiver.on('qr.scanned', never)
  const processing = receiver.process(jobOf(), { number: 1, last: false })
  await clock.advance(SECOND)
  const closed = receiver.close({ timeoutMs: 0 })
  await clock.advance(SECOND)
  await closed
  expect(await processing).toMatchObject({ status: 'unfinished' })
  expect(store.count('renew')).toBe(0)
})
