/**
 * The exact fields of the outcomes that need no claim: the delivery is refused, ignored, accepted by an inbox, can't be read, or is
 * stopped by a schema or a service that fails.
 */
import { describe, expect, it, test } from 'vitest'
import { type AcceptedDelivery, type Delivery, type Inbox, memoryStore } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { pushedBody } from '../support/bodies.js'
import { faultyStore } from '../support/faulty-store.js'
import { entryOf, jobOf, keyOf } from '../support/handed-out.js'
import { EVENT_TIME, scannedEvent } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { HOUR, receiving, signatureOf } from '../support/receiving.js'

const EVENT = scannedEvent()
/** The fields of a delivery that was read as an event, but not claimed. */
const READ = { event: EVENT, idempotencyKey: keyOf(JSON.stringify(EVENT)), secretIndex: 0 }
/** The fields of a delivery whose first attempt was counted. */
const FIRST = { ...READ, attempt: 1, attemptsLeft: 4 }
/** Any text of the receiver's own. */
const SOME_TEXT: unknown = expect.any(String)
const NO_DATABASE = new Error('no database')
const DISK_FULL = new Error('disk full')

const failingSink = () => Promise.reject(DISK_FULL)
const hangs = () => new Promise<never>(() => {})

/** An inbox in memory that accepts deliveries. */
function memoryInbox(): Inbox & { readonly held: AcceptedDelivery[] } {
  const held: AcceptedDelivery[] = []
  return { held, accept: async (delivery) => void held.push(delivery) }
}

describe('an event that the receiver does not know', () => {
  const unknown = { event: 'qr.painted', timestamp: EVENT_TIME, webhook_id: 'wh-001', data: {} }

  test('returns the fields of ignored', async () => {
    const { deliver } = receiving()
    const read = { event: unknown, idempotencyKey: keyOf(JSON.stringify(unknown)), secretIndex: 0 }
    expect(await deliver(unknown)).toEqual({ status: 'ignored', ...read })
  })
})

describe('with an inbox', () => {
  test('returns the fields of accepted', async () => {
    const inbox = memoryInbox()
    const { receiver, deliver, outcomes } = receiving({ inbox })
    receiver.on('qr.scanned', () => expect.unreachable())
    const outcome = await deliver()
    expect(outcome).toEqual({ status: 'accepted', ...READ })
    expect(outcomes).toEqual([outcome])
    expect(inbox.held).toHaveLength(1)
  })

  test('returns the fields of unavailable (inbox_unavailable) when it rejects', async () => {
    const { receiver, deliver } = receiving({ inbox: { accept: () => Promise.reject(DISK_FULL) } })
    receiver.on('qr.scanned', () => {})
    expect(await deliver()).toEqual({ status: 'unavailable', code: 'inbox_unavailable', ...READ, error: DISK_FULL })
  })

  test('returns the fields of unavailable (inbox_unavailable) when it hangs', async () => {
    const { receiver, attempt } = receiving({ inbox: { accept: hangs } })
    receiver.on('qr.scanned', () => {})
    const { outcome } = await attempt()
    expect(outcome).toEqual({ status: 'unavailable', code: 'inbox_unavailable', ...READ, error: SOME_TEXT })
  })

  test('returns the fields of quarantined (job_forged)', async () => {
    const { receiver } = receiving({ inbox: memoryInbox(), quarantine: memoryQuarantine() })
    receiver.on('qr.scanned', () => expect.unreachable())
    const forged = { ...jobOf(), headers: { 'x-govalid-signature': `sha256=${'0'.repeat(64)}` } }
    expect(await receiver.process(forged, { number: 1, last: false })).toEqual({
      status: 'quarantined',
      code: 'job_forged',
      idempotencyKey: READ.idempotencyKey,
    })
  })

  test('returns the fields of failed with a forged job and no quarantine', async () => {
    const { receiver } = receiving({ inbox: memoryInbox() })
    const forged = { ...jobOf(), headers: {} }
    expect(await receiver.process(forged, { number: 1, last: false })).toEqual({
      status: 'failed',
      idempotencyKey: READ.idempotencyKey,
      error: SOME_TEXT,
    })
  })
})

