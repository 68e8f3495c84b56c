/** Closing a receiver: acceptance case 184, and closing with a time limit. */
import { describe, expect, test } from 'vitest'
import { memoryStore } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { deferred } from '../support/deferred.js'
import { faultyStore } from '../support/faulty-store.js'
import { EVENT_TIME, scannedEvent } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { HOUR, MINUTE, pause, receiving, SECOND } from '../support/receiving.js'

const numbered = (count: number) => scannedEvent({ data: { ...scannedEvent().data, scan_count: count } })

/** Whether a promise has settled by now. */
async function isSettled(pending: Promise<unknown>): Promise<boolean> {
  return Promise.race([pending.then(() => true), new Promise<boolean>((resolve) => setImmediate(resolve, false))])
}

test('close waits for ten running handlers and their completions, and new requests get 503 at once (acceptance case 184)', async () => {
  const clock = fixedClock(EVENT_TIME)
  const store = faultyStore(memoryStore({ clock }))
  const { receiver, deliver, attempt } = receiving({ clock, store })
  let done = 0
  receiver.on('qr.scanned', async () => {
    await pause(clock, 20 * SECOND)
    done++
  })
  const running = Array.from({ length: 10 }, (_, count) => deliver(numbered(count)))
  await clock.advance(5 * SECOND)
  const closed = receiver.close()
  expect(await attempt(numbered(99))).toMatchObject({
    http: 503,
    ms: 0,
    outcome: { status: 'unavailable', code: 'receiver_closing' },
  })
  expect(store.count('claim')).toBe(10)
  expect(await isSettled(closed)).toBe(false)
  await clock.advance(15 * SECOND)
  expect(await isSettled(closed)).toBe(true)
  expect([done, store.count('complete'), clock.pendingTimers()]).toEqual([10, 10, 0])
  expect((await Promise.all(running)).map(({ status }) => status)).toEqual(Array(10).fill('unfinished'))
})

test('close waits for a delivery whose response has not left yet', async () => {
  const gate = deferred()
  const { receiver, deliver } = receiving()
  receiver.on('qr.scanned', () => gate.promise)
  const outcome = deliver()
  const closed = receiver.close()
  expect(await isSettled(closed)).toBe(false)
  gate.resolve()
  await closed
  expect((await outcome).status).toBe('processed')
})

test('an idle receiver closes at once, and can be closed again', async () => {
  const { receiver, clock } = receiving()
  await receiver.close()
  await receiver.close({ timeoutMs: 1000 })
  expect(clock.pendingTimers()).toBe(0)
})

test('close retries a failing completion for ten seconds, then abandons it', async () => {
  const clock = fixedClock(EVENT_TIME)
  const store = faultyStore(memoryStore({ clock }))
  store.fail('complete', 'rejects')
  const { receiver, deliver, reported } = receiving({ clock, store })
  receiver.on('qr.scanned', () => {})
  expect((await deliver()).status).toBe('processed')
  await clock.advance(5 * MINUTE)
  const closed = receiver.close()
  await clock.advance(9 * SECOND)
  expect(await isSettled(closed)).toBe(false)
  await clock.advance(12 * SECOND)
  expect(await isSettled(closed)).toBe(true)
  expect([reported('completion_abandoned'), clock.pendingTimers()]).toEqual([1, 0])
})

