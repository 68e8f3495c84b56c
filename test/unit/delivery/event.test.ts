/** Stage 4: the typed event, its issues, its age, how long it is remembered, and the user's schema. */
import { describe, expect, it, test } from 'vitest'
import * as z from 'zod'
import { applySchema, judgeAge, readEvent, retainUntil, schemaFor } from '../../../src/delivery/event.js'
import { EVENT_TYPES, type EventSchemas, type StandardSchema } from '../../../src/index.js'
import { rejection } from '../../support/caught.js'
import { EVENT_TIME, eventOf, type Payload, scannedEvent } from '../../support/payloads.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const HAPPENED_AT = Date.parse(EVENT_TIME)
const MAX_AGE = 72 * HOUR

const read = (payload: Readonly<Record<string, unknown>>, hasSchema?: boolean) =>
  readEvent({ type: String(payload['event']), payload }, hasSchema)
const issuesOf = (payload: Payload, hasSchema?: boolean) =>
  read(payload, hasSchema).issues.map(({ path, received }) => `${path.join('.')}: ${received}`)

describe('the age of an event', () => {
  it.each([
    ['at once: is accepted', 0, undefined],
    ['after a minute: is accepted', MINUTE, undefined],
    ['at the fifth attempt: is accepted', 81 * MINUTE + 25_000, undefined],
    ['after 71 h 59 min: is accepted', MAX_AGE - MINUTE, undefined],
    ['after exactly 72 h: is accepted', MAX_AGE, undefined],
    ['1 ms past 72 h: is stale', MAX_AGE + 1, 'stale'],
    ['after 72 h 1 min: is stale', MAX_AGE + MINUTE, 'stale'],
    ['nine minutes ahead: is accepted', -9 * MINUTE, undefined],
    ['23 h 59 min ahead: is accepted', -DAY + MINUTE, undefined],
    ['exactly 24 h ahead: is accepted', -DAY, undefined],
    ['1 ms past 24 h ahead: is too far in the future', -DAY - 1, 'from_future'],
    ['25 h ahead: is too far in the future', -25 * HOUR, 'from_future'],
  ])('%s', (_, ageMs, code) => {
    expect(judgeAge(read(scannedEvent()), HAPPENED_AT + ageMs, MAX_AGE)).toBe(code)
  })

  test('with a maximum of five minutes refuses GoValid’s later attempts', () => {
    const codes = [0, 1, 6, 21, 81].map((minutes) =>
      judgeAge(read(scannedEvent()), HAPPENED_AT + minutes * MINUTE, 5 * MINUTE),
    )
    expect(codes).toEqual([undefined, undefined, 'stale', 'stale', 'stale'])
  })

  test('isn’t checked with maxAgeMs: false', () => {
    for (const days of [-1000, 1000])
      expect(judgeAge(read(scannedEvent()), HAPPENED_AT + days * DAY, false)).toBeUndefined()
  })

  it.each<[string, unknown]>([
    ['a missing timestamp', undefined],
    ['null', null],
    ['a string that isn’t a time', 'hello'],
    ['an empty string', ''],
    ['an object', {}],
    ['a number beyond every calendar', 1e300],
  ])('is unknown for %s, which is an issue', (_, timestamp) => {
    const event = read(scannedEvent({ timestamp }))
    expect(event.epochMs).toBeUndefined()
    expect(event.issues.map(({ path }) => path)).toEqual([['timestamp']])
    expect(judgeAge(event, HAPPENED_AT + 365 * DAY, MAX_AGE)).toBeUndefined()
  })

  it.each<[string, unknown, number]>([
    ['epoch seconds', HAPPENED_AT / 1000, 1],
    ['epoch milliseconds', HAPPENED_AT, 1],
    ['a time without an offset', '2025-01-29T12:00:00', 1],
    ['a time with another offset', '2025-01-29T19:00:00+07:00', 0],
    ['a time with a fraction', '2025-01-29T12:00:00.000000Z', 0],
    ['a time in lowercase with a space for the T', '2025-01-29 12:00:00z', 0],
  ])('is the same for %s', (_, timestamp, issues) => {
    const event = read(scannedEvent({ timestamp }))
    expect(event.epochMs).toBe(HAPPENED_AT)
    expect(event.issues).toHaveLength(issues)
  })
})

