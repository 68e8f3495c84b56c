// Group F: events and their shapes.
import { expect } from 'vitest'
import { type Case, type Expected, IGNORED, PROCESSED, quarantined, type Step } from '../case.js'
import { bytesOf, payload, SCAN, scan, signatureOf, signed } from '../deliveries.js'
import type { HandledCall } from '../observations.js'
import type { VariantName } from '../variants.js'

/** The eleven events of GoValid's guide, and the twelfth event of its API reference. */
const KNOWN = [
  'qr.created',
  'qr.scanned',
  'qr.expired',
  'qr.removed',
  'qr.transferred',
  'subscription.created',
  'subscription.cancelled',
  'payment.completed',
  'payment.failed',
  'credit.topup',
  'counterfeit.detected',
  'institution.staff.invited',
]

const refused = quarantined('schema_refused')

/** Returns one request per payload. */
function payloads(
  list: readonly object[],
  expected: Expected,
  check?: Step['check'],
  variant: VariantName = 'default',
): readonly Step[] {
  return list.map((changes) => ({ variant, request: signed(scan(changes)), expected, ...(check && { check }) }))
}

const withScan = (changes: object) => ({ data: { ...SCAN, ...changes } })
const first = (calls: readonly HandledCall[]) => JSON.parse(calls[0]?.event ?? '')
const issuesAt =
  (path: string): Step['check'] =>
  ({ handled }) =>
    expect(handled[0]?.issues.map((issue) => issue.split(':')[0])).toEqual([path])
const noIssue: Step['check'] = ({ handled }) => expect(handled[0]?.issues).toEqual([])

export const EVENT_CASES: readonly Case[] = [
  {
    number: '130',
    title: 'each known event reaches its own handler and no other',
    steps: () =>
      KNOWN.map((event) => ({
        request: signed(scan({ event })),
        expected: PROCESSED,
        check: ({ handled }) =>
          expect(handled.map(({ handler, eventType }) => ({ handler, eventType }))).toEqual([
            { handler: event, eventType: event },
          ]),
      })),
  },
  {
    number: '131',
    title: 'an unknown event is ignored, or handled once by onUnknown',
    steps: () =>
      ['qr.archived', 'test', 'ping', 'qr', 'qr.', 'QR.SCANNED', ' qr.scanned', 'qr.*', '*'].flatMap((event) => [
        ...payloads([{ event }], IGNORED),
        ...payloads(
          [{ event }],
          PROCESSED,
          ({ handled }) => expect(handled[0]?.handler).toBe('(unknown)'),
          'unknown-handler',
        ),
      ]),
  },
  {
    number: '132',
    title: 'a known event without a handler is ignored',
    steps: () => [
      ...payloads([{ event: 'qr.created' }, { event: 'payment.failed' }], IGNORED, undefined, 'one-handler'),
      ...payloads([{}], PROCESSED, undefined, 'one-handler'),
    ],
  },
  {
    number: '133',
    title: 'a scan without a location has no issue',
    steps: () => {
      const places = [
        withScan({ scan_location: null }),
        withScan({ scan_location: undefined }),
        withScan({ scan_location: {} }),
        withScan({ scan_location: { country: null, city: null } }),
        withScan({ scan_location: { country: 'ID' } }),
      ]
      return payloads(places, PROCESSED, noIssue)
    },
  },
  {
    number: '134',
    title: 'numbers and booleans sent as strings get an issue and reach the handler unchanged',
    steps: () => [
      ...payloads([withScan({ scan_count: '15' })], PROCESSED, (seen, reply) => {
        issuesAt('data.scan_count')?.(seen, reply)
        expect(first(seen.handled).data.scan_count).toBe('15')
      }),
      ...payloads([withScan({ is_first_scan: 'false' })], PROCESSED, (seen, reply) => {
        issuesAt('data.is_first_scan')?.(seen, reply)
        expect(first(seen.handled).data.is_first_scan).toBe('false')
      }),
    ],
  },
  {
    number: '135',
    title: 'undocumented fields have no issue and reach the handler',
    steps: () => {
      const more = [{ ...withScan({ campaign: { id: 7 } }), delivery_id: 'd-1' }]
      const check: Step['check'] = (seen, reply) => {
        noIssue(seen, reply)
        expect(first(seen.handled)).toMatchObject({ delivery_id: 'd-1', data: { campaign: { id: 7 } } })
      }
      return payloads(more, PROCESSED, check)
    },
  },
  {
    number: '136',
    title: 'data that is not an object reaches the handler as {}, with an issue and the original in the raw body',
    steps: () =>
      [undefined, null, [1], 'text', 12, false].flatMap((data) =>
        payloads([{ data }], PROCESSED, (seen, reply) => {
          issuesAt('data')?.(seen, reply)
          expect(first(seen.handled).data).toEqual({})
          const raw = JSON.parse(Buffer.from(seen.handled[0]?.rawBase64 ?? '', 'base64').toString())
          expect(raw.data).toEqual(data)
        }),
      ),
  },
  {
    number: '137',
    title: 'a webhook_id that is missing or a number gets an issue, and a long webhook_id is accepted',
    steps: () => [
      ...payloads(
        [{ webhook_id: undefined }, { webhook_id: 12 }, { webhook_id: null }],
        PROCESSED,
        issuesAt('webhook_id'),
      ),
      ...payloads([{ webhook_id: 'w'.repeat(10_240) }], PROCESSED),
    ],
  },
  {
    number: '138',
    title: 'the body’s own signature field is neither trusted nor checked',
    steps: () => {
      const right = signatureOf(bytesOf(payload()))
      return payloads(
        [null, 12, '', right, `sha256=${'0'.repeat(64)}`, {}, undefined].map((signature) => ({ signature })),
        PROCESSED,
      )
    },
  },
  {
    number: '139',
    title: 'events without a documented shape accept any object',
    steps: () =>
      KNOWN.filter((event) => event !== 'qr.scanned').flatMap((event) =>
        payloads(
          [
            { event, data: {} },
            { event, data: { anything: [1, { deep: null }], when: 'now' } },
          ],
          PROCESSED,
          noIssue,
        ),
      ),
  },
  {
    number: '140',
    title: 'an event that the user’s schema refuses is quarantined, and the schema replaces the built-in check',
    steps: () => {
      const refusals = [withScan({ qr_id: 12 }), withScan({ qr_id: undefined }), { data: 'none' }]
      return [
        ...payloads(refusals, refused, undefined, 'schema'),
        ...payloads(
          refusals,
          refused,
          ({ quarantined }) => expect(quarantined[0]?.eventType).toBe('qr.scanned'),
          'schema-sink',
        ),
        ...payloads([{}, withScan({ scan_count: '15' })], PROCESSED, noIssue, 'schema'),
      ]
    },
  },
]
