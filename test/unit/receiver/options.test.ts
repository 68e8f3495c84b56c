/** The options of createReceiver: their defaults, and every mistake with its code and its fix. */
import { describe, expect, it, test } from 'vitest'
import * as z from 'zod'
import { createReceiver, memoryStore, type ReceiverOptions } from '../../../src/index.js'
import { readOptions } from '../../../src/receiver/options.js'
import { caught } from '../../support/caught.js'
import { withTraps } from '../../support/hostile-values.js'

const SECRET = 'your_webhook_secret'
const SCHEMA = z.looseObject({})
const INBOX = { accept: async () => {}, maxBodyBytes: 1000 }

describe('with only a secret', () => {
  test('every option has its documented default', () => {
    expect(readOptions({ secret: SECRET })).toMatchObject({
      maxBodyBytes: 1_048_576,
      bodyDeadlineMs: 2500,
      deadlineMs: 4500,
      handlerTimeoutMs: 900_000,
      maxAgeMs: 259_200_000,
      signedContent: 'body',
      schemas: {},
      quarantine: undefined,
      idempotencyKey: undefined,
    })
  })

  test('an undefined option counts as absent', () => {
    const options = {
      store: undefined,
      quarantine: undefined,
      maxAgeMs: undefined,
      onError: undefined,
      clock: undefined,
    }
    expect(() => createReceiver({ secret: SECRET, ...options } as never)).not.toThrow()
  })

  test('a quarantine whose discard can’t be read counts as one without it', () => {
    const quarantine = withTraps(
      Object.assign(async () => {}, { discard: async () => {} }),
      'discard',
    )
    expect(readOptions({ secret: SECRET, quarantine }).canDiscard).toBe(false)
  })

  it.each<[string, ReceiverOptions['store'], boolean]>([
    ['the default store', undefined, true],
    ['a store', memoryStore(), true],
    ['store: false', false, false],
  ])('attempts are counted by %s: %s', (_, store, hasStore) => {
    expect(readOptions({ secret: SECRET, store }).hasStore).toBe(hasStore)
  })

  test('a shorter deadline also shortens the body deadline', () => {
    expect(readOptions({ secret: SECRET, deadlineMs: 2000 })).toMatchObject({ deadlineMs: 2000, bodyDeadlineMs: 2000 })
  })
})

describe('accepts', () => {
  const sink = async () => {}
  it.each<[string, Partial<ReceiverOptions>]>([
    ['no age check', { maxAgeMs: false }],
    ['bodies signed without their signature field', { signedContent: 'body-without-signature' }],
    ['a quarantine', { quarantine: sink }],
    ['the maximum time for handlers', { handlerTimeoutMs: 2_073_600_000 }],
    ['other limits', { maxBodyBytes: 1, bodyDeadlineMs: 1, deadlineMs: 4999, handlerTimeoutMs: 1, maxAgeMs: 1 }],
    ['schemas', { schemas: { 'qr.scanned': SCHEMA } }],
    ['an undefined schema', { schemas: { 'qr.scanned': undefined } as never }],
    ['the inbox’s own maximum body size', { inbox: INBOX, maxBodyBytes: 1000 }],
  ])('%s', (_, options) => {
    expect(readOptions({ secret: SECRET, ...options })).toMatchObject(options)
  })

  test('the store’s own quarantine, unless another one is set', () => {
    const store = Object.assign(memoryStore(), { quarantine: sink })
    const other = async () => {}
    expect(readOptions({ secret: SECRET, store }).quarantine).toBe(sink)
    expect(readOptions({ secret: SECRET, store, quarantine: other }).quarantine).toBe(other)
  })
})