describe('a delivery is remembered', () => {
  const RECEIVED_AT = HAPPENED_AT + 100 * DAY
  const dated = read(scannedEvent())
  const undated = read(scannedEvent({ timestamp: undefined }))

  it.each([
    ['until its maximum age and the future allowance of 24 h have passed', dated, MAX_AGE, true, HAPPENED_AT + 4 * DAY],
    ['for 30 days if it has no readable timestamp', undated, MAX_AGE, true, RECEIVED_AT + 30 * DAY],
    ['for 30 days with maxAgeMs: false', dated, false, true, RECEIVED_AT + 30 * DAY],
    ['for 30 days if it comes from elsewhere and is past its age', dated, MAX_AGE, false, RECEIVED_AT + 30 * DAY],
    [
      'until its maximum age has passed if it comes from elsewhere and that is longer',
      dated,
      200 * DAY,
      false,
      HAPPENED_AT + 201 * DAY,
    ],
  ] as const)('%s', (_, event, maxAgeMs, isFromSender, until) => {
    expect(retainUntil(event, RECEIVED_AT, maxAgeMs, isFromSender)).toBe(until)
  })
})

describe('issues', () => {
  it.each(EVENT_TYPES)('%s as documented has none', (type) => {
    expect(read(eventOf(type))).toMatchObject({ known: true, issues: [], epochMs: HAPPENED_AT })
  })

  const data = scannedEvent().data
  it.each<[string, Payload, readonly string[]]>([
    ['scan_location null', scannedEvent({ data: { ...data, scan_location: null } }), []],
    ['scan_location absent', scannedEvent({ data: { ...data, scan_location: undefined } }), []],
    ['country null', scannedEvent({ data: { ...data, scan_location: { country: null } } }), []],
    [
      'a location that is a string',
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
      'numbers and booleans as strings',
      scannedEvent({ data: { ...data, scan_count: '15', is_first_scan: 'false' } }),
      ['data.is_first_scan: string', 'data.scan_count: string'],
    ],
    [
      'a number out of range',
      scannedEvent({ data: { ...data, scan_count: Infinity } }),
      ['data.scan_count: number out of range'],
    ],
    [
      'a negative number out of range',
      scannedEvent({ data: { ...data, scan_count: -Infinity } }),
      ['data.scan_count: number out of range'],
    ],
    ['extra fields', scannedEvent({ later: 1, data: { ...data, later: {} } }), []],
    ['data absent', scannedEvent({ data: undefined }), ['data: nothing']],
    ['data null', scannedEvent({ data: null }), ['data: null']],
    ['data an array', scannedEvent({ data: [] }), ['data: array']],
    ['data a string', scannedEvent({ data: 'x' }), ['data: string']],
    ['webhook_id absent', scannedEvent({ webhook_id: undefined }), ['webhook_id: nothing']],
    ['webhook_id a number', scannedEvent({ webhook_id: 7 }), ['webhook_id: number']],
    ['webhook_id of 10 KB', scannedEvent({ webhook_id: 'x'.repeat(10_240) }), ['webhook_id: longer string']],
    ['signature absent', scannedEvent(), []],
    ['signature null', scannedEvent({ signature: null }), []],
    ['signature a number', scannedEvent({ signature: 1 }), ['signature: number']],
    ['signature any string', scannedEvent({ signature: 'wrong' }), []],
    [
      'an undocumented event with anything in data',
      eventOf('counterfeit.detected', { data: { severity: [null] } }),
      [],
    ],
    [
      'an inferred field of another kind',
      eventOf('payment.failed', { data: { amount: '9.99' } }),
      ['data.amount: string'],
    ],
    [
      'an inferred field of another kind next to every field of a scan',
      eventOf('payment.failed', { data: { ...data, amount: '9.99' } }),
      ['data.amount: string'],
    ],
    ['an inferred field that is null', eventOf('payment.failed', { data: { amount: null } }), []],
  ])('%s', (_, payload, issues) => {
    expect(issuesOf(payload)).toEqual(issues)
    expect(judgeAge(read(payload), HAPPENED_AT, MAX_AGE)).toBeUndefined()
    // If the user's schema checks `data`, only the issues of the envelope remain.
    expect(issuesOf(payload, true)).toEqual(issues.filter((issue) => !/^data\b/.test(issue)))
  })

  test('of an unreadable timestamp say how to write it', () => {
    const [issue] = read(scannedEvent({ timestamp: '' })).issues
    expect(issue).toEqual({ path: ['timestamp'], expected: expect.stringContaining('ISO 8601'), received: 'string' })
    expect(issuesOf(scannedEvent({ timestamp: '' }), true)).toEqual(['timestamp: string'])
  })

  test('of a long webhook_id say how long it may be', () => {
    const [issue] = read(scannedEvent({ webhook_id: 'x'.repeat(1001) })).issues
    expect(issue?.expected).toContain('at most 1000 characters')
  })

  test('never hold the received value', () => {
    const event = read(scannedEvent({ webhook_id: { secret: 'the value' }, data: { ...data, device: ['the value'] } }))
    expect(event.issues).toHaveLength(2)
    expect(JSON.stringify(event.issues)).not.toContain('the value')
  })
})

