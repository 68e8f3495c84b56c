/** The options of createReceiver: defaults, and every misuse with its code and the cure. */
import { describe, expect, it, test } from 'vitest'
import * as z from 'zod'
import { createReceiver, memoryStore, type ReceiverOptions } from '../../../src/index.js'
import { readOptions } from '../../../src/receiver/options.js'
import { caught } from '../../support/caught.js'

const SECRET = 'your_webhook_secret'
const SCHEMA = z.looseObject({})
const INBOX = { accept: async () => {}, maxBodyBytes: 1000 }

describe('without any option but the secret', () => {
  test('the limits are those of the documentation', () => {
    expect(readOptions({ secret: SECRET })).toMatchObject({
      maxBodyBytes: 1_048_576,
      bodyDeadlineMs: 2500,
      deadlineMs: 4500,
      handlerTimeoutMs: 900_000,
      maxAgeMs: 259_200_000,
      validation: 'report',
      signedContent: 'body',
      schemas: {},
      quarantine: undefined,
      idempotencyKey: undefined,
    })
  })

  test('an option that is undefined counts as left out', () => {
    const left = { store: undefined, quarantine: undefined, maxAgeMs: undefined, onError: undefined, clock: undefined }
    expect(() => createReceiver({ secret: SECRET, ...left } as never)).not.toThrow()
  })

  test('a shorter deadline shortens the one of the body', () => {
    expect(readOptions({ secret: SECRET, deadlineMs: 2000 })).toMatchObject({ deadlineMs: 2000, bodyDeadlineMs: 2000 })
  })
})

describe('what is set is taken', () => {
  const sink = async () => {}
  it.each<[string, Partial<ReceiverOptions>]>([
    ['no age check', { maxAgeMs: false }],
    ['strict validation', { validation: 'strict' }],
    ['signed without its signature', { signedContent: 'body-without-signature' }],
    ['a sink', { quarantine: sink }],
    ['the longest time for handlers', { handlerTimeoutMs: 2_073_600_000 }],
    ['limits', { maxBodyBytes: 1, bodyDeadlineMs: 1, deadlineMs: 4999, handlerTimeoutMs: 1, maxAgeMs: 1 }],
    ['schemas', { schemas: { 'qr.scanned': SCHEMA } }],
    ['a schema left undefined', { schemas: { 'qr.scanned': undefined } as never }],
    ['what the inbox can take', { inbox: INBOX, maxBodyBytes: 1000 }],
  ])('%s', (_, options) => {
    expect(readOptions({ secret: SECRET, ...options })).toMatchObject(options)
  })

  test('the store’s own quarantine, where no other is given', () => {
    const store = Object.assign(memoryStore(), { quarantine: sink })
    const other = async () => {}
    expect(readOptions({ secret: SECRET, store }).quarantine).toBe(sink)
    expect(readOptions({ secret: SECRET, store, quarantine: other }).quarantine).toBe(other)
  })
})

