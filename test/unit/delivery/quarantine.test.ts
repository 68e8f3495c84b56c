/** The quarantine: what a sink receives, and what happens if there is no sink or it doesn't respond. */
import { describe, expect, it, test } from 'vitest'
import { startDeadline } from '../../../src/clock.js'
import { discardEntry, type QuarantineCase, quarantine } from '../../../src/delivery/quarantine.js'
import type { Origin, ReceivedBody } from '../../../src/delivery/verified-event.js'
import type { Delivery, QuarantineEntry, QuarantineSink } from '../../../src/index.js'
import { fixedClock } from '../../../src/testing/index.js'
import { testServices } from '../../support/delivery-fixtures.js'

const RECEIVED_AT = 1000
const RAW_BODY = new TextEncoder().encode('{"event":"qr.scanned"}')
const HEADERS = { 'x-govalid-signature': 'sha256=ab', 'content-type': 'application/json' }
const DELIVERY: Delivery = {
  method: 'POST',
  header: (name) => (HEADERS as Record<string, string>)[name],
  headers: () => HEADERS,
  body: RAW_BODY,
}
const RECEIVED: ReceivedBody = {
  delivery: DELIVERY,
  rawBody: RAW_BODY,
  headers: HEADERS,
  deadline: startDeadline(fixedClock(RECEIVED_AT), 4500),
  origin: { from: 'sender' },
}
const FROM_INBOX: Origin = { from: 'inbox', attempt: { number: 1, last: true }, receivedAt: 500 }
const CASE: QuarantineCase = {
  received: RECEIVED,
  key: 'ab'.repeat(32),
  code: 'attempts_exhausted',
  eventType: 'qr.scanned',
  attempt: 5,
  error: new Error('no database'),
}
const ABOUT_CASE = { idempotencyKey: CASE.key, eventType: 'qr.scanned', error: CASE.error }
const DISK_FULL = new Error('disk full')

function enter(sink: QuarantineSink | undefined, entry: QuarantineCase = CASE, limitMs = 4500) {
  const services = testServices(sink && { quarantine: sink })
  const { clock, reports } = services
  return { clock, reports, services, result: quarantine(services, entry, limitMs) }
}

function recordingSink() {
  const entries: QuarantineEntry[] = []
  return { entries, sink: async (entry: QuarantineEntry) => void entries.push(entry) }
}

describe('a sink', () => {
  test('receives everything needed to inspect a delivery and to reprocess it', async () => {
    const { entries, sink } = recordingSink()
    expect(await enter(sink).result).toEqual({ status: 'quarantined', code: 'attempts_exhausted', error: CASE.error })
    expect(entries).toEqual([
      {
        key: CASE.key,
        code: 'attempts_exhausted',
        eventType: 'qr.scanned',
        rawBody: RAW_BODY,
        headers: HEADERS,
        error: expect.stringContaining('Error: no database'),
        receivedAt: RECEIVED_AT,
        attempt: 5,
      },
    ])
  })

  test('receives the time at which an inbox accepted the delivery', async () => {
    const { entries, sink } = recordingSink()
    await enter(sink, { ...CASE, received: { ...RECEIVED, origin: FROM_INBOX } }).result
    expect(entries[0]?.receivedAt).toBe(500)
  })

  test('receives undefined for everything unknown, and the report leaves it out', async () => {
    const { entries, sink } = recordingSink()
    const { key, code } = CASE
    const delivery: Delivery = { method: 'POST', header: () => undefined, body: RAW_BODY }
    const { result, reports } = enter(sink, { received: { ...RECEIVED, delivery, headers: {} }, key, code })
    await result
    expect(entries).toStrictEqual([
      {
        key,
        code,
        eventType: undefined,
        rawBody: RAW_BODY,
        headers: {},
        error: undefined,
        receivedAt: RECEIVED_AT,
        attempt: undefined,
      },
    ])
    expect(reports).toStrictEqual([{ code, message: expect.any(String), idempotencyKey: key }])
  })

  test('that confirms is reported, without payload or signature', async () => {
    const { result, reports } = enter(async () => {})
    await result
    expect(reports).toEqual([
      { ...ABOUT_CASE, code: 'attempts_exhausted', message: expect.stringContaining('is in the quarantine') },
    ])
  })

  test('receives a schema’s messages, but the report leaves them out because they quote the payload', async () => {
    const { entries, sink } = recordingSink()
    const { result, reports } = enter(sink, { ...CASE, code: 'schema_refused', error: 'expected a number, got "x"' })
    expect(await result).toMatchObject({ status: 'quarantined', error: 'expected a number, got "x"' })
    expect(entries[0]?.error).toBe('expected a number, got "x"')
    expect(reports.map((report) => 'error' in report)).toEqual([false])
  })

  it.each<[string, QuarantineSink]>([
    [
      'throws',
      () => {
        throw DISK_FULL
      },
    ],
    ['rejects', () => Promise.reject(DISK_FULL)],
  ])('that %s makes the quarantine unavailable, so another attempt follows', async (_, sink) => {
    const { result, reports } = enter(sink)
    expect(await result).toEqual({ status: 'unavailable', code: 'quarantine_unavailable', error: DISK_FULL })
    expect(reports).toEqual([
      {
        ...ABOUT_CASE,
        code: 'quarantine_unavailable',
        message: expect.stringContaining('another attempt follows'),
        error: DISK_FULL,
      },
    ])
  })

  it.each([
    ['4.5 s', 60_000, 4500],
    ['the time left', 300, 300],
  ])('that doesn’t confirm within %s makes the quarantine unavailable', async (_, limitMs, afterMs) => {
    const { result, clock } = enter(() => new Promise(() => {}), CASE, limitMs)
    let hasEnded = false
    void result.then(() => {
      hasEnded = true
    })
    await clock.advance(afterMs - 1)
    expect(hasEnded).toBe(false)
    await clock.advance(1)
    expect(await result).toMatchObject({
      status: 'unavailable',
      code: 'quarantine_unavailable',
      error: expect.stringContaining('in time'),
    })
  })

  test('isn’t called if no time is left', async () => {
    const { entries, sink } = recordingSink()
    expect(await enter(sink, CASE, 0).result).toMatchObject({ status: 'unavailable' })
    expect(entries).toEqual([])
  })
})