describe('creation throws with a code and a fix for', () => {
  const kv = { get() {}, put() {}, list() {}, delete() {}, getWithMetadata() {} }
  it.each<[string, unknown, string, RegExp]>([
    ['no options', undefined, 'option_invalid', /createReceiver\(\{ secret: … \}\)/],
    ['null', null, 'option_invalid', /must be given an object/],
    ['a string', SECRET, 'option_invalid', /must be given an object/],
    ['no secret', {}, 'secret_missing', /secret is undefined.*Account > Webhooks/],
    ['a blank secret', { secret: ' ' }, 'secret_blank', /secret is blank/],
    ['a list with undefined in it', { secret: [SECRET, undefined] }, 'secret_missing', /secret\[1\] is undefined/],
    ['a list with a hole in it', { secret: new Array(2) }, 'secret_missing', /secret\[0\] is undefined/],
    ['a misspelled option', { secret: SECRET, maxAge: 1 }, 'option_unknown', /"maxAge".*Did you mean "maxAgeMs"\?/],
    [
      'an unknown option',
      { secret: SECRET, retries: 1 },
      'option_unknown',
      /"retries".*It has: secret, store, .*maxAgeMs, .*explain option_unknown/,
    ],
    ['the removed option validation', { secret: SECRET, validation: 'strict' }, 'option_unknown', /"validation"/],
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
      'a quarantine that isn’t a function',
      { secret: SECRET, quarantine: {} },
      'option_invalid',
      /quarantine must be a function/,
    ],
    [
      'a key that isn’t a function',
      { secret: SECRET, idempotencyKey: 'webhook_id' },
      'option_invalid',
      /idempotencyKey must be a function/,
    ],
    ['a hook that isn’t a function', { secret: SECRET, onError: 1 }, 'option_invalid', /onError must be a function/],
    [
      'another hook that isn’t a function',
      { secret: SECRET, onOutcome: [] },
      'option_invalid',
      /onOutcome must be a function/,
    ],
    [
      'a limit of 0',
      { secret: SECRET, maxBodyBytes: 0 },
      'option_invalid',
      /maxBodyBytes must be a whole number above 0; it is 0\. Run: npx govalid-webhooks explain option_invalid$/,
    ],
    [
      'a negative limit',
      { secret: SECRET, bodyDeadlineMs: -1 },
      'option_invalid',
      /bodyDeadlineMs must be a whole number/,
    ],
    ['a fractional limit', { secret: SECRET, handlerTimeoutMs: 1.5 }, 'option_invalid', /it is 1\.5/],
    [
      'a limit above the maximum of a timer',
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
    [
      'a limit that is a string',
      { secret: SECRET, maxAgeMs: '72h' },
      'option_invalid',
      /it is a string of 3 characters/,
    ],
    [
      'true for an age',
      { secret: SECRET, maxAgeMs: true },
      'option_invalid',
      /maxAgeMs must be a whole number.*it is boolean/,
    ],
    [
      'a deadline after GoValid has stopped waiting',
      { secret: SECRET, deadlineMs: 5000 },
      'option_invalid',
      /deadlineMs must be below 5000/,
    ],
    [
      'a body deadline after the deadline',
      { secret: SECRET, bodyDeadlineMs: 4501 },
      'option_invalid',
      /bodyDeadlineMs must be at most deadlineMs; it is 4501/,
    ],
    [
      'null as the inbox',
      { secret: SECRET, inbox: null },
      'option_invalid',
      /inbox must be .*govalid-webhooks\/inboxes/,
    ],
    ['an inbox without accept', { secret: SECRET, inbox: {} }, 'option_invalid', /inbox must be .*it is object/],
    [
      'a maximum body size above the inbox’s',
      { secret: SECRET, inbox: INBOX, maxBodyBytes: 1001 },
      'option_invalid',
      /maxBodyBytes must be at most 1000.*it is 1001/,
    ],
    [
      'an inbox whose maximum is below the default',
      { secret: SECRET, inbox: INBOX },
      'option_invalid',
      /maxBodyBytes must be at most 1000/,
    ],
    [
      'an unknown value of signedContent',
      { secret: SECRET, signedContent: 'data' },
      'option_invalid',
      /'body' or 'body-without-signature'; it is a string of 4 characters/,
    ],
    ['schemas that aren’t an object', { secret: SECRET, schemas: [] }, 'option_invalid', /schemas must be an object/],
    [
      'a schema with a misspelled event',
      { secret: SECRET, schemas: { 'qr.scaned': SCHEMA } },
      'event_type_unknown',
      /"qr.scaned".*Did you mean "qr\.scanned"\?/,
    ],
    [
      'a schema of an unknown event',
      { secret: SECRET, schemas: { 'invoice.paid': SCHEMA } },
      'event_type_unknown',
      /"invoice.paid".*Known: qr\.created, qr\.scanned, /,
    ],
    [
      'a schema that isn’t a Standard Schema',
      { secret: SECRET, schemas: { 'qr.scanned': {} } },
      'option_invalid',
      /schemas\['qr.scanned'\] must be a Standard Schema \(zod 3\.24 or newer/,
    ],
    [
      'null as a schema',
      { secret: SECRET, schemas: { 'qr.scanned': null } },
      'option_invalid',
      /schemas\['qr.scanned'\] must be a Standard Schema/,
    ],
    ['null as the clock', { secret: SECRET, clock: null }, 'option_invalid', /clock must be an object/],
    [
      'a clock that has only timers',
      { secret: SECRET, clock: { setTimer() {} } },
      'option_invalid',
      /clock must be an object/,
    ],
    [
      'a Date as the clock',
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

test('creation uses no timer and no randomness, because Workers forbid both at module scope', () => {
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