describe('a misuse throws at creation, with a code and the cure', () => {
  const kv = { get() {}, put() {}, list() {}, delete() {}, getWithMetadata() {} }
  it.each<[string, unknown, string, RegExp]>([
    ['no options', undefined, 'option_invalid', /createReceiver\(\{ secret: … \}\)/],
    ['null', null, 'option_invalid', /takes an object/],
    ['a text', SECRET, 'option_invalid', /takes an object/],
    ['no secret', {}, 'secret_missing', /secret is undefined.*Account > Webhooks/],
    ['a blank secret', { secret: ' ' }, 'secret_blank', /secret is blank/],
    ['a list with undefined in it', { secret: [SECRET, undefined] }, 'secret_missing', /secret\[1\] is undefined/],
    ['an unknown option', { secret: SECRET, maxAge: 1 }, 'option_unknown', /"maxAge".*secret, store, .*maxAgeMs/],
    ['an inherited name as an option', { secret: SECRET, toString: 1 }, 'option_unknown', /"toString"/],
    [
      'a Workers KV namespace as the store',
      { secret: SECRET, store: kv },
      'store_unsuitable',
      /Workers KV.*durableObjectStore/,
    ],
    ['a store without methods', { secret: SECRET, store: {} }, 'store_unsuitable', /claim, renew, complete, release/],
    ['a Map as the store', { secret: SECRET, store: new Map() }, 'store_unsuitable', /claim, renew, complete, release/],
    ['null as the store', { secret: SECRET, store: null }, 'store_unsuitable', /claim, renew, complete, release/],
    [
      'a store that lacks methods',
      { secret: SECRET, store: { claim() {}, complete() {} } },
      'store_unsuitable',
      /claim, renew, complete, release/,
    ],
    ['true as the store', { secret: SECRET, store: true }, 'store_unsuitable', /claim, renew, complete, release/],
    [
      'memoryStore itself',
      { secret: SECRET, store: memoryStore },
      'store_unsuitable',
      /claim, renew, complete, release/,
    ],
    [
      'a sink that is no function',
      { secret: SECRET, quarantine: {} },
      'option_invalid',
      /quarantine must be a function/,
    ],
    [
      'a key that is no function',
      { secret: SECRET, idempotencyKey: 'webhook_id' },
      'option_invalid',
      /idempotencyKey must be a function/,
    ],
    ['a hook that is no function', { secret: SECRET, onError: 1 }, 'option_invalid', /onError must be a function/],
    [
      'another hook that is no function',
      { secret: SECRET, onOutcome: [] },
      'option_invalid',
      /onOutcome must be a function/,
    ],
    [
      'a limit of 0',
      { secret: SECRET, maxBodyBytes: 0 },
      'option_invalid',
      /maxBodyBytes must be a whole number above 0; it is 0/,
    ],
    [
      'a negative limit',
      { secret: SECRET, bodyDeadlineMs: -1 },
      'option_invalid',
      /bodyDeadlineMs must be a whole number/,
    ],
    ['a broken limit', { secret: SECRET, handlerTimeoutMs: 1.5 }, 'option_invalid', /it is 1.5/],
    [
      'a limit that no timer can be set for',
      { secret: SECRET, handlerTimeoutMs: 2_073_600_001 },
      'option_invalid',
      /handlerTimeoutMs must be at most 2073600000, which is 24 days/,
    ],
    [
      'a limit that is NaN',
      { secret: SECRET, maxAgeMs: Number.NaN },
      'option_invalid',
      /maxAgeMs must be a whole number/,
    ],
    ['a limit as text', { secret: SECRET, maxAgeMs: '72h' }, 'option_invalid', /it is text of 3 characters/],
    [
      'true for an age',
      { secret: SECRET, maxAgeMs: true },
      'option_invalid',
      /maxAgeMs must be a whole number.*it is boolean/,
    ],
    [
      'a deadline the sender does not wait for',
      { secret: SECRET, deadlineMs: 5000 },
      'option_invalid',
      /deadlineMs must be below 5000/,
    ],
    [
      'a body deadline past the deadline',
      { secret: SECRET, bodyDeadlineMs: 4501 },
      'option_invalid',
      /bodyDeadlineMs must be no longer than deadlineMs/,
    ],
    [
      'null as the inbox',
      { secret: SECRET, inbox: null },
      'option_invalid',
      /inbox must be .*govalid-webhooks\/inboxes/,
    ],
    ['an inbox without accept', { secret: SECRET, inbox: {} }, 'option_invalid', /inbox must be .*it is object/],
    [
      'a limit above that of the inbox',
      { secret: SECRET, inbox: INBOX, maxBodyBytes: 1001 },
      'option_invalid',
      /maxBodyBytes must be at most 1000.*it is 1001/,
    ],
    [
      'an inbox that cannot take the default limit',
      { secret: SECRET, inbox: INBOX },
      'option_invalid',
      /maxBodyBytes must be at most 1000/,
    ],
    [
      'an unknown validation',
      { secret: SECRET, validation: 'none' },
      'option_invalid',
      /'report' or 'strict'; it is text of 4 characters/,
    ],
    [
      'an unknown signed content',
      { secret: SECRET, signedContent: 'data' },
      'option_invalid',
      /'body' or 'body-without-signature'/,
    ],
    ['schemas that are no object', { secret: SECRET, schemas: [] }, 'option_invalid', /schemas must be an object/],
    [
      'a schema of an unknown event',
      { secret: SECRET, schemas: { 'qr.scaned': SCHEMA } },
      'event_type_unknown',
      /"qr.scaned".*qr\.created, qr\.scanned, /,
    ],
    [
      'a schema that is none',
      { secret: SECRET, schemas: { 'qr.scanned': {} } },
      'option_invalid',
      /schemas\['qr.scanned'\] must be a Standard Schema/,
    ],
    [
      'null as a schema',
      { secret: SECRET, schemas: { 'qr.scanned': null } },
      'option_invalid',
      /schemas\['qr.scanned'\] must be a Standard Schema/,
    ],
    ['null as the clock', { secret: SECRET, clock: null }, 'option_invalid', /clock must be an object/],
    [
      'a clock that only has timers',
      { secret: SECRET, clock: { setTimer() {} } },
      'option_invalid',
      /clock must be an object/,
    ],
    [
      'a clock that is none',
      { secret: SECRET, clock: Date },
      'option_invalid',
      /clock must be an object with now\(\) and setTimer\(\)/,
    ],
  ])('%s', (_, options, code, message) => {
    const error = caught(() => createReceiver(options as ReceiverOptions))
    expect(error).toMatchObject({ name: 'WebhookError', code })
    expect((error as Error).message).toMatch(message)
    expect((error as Error).message).not.toContain(SECRET)
  })
})

test('creation sets no timer and takes no randomness, which Workers forbid at module scope', () => {
  const forbidden = () => expect.unreachable('not at creation')
  const clock = { now: forbidden, setTimer: forbidden }
  const random = crypto.getRandomValues
  crypto.getRandomValues = forbidden as never
  try {
    createReceiver({ secret: SECRET, clock: clock as never }).on('*', () => {})
  } finally {
    crypto.getRandomValues = random
  }
})
