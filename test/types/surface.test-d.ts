/** The types of secrets, parsed events and errors in an application's code. */
import { describe, expectTypeOf, test } from 'vitest'
import {
  assertSignature,
  createReceiver,
  type EventType,
  type GoValidEvent,
  isEventType,
  isWebhookError,
  parseEvent,
  type Secret,
  type UnknownEvent,
  verifyAndParse,
  type WebhookError,
} from '../../src/index.js'

describe('a secret', () => {
  test('can come directly from an environment variable', () => {
    expectTypeOf<undefined>().toExtend<Secret>()
    createReceiver({ secret: process.env['GOVALID_WEBHOOK_SECRET'] })
    createReceiver({ secret: [process.env['OLD'], process.env['NEW']] })
    createReceiver({ secret: () => process.env['GOVALID_WEBHOOK_SECRET'] })
    createReceiver({ secret: async () => ['one', new Uint8Array([1])] })
  })

  test('is required and must be of a valid type', () => {
    // @ts-expect-error the secret is missing
    createReceiver({})
    // @ts-expect-error a number isn't a secret
    createReceiver({ secret: 12 })
    // @ts-expect-error there is no option with this name
    createReceiver({ secret: 'a secret', maxAge: 1 })
  })
})

describe('verification', () => {
  test('does not return a boolean that a caller could forget to check', () => {
    expectTypeOf(assertSignature).returns.resolves.toEqualTypeOf<void>()
    expectTypeOf(verifyAndParse).returns.resolves.not.toEqualTypeOf<boolean>()
  })

  test('refuses a parsed body', () => {
    // @ts-expect-error a parsed body can't be turned back into the signed bytes
    void assertSignature({ event: 'qr.scanned' }, 'sha256=', 'a secret')
  })

  test('accepts the header value of every framework', () => {
    const header = null as string | null | undefined
    void assertSignature('{}', header, 'a secret')
  })
})

describe('a parsed event', () => {
  test('narrows by `known`, and then by its event', () => {
    const parsed = parseEvent('{}')
    if (!parsed.known) expectTypeOf(parsed.event).toEqualTypeOf<UnknownEvent>()
    else expectTypeOf(parsed.event).toEqualTypeOf<GoValidEvent>()
    if (parsed.known && parsed.event.event === 'qr.scanned') {
      expectTypeOf(parsed.event.data.is_first_scan).toEqualTypeOf<boolean>()
    }
  })

  test('has a name that isEventType narrows', () => {
    const name: string = 'qr.scanned'
    if (isEventType(name)) expectTypeOf(name).toEqualTypeOf<EventType>()
  })
})

describe('an error', () => {
  test('narrows by its code in a switch', () => {
    const error: unknown = undefined
    if (!isWebhookError(error)) return
    switch (error.code) {
      case 'signature_mismatch':
        return expectTypeOf(error.code).toEqualTypeOf<'signature_mismatch'>()
      // @ts-expect-error there is no such code
      case 'signature_wrong':
        return undefined
      default:
        return expectTypeOf(error.code).not.toEqualTypeOf<string>()
    }
  })

  test('has the code that it was created with', () => {
    expectTypeOf<WebhookError<'stale'>['code']>().toEqualTypeOf<'stale'>()
  })
})
