/** Reprocessing a quarantined delivery. */
import { describe, expect, it, test } from 'vitest'
import { memoryStore, PermanentError, type QuarantineEntry, type Store } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { faultyStore } from '../support/faulty-store.js'
import { EVENT_TIME, scannedEvent } from '../support/payloads.js'
import { type MemoryQuarantine, memoryQuarantine } from '../support/quarantine.js'
import { HOUR, MINUTE, pause, receiving, SECOND, signatureOf } from '../support/receiving.js'

const only = ({ entries }: MemoryQuarantine): QuarantineEntry => {
  const [entry, more] = entries.values()
  if (!entry || more) throw new Error(`the quarantine has ${entries.size} entries, not one`)
  return entry
}

/** A receiver whose second handler fails until `state.isFixed` is set. */
function failing(options: Parameters<typeof receiving>[0] = {}) {
  const quarantine = memoryQuarantine()
  const scene = receiving({ ...options, quarantine })
  const seen: string[] = []
  const state = { isFixed: false }
  scene.receiver.on('qr.scanned', () => void seen.push('mail'), { name: 'mail' })
  scene.receiver.on(
    'qr.scanned',
    (_, { attempt }) => {
      seen.push(`count ${attempt}`)
      if (!state.isFixed) throw new PermanentError('no table')
    },
    { name: 'count' },
  )
  return { ...scene, quarantine, seen, state }
}

test('reprocess runs only the unfinished handlers and discards the entry', async () => {
  const { receiver, deliver, quarantine, seen, state } = failing()
  expect((await deliver()).status).toBe('quarantined')
  state.isFixed = true
  expect(await receiver.reprocess(only(quarantine))).toMatchObject({ status: 'processed' })
  expect(seen).toEqual(['mail', 'count 1', 'count 2'])
  expect(quarantine.entries.size).toBe(0)
  expect((await deliver()).status).toBe('duplicate')
})

test('reprocess skips finished handlers even if only the completion reached the store', async () => {
  const clock = fixedClock(EVENT_TIME)
  const store = faultyStore(memoryStore({ clock }))
  store.fail('renew', 'rejects')
  const { receiver, deliver, quarantine, seen, state } = failing({ clock, store })
  await deliver()
  state.isFixed = true
  expect(await receiver.reprocess(only(quarantine))).toMatchObject({ status: 'processed' })
  expect(seen).toEqual(['mail', 'count 1', 'count 2'])
})

test('an entry whose handler fails again stays, with the new error', async () => {
  const { receiver, deliver, quarantine } = failing()
  const headers = { 'x-govalid-signature': signatureOf(scannedEvent()), 'x-request-id': 'abc' }
  await deliver(scannedEvent(), { headers: () => headers })
  expect(await receiver.reprocess(only(quarantine))).toMatchObject({ status: 'quarantined', code: 'permanent_error' })
  expect(only(quarantine)).toMatchObject({ code: 'permanent_error', attempt: 2, headers })
})

test('reprocess ignores the entry’s transport headers, because the body was stored as it was read', async () => {
  const { receiver, deliver, quarantine, state } = failing()
  await deliver()
  state.isFixed = true
  const { headers, ...entry } = only(quarantine)
  const more = { 'content-encoding': 'gzip', 'content-length': '9000000' }
  expect(await receiver.reprocess({ ...entry, headers: { ...headers, ...more } })).toMatchObject({
    status: 'processed',
  })
})

test('the entry is discarded before reprocess resolves, even if the quarantine is slow', async () => {
  const clock = fixedClock(EVENT_TIME)
  const kept = memoryQuarantine()
  const quarantine = Object.assign((entry: QuarantineEntry) => kept(entry), {
    discard: (key: string) => pause(clock, SECOND / 2).then(() => kept.discard?.(key)),
  })
  const { receiver, deliver } = receiving({ clock, quarantine })
  let calls = 0
  receiver.on('qr.scanned', () => {
    if (++calls === 1) throw new PermanentError('no table')
  })
  await deliver()
  const reprocessed = receiver.reprocess(only(kept)).then(({ status }) => [status, kept.entries.size])
  await clock.advance(5 * SECOND)
  expect(await reprocessed).toEqual(['processed', 0])
})