describe('a body that is not an event', () => {
  const bytes = (...values: readonly number[]) => Uint8Array.from(values)

  it.each([
    ['not_utf8', bytes(0x7b, 0xff, 0x7d)],
    ['not_json', '{"event":'],
    ['not_an_event', '[]'],
    ['not_an_event', '{"event":""}'],
  ])('returns the fields of quarantined (%s)', async (code, sent) => {
    const { receiver, deliver, outcomes } = receiving({ quarantine: memoryQuarantine() })
    receiver.on('*', () => expect.unreachable())
    const outcome = await deliver(sent)
    expect(outcome).toEqual({ status: 'quarantined', code, idempotencyKey: keyOf(sent), secretIndex: 0 })
    expect(outcomes).toEqual([outcome])
    const { deliver: without } = receiving()
    expect(await without(sent)).toEqual(outcome)
  })

  it('returns the fields of unavailable (quarantine_unavailable)', async () => {
    const { deliver } = receiving({ quarantine: failingSink })
    expect(await deliver('[]')).toEqual({
      status: 'unavailable',
      code: 'quarantine_unavailable',
      idempotencyKey: keyOf('[]'),
      secretIndex: 0,
      error: DISK_FULL,
    })
  })

  it('returns the fields of unavailable (quarantine_unavailable) when the quarantine hangs', async () => {
    const { attempt } = receiving({ quarantine: hangs })
    expect((await attempt('[]')).outcome).toEqual({
      status: 'unavailable',
      code: 'quarantine_unavailable',
      idempotencyKey: keyOf('[]'),
      secretIndex: 0,
      error: SOME_TEXT,
    })
  })

  it('returns the fields of quarantined (not_an_event) by reprocess', async () => {
    const { receiver } = receiving({ quarantine: memoryQuarantine() })
    expect(await receiver.reprocess(entryOf('[]'))).toEqual({
      status: 'quarantined',
      code: 'not_an_event',
      idempotencyKey: keyOf('[]'),
      secretIndex: 0,
    })
  })
})

describe('an event outside the accepted age or shape', () => {
  it.each([
    ['stale', 72 * HOUR + 1],
    ['from_future', -24 * HOUR - 1],
  ])('returns the fields of quarantined (%s)', async (code, ageMs) => {
    const clock = fixedClock(Date.parse(EVENT_TIME) + ageMs)
    const { receiver, deliver } = receiving({ clock, quarantine: memoryQuarantine() })
    receiver.on('qr.scanned', () => expect.unreachable())
    const outcome = await deliver()
    expect(outcome).toEqual({ status: 'quarantined', code, idempotencyKey: READ.idempotencyKey, secretIndex: 0 })
  })
})

describe('with a schema', () => {
  const schemaOf = (validate: (data: unknown) => unknown) =>
    ({
      'qr.scanned': {
        '~standard': { version: 1, vendor: 'test', validate: validate as (data: unknown) => { value: unknown } },
      },
    }) as const

  test('returns the schema’s output as data', async () => {
    const { receiver, deliver } = receiving({ schemas: schemaOf(() => ({ value: { scans: 15 } })) })
    receiver.on('qr.scanned', () => {})
    const event = { ...EVENT, data: { scans: 15 } }
    expect(await deliver()).toEqual({ status: 'processed', ...FIRST, event })
  })

  test('returns the fields of quarantined (schema_refused)', async () => {
    const schemas = schemaOf(() => ({ issues: [{ message: 'no scans' }, { message: 'no city' }] }))
    const { receiver, deliver } = receiving({ schemas, quarantine: memoryQuarantine() })
    receiver.on('qr.scanned', () => expect.unreachable())
    const refused = {
      status: 'quarantined',
      code: 'schema_refused',
      idempotencyKey: READ.idempotencyKey,
      secretIndex: 0,
      error: 'no scans; no city',
    }
    expect(await deliver()).toEqual(refused)
    expect(await receiver.process(jobOf(), { number: 1, last: false })).toEqual(refused)
    expect(await receiver.reprocess(entryOf())).toEqual(refused)
  })

  test.each([
    ['throws', () => Promise.reject(NO_DATABASE), NO_DATABASE],
    ['hangs', hangs, SOME_TEXT],
  ])('returns the fields of failed when the schema %s', async (_, validate, error) => {
    const { receiver, attempt } = receiving({ schemas: schemaOf(validate) })
    receiver.on('qr.scanned', () => expect.unreachable())
    expect((await attempt()).outcome).toEqual({ status: 'failed', ...FIRST, error })
  })
})

