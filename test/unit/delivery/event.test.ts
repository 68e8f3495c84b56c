/** Stage 4: the typed event, its issues, its age, and what a user's schema makes of it. Numbers are those of the acceptance list, parts E and F. */
import { describe, expect, it, test } from 'vitest'
import * as z from 'zod'
import { applySchema, judgeEvent, readEvent } from '../../../src/delivery/event.js'
import { EVENT_TYPES, type EventSchemas } from '../../../src/index.js'
import { rejection } from '../../support/caught.js'
import { EVENT_TIME, eventOf, type Payload, scannedEvent } from '../../support/payloads.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const HAPPENED = Date.parse(EVENT_TIME)
const RULES = { maxAgeMs: 72 * HOUR, validation: 'report' } as const
const STRICT = { ...RULES, validation: 'strict' } as const

const read = (payload: Readonly<Record<string, unknown>>) => readEvent(String(payload['event']), payload)
const issuesOf = (payload: Payload) =>
  read(payload).issues.map(({ path, received }) => `${path.join('.')}: ${received}`)

describe('the age of an event', () => {
  it.each([
    ['118: at once', 0, undefined],
    ['118: after a minute', MINUTE, undefined],
    ['118: at the last try', 81 * MINUTE + 25_000, undefined],
    ['119: after 71 h 59 min', 72 * HOUR - MINUTE, undefined],
    ['at exactly 72 h', 72 * HOUR, undefined],
    ['just past 72 h', 72 * HOUR + 1, 'stale'],
    ['120: after 72 h 1 min', 72 * HOUR + MINUTE, 'stale'],
    ['122: nine minutes ahead', -9 * MINUTE, undefined],
    ['122: 23 h 59 min ahead', -24 * HOUR + MINUTE, undefined],
    ['at exactly 24 h ahead', -24 * HOUR, undefined],
    ['just past 24 h ahead', -24 * HOUR - 1, 'from_future'],
    ['123: 25 h ahead', -25 * HOUR, 'from_future'],
  ])('%s', (_, ageMs, verdict) => {
    expect(judgeEvent(read(scannedEvent()), HAPPENED + ageMs, RULES)).toBe(verdict)
  })

  test('128: a limit of five minutes refuses the sender’s later tries', () => {
    const rules = { ...RULES, maxAgeMs: 300_000 }
    const verdicts = [0, 1, 6, 21, 81].map((minutes) =>
      judgeEvent(read(scannedEvent()), HAPPENED + minutes * MINUTE, rules),
    )
    expect(verdicts).toEqual([undefined, undefined, 'stale', 'stale', 'stale'])
  })

  test('is not asked for with maxAgeMs: false', () => {
    const rules = { ...RULES, maxAgeMs: false } as const
    for (const days of [-1000, 1000])
      expect(judgeEvent(read(scannedEvent()), HAPPENED + days * 24 * HOUR, rules)).toBeUndefined()
  })

  it.each<[string, unknown]>([
    ['124: missing', undefined],
    ['124: null', null],
    ['125: text that is no time', 'hello'],
    ['125: empty', ''],
    ['125: an object', {}],
    ['beyond every calendar', 1e300],
  ])('%s: no age, and an issue', (_, timestamp) => {
    const event = read(scannedEvent({ timestamp }))
    expect(event.epochMs).toBeUndefined()
    expect(event.issues.map(({ path }) => path)).toEqual([['timestamp']])
    expect(judgeEvent(event, HAPPENED + 365 * 24 * HOUR, RULES)).toBeUndefined()
  })

  it.each<[string, unknown, number]>([
    ['126: epoch seconds', HAPPENED / 1000, 1],
    ['126: epoch milliseconds', HAPPENED, 1],
    ['without an offset', '2025-01-29T12:00:00', 1],
    ['127: another offset', '2025-01-29T19:00:00+07:00', 0],
    ['127: a fraction', '2025-01-29T12:00:00.000000Z', 0],
    ['127: a blank for the T, in lower case', '2025-01-29 12:00:00z', 0],
  ])('%s: the same instant', (_, timestamp, issues) => {
    const event = read(scannedEvent({ timestamp }))
    expect(event.epochMs).toBe(HAPPENED)
    expect(event.issues).toHaveLength(issues)
  })
})