test('a temporary failure stays in the quarantine, because nothing else retries it', async () => {
  const { receiver, deliver, quarantine, state } = failing()
  await deliver()
  state.isFixed = true
  receiver.on('qr.scanned', () => Promise.reject(new Error('no database')), { name: 'later' })
  expect(await receiver.reprocess(only(quarantine))).toMatchObject({
    status: 'quarantined',
    code: 'attempts_exhausted',
  })
  expect(only(quarantine)).toMatchObject({ code: 'attempts_exhausted', error: expect.stringContaining('no database') })
})

test('a slow handler may run until handlerTimeoutMs while it is reprocessed', async () => {
  const { clock, receiver, deliver, quarantine, state } = failing()
  await deliver()
  state.isFixed = true
  receiver.on('qr.scanned', () => pause(clock, 5 * MINUTE), { name: 'slow' })
  const reprocessed = receiver.reprocess(only(quarantine))
  await clock.advance(5 * MINUTE)
  expect(await reprocessed).toMatchObject({ status: 'processed' })
  expect(clock.pendingTimers()).toBe(0)
})

test('the last writes have time even if the handler used all of handlerTimeoutMs', async () => {
  const clock = fixedClock(EVENT_TIME)
  const inner = memoryStore({ clock })
  let isSlow = false
  const store: Store = {
    ...inner,
    complete: (request) =>
      isSlow ? pause(clock, SECOND).then(() => inner.complete(request)) : inner.complete(request),
  }
  const quarantine = memoryQuarantine()
  const { receiver, deliver, reports } = receiving({ clock, store, quarantine, handlerTimeoutMs: 2 * MINUTE })
  receiver.on('qr.scanned', (_, { attempt }) => {
    if (attempt === 1) throw new PermanentError('no table')
    return pause(clock, 2 * MINUTE - 1)
  })
  await deliver()
  isSlow = true
  const before = reports.length
  const reprocessed = receiver.reprocess(only(quarantine))
  await clock.advance(3 * MINUTE)
  expect(await reprocessed).toMatchObject({ status: 'processed' })
  expect(reports.slice(before)).toEqual([])
})

describe('two calls at once', () => {
  test('process the entry once: the second is busy, and the entry stays until the first has finished', async () => {
    const { clock, receiver, deliver, quarantine, state } = failing()
    await deliver()
    state.isFixed = true
    let calls = 0
    receiver.on(
      'qr.scanned',
      () => {
        calls++
        return pause(clock, 10 * SECOND)
      },
      { name: 'slow' },
    )
    const entry = only(quarantine)
    const [first, second] = [receiver.reprocess(entry), receiver.reprocess(entry)]
    await clock.advance(SECOND)
    expect((await second).status).toBe('busy')
    expect(only(quarantine)).toBe(entry)
    await clock.advance(10 * SECOND)
    expect([(await first).status, calls, quarantine.entries.size]).toEqual(['processed', 1, 0])
  })
})

test('an entry that is already processed is a duplicate and is discarded', async () => {
  const { receiver, deliver, quarantine, state } = failing()
  await deliver()
  const entry = only(quarantine)
  state.isFixed = true
  await receiver.reprocess(entry)
  await quarantine(entry)
  expect((await receiver.reprocess(entry)).status).toBe('duplicate')
  expect(quarantine.entries.size).toBe(0)
})

