/** The one error of the project, recognised across copies of it. */
import { describe, expect, it, test } from 'vitest'
import { isPermanentError } from '../../src/errors.js'
import { isWebhookError, PermanentError, WebhookError } from '../../src/index.js'

describe('a WebhookError', () => {
  const cause = new Error('cause')
  const error = new WebhookError('stale', 'too old', { cause })

  test('has its code as a literal, in its message too, and its cause', () => {
    expect(error).toMatchObject({ name: 'WebhookError', code: 'stale', message: 'too old [stale]', cause })
    expect(error).toBeInstanceOf(Error)
  })

  test('shows nothing but what it was given when it is printed as JSON', () => {
    expect(Object.keys(error).sort()).toEqual(['code', 'name'])
  })
})

describe('another copy of this package', () => {
  // What an ESM and a CommonJS copy in one process are to each other: other classes of the same source.
  class OtherCopy extends Error {
    readonly code = 'stale'
    constructor(brand: string) {
      super('from another copy')
      Object.defineProperty(this, brand, { value: true })
    }
  }

  test('is recognised by its brand', () => {
    expect(isWebhookError(new OtherCopy('govalid-webhooks.WebhookError'))).toBe(true)
    expect(isPermanentError(new OtherCopy('govalid-webhooks.WebhookError.permanent'))).toBe(true)
  })

  test('is not another library', () => {
    expect(isWebhookError(new OtherCopy('octokit'))).toBe(false)
  })
})

it.each<[string, unknown]>([
  ['an Error', new Error('x')],
  ['a PermanentError', new PermanentError('x')],
  ['an object with a code', { code: 'stale', message: 'x', 'govalid-webhooks.WebhookError': true }],
  ['a text', 'stale'],
  ['null', null],
  ['undefined', undefined],
])('%s is no WebhookError', (_, value) => {
  expect(isWebhookError(value)).toBe(false)
})

describe('a PermanentError', () => {
  test('is known as one, and its subclasses are', () => {
    class NoSuchCustomer extends PermanentError {}
    expect(isPermanentError(new PermanentError('never'))).toBe(true)
    expect(isPermanentError(new NoSuchCustomer('never'))).toBe(true)
    expect(new PermanentError('never', { cause: 'why' })).toMatchObject({
      name: 'PermanentError',
      message: 'never',
      cause: 'why',
    })
  })

  it.each<unknown>([new Error('never'), { name: 'PermanentError' }, 'PermanentError', null])('%s is none', (value) => {
    expect(isPermanentError(value)).toBe(false)
  })
})