describe('close with a time limit', () => {
  test('rejects a limit that is not a number, and sets no timer beyond the maximum', async () => {
    const clock = fixedClock(EVENT_TIME)
    const gate = deferred()
    const timers: number[] = []
    const setTimer: typeof clock.setTimer = (ms, fn) => {
      timers.push(ms)
      return clock.setTimer(ms, fn)
    }
    const { receiver, deliver } = receiving({ clock: { ...clock, setTimer } })
    receiver.on('qr.scanned', () => gate.promise)
    for (const timeoutMs of [Number.NaN, '5000' as never]) {
      await expect(receiver.close({ timeoutMs })).rejects.toMatchObject({
        code: 'option_invalid',
        message: expect.stringContaining('timeoutMs must be a number'),
      })
    }
    const outcome = deliver()
    const closed = receiver.close({ timeoutMs: 2 ** 31 })
    gate.resolve()
    await closed
    expect((await outcome).status).toBe('processed')
    expect(Math.max(...timers)).toBe(2 ** 31 - 1)
  })

  test('aborts the handlers’ signals at the limit and leaves no timer', async () => {
    const signals: AbortSignal[] = []
    const { clock, receiver, attempt } = receiving()
    receiver.on('qr.scanned', (_, { signal }) => {
      signals.push(signal)
      return new Promise(() => {})
    })
    await attempt()
    const closed = receiver.close({ timeoutMs: 3 * SECOND })
    await clock.advance(2999)
    expect([await isSettled(closed), signals[0]?.aborted]).toEqual([false, false])
    await clock.advance(1)
    expect([await isSettled(closed), signals[0]?.aborted]).toEqual([true, true])
    expect(signals[0]?.reason).toMatchObject({ code: 'receiver_closing' })
    expect(clock.pendingTimers()).toBe(0)
  })

  test('aborts the signal of a handler whose sender still waits', async () => {
    const signals: AbortSignal[] = []
    const { clock, receiver, deliver } = receiving()
    receiver.on('qr.scanned', (_, { signal }) => {
      signals.push(signal)
      return new Promise(() => {})
    })
    const outcome = deliver()
    await clock.advance(SECOND)
    const closed = receiver.close({ timeoutMs: SECOND })
    await clock.advance(SECOND)
    expect([await isSettled(closed), signals[0]?.aborted]).toEqual([true, true])
    expect((await outcome).status).toBe('unfinished')
    expect(clock.pendingTimers()).toBe(0)
  })

  test('returns unfinished at the limit, and records a handler that succeeds after it', async () => {
    const clock = fixedClock(EVENT_TIME)
    const store = memoryStore({ clock })
    const { receiver, deliver, lateOutcomes } = receiving({ clock, store })
    receiver.on('qr.scanned', () => pause(clock, 3 * SECOND))
    const outcome = deliver()
    await clock.advance(SECOND)
    const closed = receiver.close({ timeoutMs: SECOND })
    await clock.advance(SECOND)
    await closed
    expect((await outcome).status).toBe('unfinished')
    await clock.advance(SECOND)
    expect(lateOutcomes).toMatchObject([{ status: 'processed' }])
    const next = receiving({ clock, store })
    next.receiver.on('qr.scanned', () => expect.unreachable())
    expect((await next.deliver()).status).toBe('duplicate')
  })

  test('ends the platform’s wait if the lease is not renewed after the response', async () => {
    const kept: Promise<unknown>[] = []
    const waitUntil = (work: Promise<unknown>) => void kept.push(work)
    const { clock, receiver, attempt } = receiving()
    let done = () => {}
    receiver.on('qr.scanned', () => new Promise<void>((resolve) => (done = resolve)))
    expect((await attempt(undefined, { waitUntil, freezesAfterResponse: true })).outcome.status).toBe('unfinished')
    const closed = receiver.close({ timeoutMs: SECOND })
    await clock.advance(SECOND)
    await closed
    done()
    expect(kept).toHaveLength(1)
    await Promise.all(kept)
    expect(clock.pendingTimers()).toBe(0)
  })

  test('releases the claim of a handler that rejects on abort, and another process runs it again', async () => {
    const clock = fixedClock(EVENT_TIME)
    const store = memoryStore({ clock })
    const { receiver, attempt } = receiving({ clock, store })
    receiver.on(
      'qr.scanned',
      (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )
    await attempt()
    const closed = receiver.close({ timeoutMs: SECOND })
    await clock.advance(SECOND)
    await closed
    const next = receiving({ clock, store })
    next.receiver.on('qr.scanned', () => {})
    expect(await next.deliver()).toMatchObject({ status: 'processed', attempt: 2 })
  })

  test('leaves a handler that was not started to the next attempt', async () => {
    const clock = fixedClock(EVENT_TIME)
    const store = memoryStore({ clock })
    const seen: string[] = []
    const gate = deferred()
    const { receiver, attempt, reports } = receiving({ clock, store })
    receiver.on('qr.scanned', () => gate.promise.then(() => seen.push('mail')), { name: 'mail' })
    receiver.on('qr.scanned', () => void seen.push('count, too late'), { name: 'count' })
    await attempt()
    const closed = receiver.close({ timeoutMs: SECOND })
    await clock.advance(SECOND)
    await closed
    gate.resolve()
    await clock.advance(SECOND)
    expect(reports).toMatchObject([{ code: 'handler_failed', error: { code: 'receiver_closing' } }])
    const next = receiving({ clock, store })
    next.receiver.on('qr.scanned', () => void seen.push('mail again'), { name: 'mail' })
    next.receiver.on('qr.scanned', () => void seen.push('count'), { name: 'count' })
    expect(await next.deliver()).toMatchObject({ status: 'processed', attempt: 2 })
    expect(seen).toEqual(['mail', 'count'])
  })

  test('records a handler that succeeds after the limit', async () => {
    const clock = fixedClock(EVENT_TIME)
    const store = memoryStore({ clock })
    const gate = deferred()
    const { receiver, attempt } = receiving({ clock, store })
    receiver.on('qr.scanned', () => gate.promise)
    await attempt()
    const closed = receiver.close({ timeoutMs: SECOND })
    await clock.advance(SECOND)
    await closed
    gate.resolve()
    await clock.advance(0)
    const next = receiving({ clock, store })
    next.receiver.on('qr.scanned', () => expect.unreachable())
    expect((await next.deliver()).status).toBe('duplicate')
  })

  test('stops renewing the lease, and another process claims the delivery after it expires', async () => {
    const clock = fixedClock(EVENT_TIME)
    const store = memoryStore({ clock })
    const { receiver, attempt } = receiving({ clock, store })
    receiver.on('qr.scanned', () => new Promise(() => {}))
    await attempt()
    const closed = receiver.close({ timeoutMs: SECOND })
    await clock.advance(SECOND)
    await closed
    const next = receiving({ clock, store })
    next.receiver.on('qr.scanned', () => {})
    expect((await next.deliver()).status).toBe('busy')
    await clock.advance(MINUTE)
    expect((await next.deliver()).status).toBe('processed')
  })

  test('releases a reprocessing that never ends', async () => {
    const quarantine = memoryQuarantine()
    const { clock, receiver, attempts } = receiving({ quarantine })
    let hangs = false
    receiver.on('qr.scanned', () => (hangs ? new Promise(() => {}) : Promise.reject(new Error('no database'))))
    await attempts()
    hangs = true
    const [entry] = quarantine.entries.values()
    if (entry) void receiver.reprocess(entry)
    await clock.advance(30 * SECOND)
    const closed = receiver.close({ timeoutMs: SECOND })
    await clock.advance(SECOND)
    expect(await isSettled(closed)).toBe(true)
    expect(clock.pendingTimers()).toBe(0)
  })
})

test('a closed receiver leaves no timer after failures, timeouts and invalid bodies', async () => {
  const { clock, receiver, attempts, deliver } = receiving({ quarantine: memoryQuarantine(), handlerTimeoutMs: MINUTE })
  let calls = 0
  receiver.on('qr.scanned', () => (++calls % 2 ? new Promise(() => {}) : Promise.reject(new Error('no'))))
  receiver.on('qr.created', () => pause(clock, HOUR))
  await attempts()
  await deliver('} not json')
  const created = deliver({ event: 'qr.created', data: {} })
  await clock.advance(10 * SECOND)
  const closed = receiver.close()
  await clock.advance(2 * MINUTE)
  await closed
  await created
  // The one timer left is the handler's own pause.
  expect(clock.pendingTimers()).toBe(1)
})