describe('an entry of any age', () => {
  it.each([
    ['stale', '2024-12-01T12:00:00Z'],
    ['from the future', '2025-03-01T12:00:00Z'],
  ])('is processed once if the event was %s', async (_, timestamp) => {
    const quarantine = memoryQuarantine()
    let calls = 0
    const { clock, receiver, deliver } = receiving({ quarantine })
    receiver.on('qr.scanned', () => void calls++)
    await deliver(scannedEvent({ timestamp }))
    const entry = only(quarantine)
    expect((await receiver.reprocess(entry)).status).toBe('processed')
    expect((await receiver.reprocess(entry)).status).toBe('duplicate')
    await clock.advance(HOUR)
    expect((await receiver.reprocess(entry)).status).toBe('duplicate')
    expect(calls).toBe(1)
  })

  test('is processed once if two receivers reprocess it at the same time', async () => {
    const clock = fixedClock(EVENT_TIME)
    const store = memoryStore({ clock })
    const quarantine = memoryQuarantine()
    let calls = 0
    const open = () => {
      const scene = receiving({ clock, store, quarantine })
      scene.receiver.on('qr.scanned', () => {
        calls++
        return pause(clock, 10 * SECOND)
      })
      return scene
    }
    const [one, two] = [open(), open()]
    await one.deliver(scannedEvent({ timestamp: '2024-12-01T12:00:00Z' }))
    const entry = only(quarantine)
    const both = [one.receiver.reprocess(entry), two.receiver.reprocess(entry)]
    await clock.advance(10 * SECOND)
    expect((await Promise.all(both)).map(({ status }) => status).sort()).toEqual(['busy', 'processed'])
    expect(calls).toBe(1)
  })
})

test('an entry whose bytes were changed in the quarantine is refused and stays', async () => {
  const { receiver, deliver, quarantine, seen } = failing()
  await deliver()
  const before = seen.length
  const entry = { ...only(quarantine), rawBody: new TextEncoder().encode('{"event":"qr.scanned"}') }
  expect(await receiver.reprocess(entry)).toMatchObject({ status: 'refused', code: 'signature_mismatch' })
  expect([seen.length, quarantine.entries.size]).toEqual([before, 1])
})

test.each([
  ['no quarantine', undefined],
  ['a quarantine that cannot discard', async () => {}],
])('an entry is reprocessed without a report with %s', async (_, quarantine) => {
  const { receiver, reports } = receiving({ quarantine })
  receiver.on('qr.scanned', () => {})
  const rawBody = new TextEncoder().encode(JSON.stringify(scannedEvent()))
  const headers = { 'x-govalid-signature': signatureOf(scannedEvent()) }
  const entry: QuarantineEntry = {
    key: 'a'.repeat(64),
    code: 'attempts_exhausted',
    eventType: 'qr.scanned',
    rawBody,
    headers,
    error: undefined,
    receivedAt: 0,
    attempt: 5,
  }
  expect(await receiver.reprocess(entry)).toMatchObject({ status: 'processed' })
  expect(reports).toEqual([])
})

test('an entry without a handler is ignored and discarded', async () => {
  const quarantine = memoryQuarantine()
  const { clock, deliver } = receiving({ quarantine, maxAgeMs: 1 })
  await clock.advance(SECOND)
  await deliver()
  const { receiver } = receiving({ quarantine })
  expect((await receiver.reprocess(only(quarantine))).status).toBe('ignored')
  expect(quarantine.entries.size).toBe(0)
})

test('the sender’s attempts are busy while an entry is reprocessed, and duplicates afterwards', async () => {
  const { clock, receiver, deliver, quarantine, state } = failing()
  await deliver()
  state.isFixed = true
  receiver.on('qr.scanned', () => pause(clock, 10 * SECOND), { name: 'slow' })
  const reprocessed = receiver.reprocess(only(quarantine))
  await clock.advance(SECOND)
  expect((await deliver()).status).toBe('busy')
  await clock.advance(10 * SECOND)
  await reprocessed
  expect((await deliver()).status).toBe('duplicate')
})