describe('the event that handlers receive', () => {
  test('is the payload itself, without any conversion', () => {
    const payload = scannedEvent({ later: 1, data: { scan_count: '15' } })
    expect(read(payload).event).toBe(payload)
  })

  it.each<unknown>([undefined, null, [], 'x', 7])('has an empty object for data that is %j', (data) => {
    const payload = scannedEvent({ data, later: 1 })
    expect(read(payload).event).toEqual({ ...payload, data: {} })
    expect(payload.data).toBe(data)
    expect(read(payload, true).event).toBe(payload)
  })

  test('of an unknown type is the payload, without issues', () => {
    const payload = { event: 'qr.archived', timestamp: 'hello', data: null }
    expect(read(payload)).toEqual({ event: payload, known: false, issues: [], epochMs: undefined })
    expect(judgeAge(read(payload), HAPPENED_AT, MAX_AGE)).toBeUndefined()
  })

  test('of an unknown type can be stale', () => {
    expect(judgeAge(read({ event: 'test', timestamp: EVENT_TIME }), HAPPENED_AT + 73 * HOUR, MAX_AGE)).toBe('stale')
  })

  test('keeps its own prototype, even if the payload has a __proto__ field', () => {
    const payload = JSON.parse(`{"event":"qr.scanned","__proto__":{"data":{"polluted":true}},"data":null}`)
    const { event } = read(payload)
    expect(Object.getPrototypeOf(event)).toBe(Object.prototype)
    expect(event).toMatchObject({ data: {} })
    expect(event.data).not.toHaveProperty('polluted')
  })
})

describe('a user’s schema', () => {
  const { event } = read(scannedEvent())
  const schemaOf = (validate: (value: unknown) => unknown) =>
    ({ '~standard': { version: 1, vendor: 'test', validate } }) as unknown as StandardSchema

  test('replaces data with its output, synchronously or asynchronously', async () => {
    const expected = { event: { ...scannedEvent(), data: { id: 'abc123' } } }
    const renaming = z.object({ qr_id: z.string() }).transform(({ qr_id }) => ({ id: qr_id }))
    expect(await applySchema(renaming, event)).toEqual(expected)
    expect(
      await applySchema(
        schemaOf(async () => ({ value: { id: 'abc123' } })),
        event,
      ),
    ).toEqual(expected)
  })

  test('refuses an event with its messages', async () => {
    const refusing = schemaOf(() => ({ issues: [{ message: 'no id' }, { message: 'no title' }] }))
    expect(await applySchema(refusing, event)).toEqual({ refused: 'no id; no title' })
    expect(await applySchema(z.object({ qr_id: z.number() }), event)).toMatchObject({
      refused: expect.stringContaining('number'),
    })
  })

  test('refuses an event with the path of each message', async () => {
    const issues = [
      { message: 'must be a number', path: ['scan_location', { key: 'country' }, 0] },
      { message: 'must not be empty', path: [] },
      { message: 'must be a string', path: [Symbol('id')] },
    ]
    expect(
      await applySchema(
        schemaOf(() => ({ issues })),
        event,
      ),
    ).toEqual({
      refused: 'data.scan_location.country.0: must be a number; must not be empty; data.Symbol(id): must be a string',
    })
  })

  test('that rejects makes the call reject', async () => {
    const rejecting = schemaOf(() => Promise.reject(new Error('no database')))
    expect(await rejection(applySchema(rejecting, event))).toEqual(new Error('no database'))
  })

  it.each<unknown>([undefined, null, 'x', {}, { issues: undefined }])('that returns %j has failed', async (result) => {
    const returning = schemaOf(() => result)
    const error = new TypeError('the schema returned neither a value nor issues')
    expect(await rejection(applySchema(returning, event))).toEqual(error)
  })

  test('may replace data with undefined', async () => {
    const returning = schemaOf(() => ({ value: undefined }))
    expect(await applySchema(returning, event)).toEqual({ event: { ...scannedEvent(), data: undefined } })
  })

  test('checks only events of the type that it is set for', () => {
    const schema = schemaOf(() => ({ value: {} }))
    const schemas: EventSchemas = { 'qr.created': schema }
    expect(schemaFor('qr.created', schemas)).toBe(schema)
    expect(schemaFor('qr.scanned', schemas)).toBeUndefined()
    // Object.prototype has this property, but it isn't an event.
    expect(schemaFor('toString', schemas)).toBeUndefined()
  })
})