describe('a service that fails', () => {
  test.each(['throws', 'rejects'] as const)(
    'returns the fields of unavailable (store_unavailable) when a claim %s',
    async (fault) => {
      const store = faultyStore(memoryStore())
      store.fail('claim', fault)
      const { receiver, deliver } = receiving({ store })
      receiver.on('qr.scanned', () => expect.unreachable())
      const unavailable = { status: 'unavailable', code: 'store_unavailable', ...READ, error: expect.any(Error) }
      expect(await deliver()).toEqual(unavailable)
      expect(await receiver.process(jobOf(), { number: 1, last: true })).toEqual(unavailable)
      expect(await receiver.reprocess(entryOf())).toEqual(unavailable)
    },
  )

  test.each([
    ['store_unavailable', 'hangs'],
    ['store_corrupt', 'returns garbage'],
  ] as const)('returns the fields of unavailable (%s) when a claim %s', async (code, fault) => {
    const store = faultyStore(memoryStore())
    store.fail('claim', fault)
    const { receiver, attempt } = receiving({ store })
    receiver.on('qr.scanned', () => expect.unreachable())
    expect((await attempt()).outcome).toEqual({ status: 'unavailable', code, ...READ, error: SOME_TEXT })
  })

  test('returns the fields of unavailable (secret_unavailable) when the secret function rejects', async () => {
    const { deliver } = receiving({ secret: () => Promise.reject(DISK_FULL) })
    expect(await deliver()).toEqual({ status: 'unavailable', code: 'secret_unavailable', error: DISK_FULL })
  })

  test('returns the fields of unavailable (secret_unavailable) when the secret function hangs', async () => {
    const { attempt } = receiving({ secret: hangs })
    const unavailable = { status: 'unavailable', code: 'secret_unavailable', error: expect.any(Error) }
    expect((await attempt()).outcome).toEqual(unavailable)
  })

  test('returns the fields of unavailable (receiver_closing)', async () => {
    const { receiver, deliver, outcomes } = receiving()
    await receiver.close()
    const closing = { status: 'unavailable', code: 'receiver_closing' }
    expect(await deliver()).toEqual(closing)
    expect(await receiver.process(jobOf(), { number: 1, last: false })).toEqual(closing)
    expect(await receiver.reprocess(entryOf())).toEqual(closing)
    expect(outcomes).toEqual([closing, closing, closing])
  })
})

describe('a refused request', () => {
  const headersOf = (headers: Readonly<Record<string, string>>): Partial<Delivery> => ({
    header: (name) => ({ 'x-govalid-signature': signatureOf(EVENT), ...headers })[name],
  })
  const broken = pushedBody((consumer) => consumer.fail(new Error('socket hang up')))

  it.each<readonly [code: string, changes: Partial<Delivery>]>([
    ['method_not_allowed', { method: 'GET' }],
    ['body_read_failed', { body: broken }],
    ['body_timeout', { body: pushedBody() }],
    ['body_too_large', headersOf({ 'content-length': '1048577' })],
    ['body_encoded', headersOf({ 'content-encoding': 'gzip' })],
    ['signature_missing', { header: () => undefined }],
    ['signature_malformed', headersOf({ 'x-govalid-signature': 'sha1=00' })],
    ['signature_mismatch', headersOf({ 'x-govalid-signature': `sha256=${'0'.repeat(64)}` })],
  ])('returns the fields of refused (%s)', async (code, changes) => {
    const { receiver, attempt, outcomes } = receiving()
    receiver.on('*', () => expect.unreachable())
    const { outcome } = await attempt(EVENT, changes)
    expect(outcome).toEqual({ status: 'refused', code })
    expect(outcomes).toEqual([outcome])
  })

  it('returns the adapter’s fix as the hint of body_already_parsed', async () => {
    const { deliver } = receiving()
    const outcome = await deliver(EVENT, { body: { alreadyParsed: 'Mount it before express.json().' } })
    const hint = 'Mount it before express.json().'
    expect(outcome).toEqual({ status: 'refused', code: 'body_already_parsed', hint })
  })

  it('returns a general hint for any other parsed body', async () => {
    const { deliver } = receiving()
    const outcome = await deliver(EVENT, { body: { event: 'qr.scanned' } as unknown as Delivery['body'] })
    expect(outcome).toEqual({ status: 'refused', code: 'body_already_parsed', hint: SOME_TEXT })
  })

  it('returns the fields of refused (secret_missing) when the secret function returns no secret', async () => {
    const { deliver } = receiving({ secret: () => undefined as unknown as string })
    const outcome = await deliver()
    expect(outcome).toEqual({ status: 'refused', code: 'secret_missing' })
  })

  it('returns the fields of refused (signature_mismatch) by reprocess', async () => {
    const { receiver } = receiving()
    const forged = { ...entryOf(), headers: { 'x-govalid-signature': `sha256=${'0'.repeat(64)}` } }
    expect(await receiver.reprocess(forged)).toEqual({ status: 'refused', code: 'signature_mismatch' })
  })
})
