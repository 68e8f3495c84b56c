/** Secrets: what is refused by name, and what the log is told about those that look wrong. */
import { createHmac } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import { createSecretKeys, type Secret } from '../../../src/crypto/secrets.js'
import { caught } from '../../support/caught.js'

const CONTENT = new TextEncoder().encode('{}')
const macOf = (secret: string | Uint8Array) => createHmac('sha256', secret).update(CONTENT).digest('hex')

describe('a secret that cannot be one is refused, with its name and the cure', () => {
  it.each<[string, unknown, string, string]>([
    ['undefined', undefined, 'secret_missing', 'secret is undefined'],
    ['null', null, 'secret_missing', 'secret is null'],
    ['an empty list', [], 'secret_missing', 'The list of secrets is empty'],
    ['trap: an empty text, which node:crypto takes', '', 'secret_blank', 'secret is blank'],
    ['blanks only', ' \t\n', 'secret_blank', 'secret is blank'],
    ['no bytes', new Uint8Array(0), 'secret_blank', 'secret has no bytes'],
    ['a number', 12, 'option_invalid', 'secret must be a string or a Uint8Array, not number'],
    ['an object', {}, 'option_invalid', 'secret must be a string or a Uint8Array, not object'],
    ['a list with undefined in it', ['one', undefined], 'secret_missing', 'secret[1] is undefined'],
    ['a list with a blank in it', ['one', 'two', ' '], 'secret_blank', 'secret[2] is blank'],
    ['a list of one that is undefined', [undefined], 'secret_missing', 'secret is undefined'],
  ])('%s', (_, secret, code, message) => {
    const error = caught(() => createSecretKeys(secret as Secret))
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) })
    expect((error as Error).message).toContain('Account > Webhooks')
  })
})

describe('a secret that is one', () => {
  it.each<[string, string | Uint8Array]>([
    ['text', 'your_webhook_secret'],
    ['one character', 's'],
    ['text beyond ASCII', 'rahasia-é-☕'],
    ['text with a newline at its end', 'secret\n'],
    ['bytes', new Uint8Array([0, 255, 10])],
    ['a Buffer', Buffer.from('secret')],
  ])('%s makes the key of its own bytes', async (_, secret) => {
    const [key] = createSecretKeys(secret).keys
    expect(await key?.matches(CONTENT, macOf(secret))).toBe(true)
  })

  test('several keep their order', async () => {
    const { keys } = createSecretKeys(['old', 'new'])
    expect(keys).toHaveLength(2)
    expect(await keys[0]?.matches(CONTENT, macOf('old'))).toBe(true)
    expect(await keys[1]?.matches(CONTENT, macOf('new'))).toBe(true)
  })

  test('bytes are copied: what happens to the array later does not change the key', async () => {
    const bytes = new Uint8Array([1, 2, 3])
    const [key] = createSecretKeys(bytes).keys
    const mac = macOf(bytes)
    bytes.fill(9)
    expect(await key?.matches(CONTENT, mac)).toBe(true)
  })
})

describe('the hint for the log', () => {
  it.each<[string, Secret | readonly Secret[], string | undefined]>([
    ['a newline at the end', 'secret\n', 'A configured secret begins or ends with white space.'],
    ['a blank at the start of one of two', ['a', ' b'], 'A configured secret begins or ends with white space.'],
    ['quotes around it', '"secret"', 'A configured secret is wrapped in quotes.'],
    ['single quotes around it', "'secret'", 'A configured secret is wrapped in quotes.'],
    ['nothing wrong', 'secret', undefined],
    ['a quote inside', 'sec"ret', undefined],
    ['quotes before its end', '"sec"ret', undefined],
    ['quotes after its start', 'sec"ret"', undefined],
    ['bytes', new Uint8Array([32, 32]), undefined],
  ])('%s', (_, secret, hint) => {
    expect(createSecretKeys(secret).hint).toBe(hint)
  })
})