describe('issues', () => {
  it.each(EVENT_TYPES)('130: %s has none as it is', (type) => {
    expect(read(eventOf(type))).toMatchObject({ known: true, issues: [], epochMs: HAPPENED })
  })

  const data = scannedEvent().data
  it.each<[string, Payload, readonly string[]]>([
    ['133: scan_location null', scannedEvent({ data: { ...data, scan_location: null } }), []],
    ['133: scan_location absent', scannedEvent({ data: { ...data, scan_location: undefined } }), []],
    ['133: country null', scannedEvent({ data: { ...data, scan_location: { country: null } } }), []],
    [
      'a location that is text',
      scannedEvent({ data: { ...data, scan_location: 'Jakarta' } }),
      ['data.scan_location: string'],
    ],
    [
      'a country that is a number',
      scannedEvent({ data: { ...data, scan_location: { country: 62 } } }),
      ['data.scan_location.country: number'],
    ],
    [
      'a city that is a number',
      scannedEvent({ data: { ...data, scan_location: { country: 'ID', city: 62 } } }),
      ['data.scan_location.city: number'],
    ],
    ...['qr_id', 'qr_title', 'device', 'platform'].map((name): [string, Payload, readonly string[]] => [
      `a ${name} that is a number`,
      scannedEvent({ data: { ...data, [name]: 7 } }),
      [`data.${name}: number`],
    ]),
    [
      '134: numbers and booleans as text',
      scannedEvent({ data: { ...data, scan_count: '15', is_first_scan: 'false' } }),
      ['data.is_first_scan: string', 'data.scan_count: string'],
    ],
    [
      'a number out of range',
      scannedEvent({ data: { ...data, scan_count: Infinity } }),
      ['data.scan_count: number out of range'],
    ],
    [
      'a number out of range below zero',
      scannedEvent({ data: { ...data, scan_count: -Infinity } }),
      ['data.scan_count: number out of range'],
    ],
    ['135: extra members', scannedEvent({ later: 1, data: { ...data, later: {} } }), []],
    ['136: data absent', scannedEvent({ data: undefined }), ['data: nothing']],
    ['136: data null', scannedEvent({ data: null }), ['data: null']],
    ['136: data an array', scannedEvent({ data: [] }), ['data: array']],
    ['136: data text', scannedEvent({ data: 'x' }), ['data: string']],
    ['137: webhook_id absent', scannedEvent({ webhook_id: undefined }), ['webhook_id: nothing']],
    ['137: webhook_id a number', scannedEvent({ webhook_id: 7 }), ['webhook_id: number']],
    ['137: webhook_id of 10 KB', scannedEvent({ webhook_id: 'x'.repeat(10_240) }), ['webhook_id: longer string']],
    ['138: signature absent', scannedEvent(), []],
    ['138: signature null', scannedEvent({ signature: null }), []],
    ['138: signature a number', scannedEvent({ signature: 1 }), ['signature: number']],
    ['138: signature any text', scannedEvent({ signature: 'wrong' }), []],
    [
      '139: an undocumented event with anything in data',
      eventOf('counterfeit.detected', { data: { severity: [null] } }),
      [],
    ],
    [
      'an inferred member of another kind',
      eventOf('payment.failed', { data: { amount: '9.99' } }),
      ['data.amount: string'],
    ],
    [
      'one of another kind beside all that a scan has',
      eventOf('payment.failed', { data: { ...data, amount: '9.99' } }),
      ['data.amount: string'],
    ],
    ['an inferred member that is null', eventOf('payment.failed', { data: { amount: null } }), []],
  ])('%s', (_, payload, issues) => {
    const event = read(payload)
    expect(issuesOf(payload)).toEqual(issues)
    // 140: the same drift that is reported is what strict mode refuses.
    expect(judgeEvent(event, HAPPENED, RULES)).toBeUndefined()
    expect(judgeEvent(event, HAPPENED, STRICT)).toBe(issues.length > 0 ? 'drift_refused' : undefined)
  })

  test('tell how a time that came as other text is to be written', () => {
    const [issue] = read(scannedEvent({ timestamp: '' })).issues
    expect(issue).toEqual({ path: ['timestamp'], expected: expect.stringContaining('ISO 8601'), received: 'string' })
  })

  test('137: tell how long a webhook_id may be', () => {
    const [issue] = read(scannedEvent({ webhook_id: 'x'.repeat(1001) })).issues
    expect(issue?.expected).toContain('at most 1000 characters')
  })

  test('never hold the value that came', () => {
    const event = read(
      scannedEvent({ webhook_id: { secret: 'do not tell' }, data: { ...data, device: ['do not tell'] } }),
    )
    expect(event.issues).toHaveLength(2)
    expect(JSON.stringify(event.issues)).not.toContain('do not tell')
  })
})

