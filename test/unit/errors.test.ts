/** The error classes, recognized across copies of this package. */
import { describe, expect, it, test } from 'vitest'
import { isPermanentError } from '../../src/errors.js'
import { isWebhookError, PermanentError, WebhookError } from '../../src/index.js'

describe('a WebhookError', () => {
  const cause = new Error('cause')
  const error = new WebhookError('stale', 'too old.', { cause })

  test('has its code, its cause, and the command that explains it in its message', () => {
    expect(error).toMatchObject({
      name: 'WebhookError',
      code: 'stale',
      message: 'too old. Run: npx govalid-webhooks explain stale',
      cause,
    })
    expect(error).toBeInstanceOf(Error)
  })

  test('has only its code and its name as enumerable properties', () => {
    expect(Object.keys(error).sort()).toEqual(['code', 'name'])
  })
})

describe('an error of another copy', () => {
  // An ESM and a CommonJS copy in one process have different classes with the same source.
  class OtherCopy extends Error {
    readonly code = 'stale'
    constructor(brand: string) {
      super('from another copy')
      Object.defineProperty(this, brand, { value: true })
    }
  }

  test('is recognized by its brand', () => {
    expect(isWebhookError(new OtherCopy('govalid-webhooks.WebhookError'))).toBe(true)
    expect(isPermanentError(new OtherCopy('govalid-webhooks.WebhookError.permanent'))).toBe(true)
  })

  test('is not confused with an error of another library', () => {
    expect(isWebhookError(new OtherCopy('octokit'))).toBe(false)
  })
})

it.each<[string, unknown]>([
  ['an Error', new Error('x')],
  ['a PermanentError', new PermanentError('x')],
  ['an object with a code', { code: 'stale', message: 'x', 'govalid-webhooks.WebhookError': true }],
  ['a string', 'stale'],
  ['null', null],
  ['undefined', undefined],
])('%s is not a WebhookError', (_, value) => {
  expect(isWebhookError(value)).toBe(false)
})

describe('a PermanentError', () => {
  test('is recognized, and so are its subclasses', () => {
    class NoSuchCustomer extends PermanentError {}
    expect(isPermanentError(new PermanentError('never'))).toBe(true)
    expect(isPermanentError(new NoSuchCustomer('never'))).toBe(true)
    expect(new PermanentError('never', { cause: 'why' })).toMatchObject({
      name: 'PermanentError',
      message: 'never',
      cause: 'why',
    })
  })

  it.each<unknown>([new Error('never'), { name: 'PermanentError' }, 'PermanentError', null])('is not %s', (value) => {
    expect(isPermanentError(value)).toBe(false)
  })
})