describe('without a sink', () => {
  test('the event is dropped and reported with its key, type and error', async () => {
    const { result, reports } = enter(undefined)
    expect(await result).toEqual({ status: 'quarantined', code: 'attempts_exhausted', error: CASE.error })
    expect(reports).toEqual([
      { ...ABOUT_CASE, code: 'event_dropped', message: expect.stringMatching(/attempts_exhausted.*no quarantine/) },
    ])
  })

  test('the report of a stale event says why no handler ran, and mentions the dashboard’s Test button', async () => {
    const { result, reports } = enter(undefined, { ...CASE, code: 'stale' })
    await result
    expect(reports[0]?.message).toMatch(/older than maxAgeMs.*no handler ran.*Test/)
  })

  test('a delivery from an inbox stays there as a failed job', async () => {
    const received = { ...RECEIVED, origin: FROM_INBOX }
    const { result, reports } = enter(undefined, { ...CASE, received })
    expect(await result).toEqual({ status: 'failed', error: CASE.error })
    expect(reports).toEqual([
      { ...ABOUT_CASE, code: 'attempts_exhausted', message: expect.stringContaining('returns to the inbox') },
    ])
    const { error: _, ...withoutError } = CASE
    expect(await enter(undefined, { ...withoutError, received, code: 'job_forged' }).result).toEqual({
      status: 'failed',
      error: expect.stringContaining('no valid GoValid signature'),
    })
  })
})

describe('discarding an entry', () => {
  const sinkWith = (discard: QuarantineSink['discard']) => Object.assign(async () => {}, { discard }) as QuarantineSink

  test('passes the key to the sink', async () => {
    const keys: string[] = []
    const services = testServices({ quarantine: sinkWith(async (key) => void keys.push(key)) })
    await discardEntry(services, CASE.key)
    expect([keys, services.reports]).toEqual([[CASE.key], []])
  })

  it.each<[string, QuarantineSink | undefined]>([
    ['without a sink', undefined],
    ['with a sink that can’t discard', async () => {}],
  ])('does nothing %s', async (_, sink) => {
    const services = testServices(sink && { quarantine: sink })
    await discardEntry(services, CASE.key)
    expect(services.reports).toEqual([])
  })

  it.each<[string, () => Promise<void>]>([
    [
      'throws',
      () => {
        throw DISK_FULL
      },
    ],
    ['rejects', () => Promise.reject(DISK_FULL)],
  ])('reports a sink that %s', async (_, discard) => {
    const services = testServices({ quarantine: sinkWith(discard) })
    await discardEntry(services, CASE.key)
    expect(services.reports).toEqual([
      {
        code: 'quarantine_unavailable',
        message: expect.stringContaining('could not be taken out'),
        idempotencyKey: CASE.key,
      },
    ])
  })

  test('waits 4.5 s for a sink that doesn’t respond', async () => {
    const services = testServices({ quarantine: sinkWith(() => new Promise(() => {})) })
    const discarded = discardEntry(services, CASE.key)
    await services.clock.advance(4499)
    expect(services.reports).toEqual([])
    await services.clock.advance(1)
    await discarded
    expect(services.reports).toMatchObject([{ code: 'quarantine_unavailable' }])
    expect(services.clock.pendingTimers()).toBe(0)
  })
})
