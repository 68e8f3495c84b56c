/** The zod schemas, and their agreement with the receiver's own check (`findIssues`) about every payload. */
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { EVENT_TYPES, type EventType } from '../../../src/events/event-types.js'
import { envelopeSchema, eventSchema, eventSchemas, qrScannedSchema } from '../../../src/events/schemas.js'
import { findIssues } from '../../../src/events/shapes.js'
import { eventOf, scannedEvent } from '../../support/payloads.js'

/** Every field name of every schema, so that generated payloads are similar to the documented shapes. */
const FIELDS = [
  ...[
    'qr_id',
    'qr_title',
    'scan_location',
    'device',
    'platform',
    'is_first_scan',
    'scan_count',
    'id',
    'title',
    'qr_type',
  ],
  ...['security_level', 'status', 'expires_at', 'created_at', 'plan', 'billing_period', 'next_billing_date', 'amount'],
  ...[
    'currency',
    'date',
    'payment_method',
    'balance',
    'last_topup',
    'package_id',
    'country',
    'city',
    'else',
    'toString',
  ],
]

/** Any value that `JSON.parse` can return, including numbers beyond the range of a double. */
const anyJson = () =>
  fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(Infinity, -Infinity, -0, '', 'text', 7, true))
const location = () => fc.dictionary(fc.constantFrom('country', 'city', 'else'), fc.oneof(fc.string(), anyJson()))
const looseData = () =>
  fc.dictionary(
    fc.constantFrom(...FIELDS),
    fc.oneof(fc.string(), fc.integer(), fc.constant(null), anyJson(), location()),
  )

/** zod reports it twice: it is no string, and its length exceeds the maximum. */
const HAS_LENGTH = { length: ':' }

/** A payload that is valid except for a few fields at most. */
const nearPayload = (type: EventType) =>
  fc
    .record(
      {
        timestamp: fc.oneof(
          { weight: 9, arbitrary: fc.constant('2025-01-29T12:00:00Z') },
          { weight: 1, arbitrary: anyJson() },
        ),
        webhook_id: fc.oneof(
          { weight: 8, arbitrary: fc.string() },
          { weight: 1, arbitrary: fc.constantFrom('x'.repeat(1000), 'x'.repeat(1001), 'x'.repeat(10_000), HAS_LENGTH) },
          { weight: 1, arbitrary: anyJson() },
        ),
        signature: fc.oneof(fc.string(), fc.constant(null), anyJson()),
        data: fc.oneof(
          {
            weight: 4,
            arbitrary: fc
              .tuple(fc.constant(eventOf(type).data), looseData())
              .map((parts) => Object.assign({}, ...parts)),
          },
          { weight: 2, arbitrary: looseData() },
          { weight: 1, arbitrary: anyJson() },
        ),
        more: anyJson(),
      },
      { requiredKeys: [] },
    )
    .map((fields) => ({ event: type, ...fields }))

const byPath = (paths: readonly (readonly PropertyKey[])[]) =>
  [...new Set(paths.map((path) => path.map(String).join('.')))].sort()

describe.each(EVENT_TYPES)('%s', (type) => {
  it('has the same issues in findIssues and in its schema, at the same paths', () => {
    let accepted = 0
    fc.assert(
      fc.property(nearPayload(type), (payload) => {
        const judged = eventSchemas[type].safeParse(payload)
        const issues = findIssues(type, payload)
        accepted += judged.success ? 1 : 0
        expect(byPath(issues.map((issue) => issue.path))).toEqual(
          byPath(judged.error?.issues.map((issue) => issue.path) ?? []),
        )
      }),
      { numRuns: 500 },
    )
    expect(accepted).toBeGreaterThan(10)
    expect(accepted).toBeLessThan(490)
  })

  it('is accepted with its required fields only, by its schema and by the union', () => {
    expect(eventSchemas[type].safeParse(eventOf(type)).success).toBe(true)
    expect(eventSchema.parse(eventOf(type))).toEqual(eventOf(type))
    expect(findIssues(type, eventOf(type))).toEqual([])
  })

  it('is refused under another name', () => {
    expect(eventSchemas[type].safeParse({ ...eventOf(type), event: 'qr.archived' }).success).toBe(false)
  })
})

test('undocumented fields are kept, except __proto__', () => {
  const text = JSON.stringify({ ...scannedEvent(), later: [1] }).replace(
    '"later"',
    '"__proto__":{"polluted":1},"later"',
  )
  const parsed = qrScannedSchema.parse(JSON.parse(text))
  expect(parsed).toMatchObject({ later: [1] })
  expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype)
  expect('polluted' in parsed).toBe(false)
})

test('the union refuses an event that this version does not know; the envelope schema accepts it', () => {
  const unknown = { ...scannedEvent(), event: 'qr.archived' }
  expect(eventSchema.safeParse(unknown).success).toBe(false)
  expect(envelopeSchema.safeParse(unknown).success).toBe(true)
  expect(envelopeSchema.safeParse({ ...unknown, event: '' }).success).toBe(false)
})
