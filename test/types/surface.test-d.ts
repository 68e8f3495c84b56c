/** Secrets, parsed events and errors, as a consumer's code sees them. */
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
  test('may come straight from the environment', () => {
    expectTypeOf<undefined>().toExtend<Secret>()
    createReceiver({ secret: process.env['GOVALID_WEBHOOK_SECRET'] })
    createReceiver({ secret: [process.env['OLD'], process.env['NEW']] })
    createReceiver({ secret: () => process.env['GOVALID_WEBHOOK_SECRET'] })
    createReceiver({ secret: async () => ['one', new Uint8Array([1])] })
  })

  test('has to be named, and to be one', () => {
    // @ts-expect-error no secret
    createReceiver({})
    // @ts-expect-error a number
    createReceiver({ secret: 12 })
    // @ts-expect-error no option of that name
    createReceiver({ secret: 'a secret', maxAge: 1 })
  })
})

describe('verification', () => {
  test('has no boolean that could be forgotten', () => {
    expectTypeOf(assertSignature).returns.resolves.toEqualTypeOf<void>()
    expectTypeOf(verifyAndParse).returns.resolves.not.toEqualTypeOf<boolean>()
  })

  test('takes no parsed body', () => {
    // @ts-expect-error the signed bytes cannot be made again from it
    void assertSignature({ event: 'qr.scanned' }, 'sha256=', 'a secret')
  })

  test('takes a header as frameworks give it', () => {
    const header = null as string | null | undefined
    void assertSignature('{}', header, 'a secret')
  })
})

describe('a parsed event', () => {
  test('is known or not, and narrows from there', () => {
    const parsed = parseEvent('{}')
    if (!parsed.known) expectTypeOf(parsed.event).toEqualTypeOf<UnknownEvent>()
    else expectTypeOf(parsed.event).toEqualTypeOf<GoValidEvent>()
    if (parsed.known && parsed.event.event === 'qr.scanned') {
      expectTypeOf(parsed.event.data.is_first_scan).toEqualTypeOf<boolean>()
    }
  })

  test('has a name that can be asked for', () => {
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
      // @ts-expect-error no such code
      case 'signature_wrong':
        return undefined
      default:
        return expectTypeOf(error.code).not.toEqualTypeOf<string>()
    }
  })

  test('has the code it was made with', () => {
    expectTypeOf<WebhookError<'stale'>['code']>().toEqualTypeOf<'stale'>()
  })
})
