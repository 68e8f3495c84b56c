/** A store that is overloaded: it rejects an operation that has waited as long as its caller allows. */
import { describe, expect, test } from 'vitest'
import { type ErrorReport, memoryStore, type Store, WebhookError } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { EVENT_TIME } from '../support/payloads.js'
import { type MemoryQuarantine, memoryQuarantine } from '../support/quarantine.js'
import { MINUTE, pause, receiving, SECOND } from '../support/receiving.js'

describe('a store that is overloaded', () => {
  const overloaded = () => new WebhookError('overloaded', 'overloaded: 7 operations waiting')

  /** A receiver whose store rejects the first `times` calls of a method as overloaded. */
  function openOverloaded(
    call: 'claim' | 'renew' | 'complete' | 'release',
    { times = 1, ageMs = 0, quarantine }: { times?: number; ageMs?: number; quarantine?: MemoryQuarantine } = {},
  ) {
    let left = times
    const clock = fixedClock(Date.parse(EVENT_TIME) + ageMs)
    const inner = memoryStore({ clock })
    const store: Store = {
      ...inner,
      [call]: (request: never) => (left-- > 0 ? Promise.reject(overloaded()) : inner[call](request)),
    }
    return receiving({ clock, store, ...(quarantine && { quarantine }) })
  }

  test('at a claim gets a 503 with the code overloaded, and the retry is processed', async () => {
    const { receiver, attempts, reports } = openOverloaded('claim')
    let calls = 0
    receiver.on('qr.scanned', () => void calls++)
    const made = await attempts()
    expect(made).toMatchObject([
      { http: 503, ms: 0, outcome: { status: 'unavailable', code: 'overloaded', error: overloaded() } },
      { http: 200, outcome: { status: 'processed', attempt: 1 } },
    ])
    const report: Partial<ErrorReport> = { code: 'overloaded', eventType: 'qr.scanned', error: overloaded() }
    expect([calls, reports.length, reports[0]]).toEqual([1, 1, expect.objectContaining(report)])
  })

  test('at a claim that throws gets the same 503', async () => {
    const claim = () => {
      throw overloaded()
    }
    const { receiver, attempt } = receiving({ store: { ...memoryStore(), claim } })
    receiver.on('qr.scanned', () => expect.unreachable())
    expect(await attempt()).toMatchObject({ http: 503, outcome: { status: 'unavailable', code: 'overloaded' } })
  })

  test('is reported once a minute, not once per delivery', async () => {
    const { receiver, deliver, reported, clock } = openOverloaded('claim', { times: 100 })
    receiver.on('qr.scanned', () => {})
    for (let count = 0; count < 10; count++) expect((await deliver()).status).toBe('unavailable')
    expect(reported('overloaded')).toBe(1)
    await clock.advance(MINUTE)
    for (let count = 0; count < 10; count++) await deliver()
    expect(reported('overloaded')).toBe(2)
  })

  test('on a last attempt: the delivery is quarantined with 200', async () => {
    const quarantine = memoryQuarantine()
    const { receiver, attempt } = openOverloaded('claim', { ageMs: 50 * MINUTE, quarantine })
    receiver.on('qr.scanned', () => expect.unreachable())
    expect(await attempt()).toMatchObject({
      http: 200,
      outcome: { status: 'quarantined', code: 'attempts_exhausted', error: overloaded() },
    })
    expect([...quarantine.entries.values()]).toMatchObject([{ error: expect.stringContaining('7 operations') }])
  })

  test('at a completion: 200, and the completion is written again', async () => {
    const { receiver, attempt, reports, clock } = openOverloaded('complete')
    receiver.on('qr.scanned', () => {})
    expect(await attempt()).toMatchObject({ http: 200, outcome: { status: 'processed' } })
    await clock.advance(SECOND)
    expect(reports.map(({ code }) => code)).toEqual(['completion_delayed'])
    expect((await attempt()).outcome.status).toBe('duplicate')
  })

  test('at a release: 500, and the retry is processed', async () => {
    const { receiver, attempts } = openOverloaded('release')
    receiver.on('qr.scanned', (_, { attempt }) => {
      if (attempt === 1) throw new Error('no database')
    })
    expect((await attempts()).map(({ http }) => http)).toEqual([500, 200])
  })

  test('at a heartbeat: the claim is kept', async () => {
    const { receiver, attempt, reports, clock } = openOverloaded('renew', { times: 3 })
    let signal: AbortSignal | undefined
    receiver.on('qr.scanned', (_, context) => {
      signal = context.signal
      return pause(clock, 50 * SECOND)
    })
    await attempt()
    await clock.advance(MINUTE)
    expect([signal?.aborted, reports]).toEqual([false, []])
    expect((await attempt()).outcome.status).toBe('duplicate')
  })
})