describe('the event that handlers see', () => {
  test('is the payload itself, untouched: nothing is coerced', () => {
    const payload = scannedEvent({ later: 1, data: { scan_count: '15' } })
    expect(read(payload).event).toBe(payload)
  })

  it.each<unknown>([undefined, null, [], 'x', 7])(
    '136: has an empty object for data that is %j, and the rest',
    (data) => {
      const payload = scannedEvent({ data, later: 1 })
      expect(read(payload).event).toEqual({ ...payload, data: {} })
      expect(payload.data).toBe(data)
    },
  )

  test('131: of an unknown type is the payload, without issues', () => {
    const payload = { event: 'qr.archived', timestamp: 'hello', data: null }
    expect(read(payload)).toEqual({ event: payload, known: false, issues: [], epochMs: undefined })
    expect(judgeEvent(read(payload), HAPPENED, STRICT)).toBeUndefined()
  })

  test('120: of an unknown type can be stale too', () => {
    expect(judgeEvent(read({ event: 'test', timestamp: EVENT_TIME }), HAPPENED + 73 * HOUR, RULES)).toBe('stale')
  })

  test('98: has no foreign prototype', () => {
    const payload = JSON.parse(`{"event":"qr.scanned","__proto__":{"data":{"polluted":true}},"data":null}`)
    const { event } = read(payload)
    expect(Object.getPrototypeOf(event)).toBe(Object.prototype)
    expect(event).toMatchObject({ data: {} })
    expect(event.data).not.toHaveProperty('polluted')
  })
})

describe('a user’s schema', () => {
  const event = read(scannedEvent())
  const apply = (schema: unknown) => applySchema(event, { 'qr.scanned': schema } as EventSchemas)
  const schemaOf = (validate: (value: unknown) => unknown) => ({
    '~standard': { version: 1, vendor: 'test', validate },
  })

  test('has its output as data, sync or async', async () => {
    const expected = { event: { ...scannedEvent(), data: { id: 'abc123' } } }
    expect(await apply(z.object({ qr_id: z.string() }).transform(({ qr_id }) => ({ id: qr_id })))).toEqual(expected)
    expect(await apply(schemaOf(async () => ({ value: { id: 'abc123' } })))).toEqual(expected)
  })

  test('refuses with its messages', async () => {
    const refused = await apply(schemaOf(() => ({ issues: [{ message: 'no id' }, { message: 'no title' }] })))
    expect(refused).toEqual({ refused: 'no id; no title' })
    expect(await apply(z.object({ qr_id: z.number() }))).toMatchObject({ refused: expect.stringContaining('number') })
  })

  test('that throws throws, and one that answers nothing does', async () => {
    expect(await rejection(apply(schemaOf(() => Promise.reject(new Error('no database')))))).toEqual(
      new Error('no database'),
    )
    expect(await rejection(apply(schemaOf(() => undefined)))).toBeInstanceOf(TypeError)
  })

  test('of another event is not asked', async () => {
    const schemas = { 'qr.created': schemaOf(() => expect.unreachable()) } as unknown as EventSchemas
    expect(await applySchema(event, schemas)).toEqual({ event: event.event })
  })
})
