/** The quarantine: what a sink is given, and what happens when there is none or it does not answer. */
import { describe, expect, it, test } from 'vitest'
import { startDeadline } from '../../../src/clock.js'
import { discardEntry, type QuarantineCase, quarantine } from '../../../src/delivery/quarantine.js'
import type { Delivery, ErrorReport, QuarantineEntry, QuarantineSink } from '../../../src/index.js'
import { fixedClock } from '../../../src/testing/index.js'

const RAW_BODY = new TextEncoder().encode('{"event":"qr.scanned"}')
const HEADERS = { 'x-govalid-signature': 'sha256=ab', 'content-type': 'application/json' }
const DELIVERY: Delivery = {
  method: 'POST',
  header: (name) => (HEADERS as Record<string, string>)[name],
  headers: () => HEADERS,
  body: RAW_BODY,
}
const CASE: QuarantineCase = {
  key: 'ab'.repeat(32),
  code: 'attempts_exhausted',
  eventType: 'qr.scanned',
  rawBody: RAW_BODY,
  delivery: DELIVERY,
  isAccepted: false,
  receivedAt: 1000,
  attempt: 5,
  error: new Error('no database'),
}

function give(sink: QuarantineSink | undefined, given: QuarantineCase = CASE, deadlineMs = 4500) {
  const clock = fixedClock(0)
  const reports: ErrorReport[] = []
  const means = { sink, clock, reporter: { report: (report: ErrorReport) => reports.push(report), outcome() {} } }
  return { clock, reports, means, result: quarantine(means, startDeadline(clock, deadlineMs), given) }
}

describe('a sink', () => {
  test('is given everything that is needed to look at a delivery and to work it again', async () => {
    const entries: QuarantineEntry[] = []
    const { result } = give(async (entry) => void entries.push(entry))
    expect(await result).toEqual({ status: 'quarantined', code: 'attempts_exhausted', error: CASE.error })
    expect(entries).toEqual([
      {
        key: CASE.key,
        code: 'attempts_exhausted',
        eventType: 'qr.scanned',
        rawBody: RAW_BODY,
        headers: HEADERS,
        error: expect.stringContaining('Error: no database'),
        receivedAt: 1000,
        attempt: 5,
      },
    ])
  })

  test('is given the signature where an adapter keeps no other header', async () => {
    const entries: QuarantineEntry[] = []
    const { headers: _, ...delivery } = DELIVERY
    await give(async (entry) => void entries.push(entry), { ...CASE, delivery }).result
    expect(entries[0]?.headers).toEqual({ 'x-govalid-signature': 'sha256=ab' })
  })

  test('is given nothing for what is not known, and neither is the report', async () => {
    const entries: QuarantineEntry[] = []
    const { key, code, rawBody, receivedAt } = CASE
    const given = { key, code, eventType: undefined, rawBody, receivedAt }
    const delivery: Delivery = { method: 'POST', header: () => undefined, body: rawBody }
    const { result, reports } = give(async (entry) => void entries.push(entry), {
      ...given,
      delivery,
      isAccepted: false,
    })
    await result
    expect(entries).toStrictEqual([{ ...given, headers: {}, error: undefined, attempt: undefined }])
    expect(reports).toStrictEqual([{ code, message: expect.any(String), idempotencyKey: key }])
  })

  test('that took a delivery is told of, without payload or signature', async () => {
    const { result, reports } = give(async () => {})
    await result
    const about = { idempotencyKey: CASE.key, eventType: 'qr.scanned', error: CASE.error }
    expect(reports).toEqual([
      { ...about, code: 'attempts_exhausted', message: expect.stringContaining('kept in the quarantine') },
    ])
  })

  it.each<[string, QuarantineSink]>([
    [
      'throws',
      () => {
        throw new Error('disk full')
      },
    ],
    ['rejects', () => Promise.reject(new Error('disk full'))],
  ])('that %s: unavailable, so that another try comes', async (_, sink) => {
    const { result, reports } = give(sink)
    expect(await result).toEqual({
      status: 'unavailable',
      code: 'quarantine_unavailable',
      error: new Error('disk full'),
    })
    expect(reports).toMatchObject([
      {
        code: 'quarantine_unavailable',
        message: expect.stringContaining('503'),
        idempotencyKey: CASE.key,
        error: new Error('disk full'),
      },
    ])
  })

  test('that does not answer within a second: unavailable', async () => {
    const { result, clock } = give(() => new Promise(() => {}))
    await clock.advance(1000)
    expect(await result).toMatchObject({
      status: 'unavailable',
      code: 'quarantine_unavailable',
      error: expect.stringContaining('in time'),
    })
  })

  test('is not asked when no time is left', async () => {
    expect(await give(() => expect.unreachable(), CASE, 0).result).toMatchObject({ status: 'unavailable' })
  })
})

describe('without a sink', () => {
  test('the event is dropped, and that is told with its key, type and error', async () => {
    const { result, reports } = give(undefined)
    expect(await result).toMatchObject({ status: 'quarantined', code: 'attempts_exhausted' })
    expect(reports).toEqual([
      {
        code: 'event_dropped',
        message: expect.stringMatching(/attempts_exhausted.*no quarantine/),
        idempotencyKey: CASE.key,
        eventType: 'qr.scanned',
        error: CASE.error,
      },
    ])
  })

  test('121: the stale event of the dashboard’s Test says why the handler was not called', async () => {
    const { result, reports } = give(undefined, { ...CASE, code: 'stale' })
    await result
    expect(reports[0]?.message).toMatch(/older than maxAgeMs.*no handler was called.*Test/)
  })
})

describe('taking an entry back', () => {
  const sinkWith = (discard: QuarantineSink['discard']) => Object.assign(async () => {}, { discard }) as QuarantineSink

  test('asks the sink for its key', async () => {
    const keys: string[] = []
    const { means, reports } = give(sinkWith(async (key) => void keys.push(key)))
    await discardEntry(means, CASE.key)
    expect([keys, reports.filter(({ code }) => code === 'quarantine_unavailable')]).toEqual([[CASE.key], []])
  })

  it.each<[string, QuarantineSink | undefined]>([
    ['no sink', undefined],
    ['a sink that cannot', async () => {}],
  ])('%s: nothing to do', async (_, sink) => {
    await discardEntry(give(sink).means, CASE.key)
  })

  it.each<[string, () => Promise<void>]>([
    [
      'throws',
      () => {
        throw new Error('disk full')
      },
    ],
    ['rejects', () => Promise.reject(new Error('disk full'))],
  ])('a sink that %s is told of, and nothing else happens', async (_, discard) => {
    const { means, reports, result } = give(sinkWith(discard))
    await result
    await discardEntry(means, CASE.key)
    expect(reports.at(-1)).toMatchObject({
      code: 'quarantine_unavailable',
      message: expect.stringContaining('could not be taken out'),
      idempotencyKey: CASE.key,
    })
  })

  test('a sink that hangs is waited for a second', async () => {
    const { means, clock, reports } = give(sinkWith(() => new Promise(() => {})))
    const discarded = discardEntry(means, CASE.key)
    await clock.advance(1000)
    await discarded
    expect(reports.at(-1)).toMatchObject({ code: 'quarantine_unavailable' })
    expect(clock.pendingTimers()).toBe(0)
  })
})
