/** Secrets: which ones are refused with which message, and the hint for a secret that looks wrong. */
import { createHmac } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import { createSecretKeys, type Secret } from '../../../src/crypto/secrets.js'
import { caught } from '../../support/caught.js'

const CONTENT = new TextEncoder().encode('{}')
const macOf = (secret: string | Uint8Array) => createHmac('sha256', secret).update(CONTENT).digest('hex')

describe('an invalid secret throws an error that names it and the fix', () => {
  it.each<[string, unknown, string, string]>([
    ['undefined', undefined, 'secret_missing', 'secret is undefined'],
    ['null', null, 'secret_missing', 'secret is null'],
    ['an empty list', [], 'secret_missing', 'The list of secrets is empty'],
    ['trap: an empty string, which node:crypto accepts', '', 'secret_blank', 'secret is blank'],
    ['the text "undefined"', 'undefined', 'option_invalid', 'is the text "undefined"'],
    ['the text "null"', 'null', 'option_invalid', 'is the text "null"'],
    ['the text "[object Promise]"', '[object Promise]', 'option_invalid', 'is the text "[object Promise]"'],
    ['the text "[object Object]"', ' [object Object]\n', 'option_invalid', 'is the text "[object Object]"'],
    ['a JSON object of a secrets manager', '{"GOVALID_WEBHOOK_SECRET":"x"}', 'option_invalid', 'is a JSON object'],
    ['a Secrets Store binding', { get: async () => 'x' }, 'option_invalid', 'pass () => env.STORED.get()'],
    ['white space only', ' \t\n', 'secret_blank', 'secret is blank'],
    ['no bytes', new Uint8Array(0), 'secret_blank', 'secret has no bytes'],
    ['a number', 12, 'option_invalid', 'secret must be a string or a Uint8Array, and is number'],
    ['an object', {}, 'option_invalid', 'secret must be a string or a Uint8Array, and is object'],
    ['a list with an undefined secret', ['one', undefined], 'secret_missing', 'secret[1] is undefined'],
    ['a list with a blank secret', ['one', 'two', ' '], 'secret_blank', 'secret[2] is blank'],
    ['a list with one secret, which is undefined', [undefined], 'secret_missing', 'secret is undefined'],
  ])('%s', (_, secret, code, message) => {
    const error = caught(() => createSecretKeys(secret as Secret))
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) })
    expect((error as Error).message).toContain('Account > Webhooks')
  })
})

test('only a JSON object gets the advice to pass one field of it', () => {
  const messageOf = (secret: string) => (caught(() => createSecretKeys(secret)) as Error).message
  const advice = 'If a secrets manager returned it, pass one field: JSON.parse(value).GOVALID_WEBHOOK_SECRET. Set it to'
  expect(messageOf(' {"GOVALID_WEBHOOK_SECRET":"x"}')).toContain(`is a JSON object. ${advice}`)
  expect(messageOf('null')).toContain('is the text "null". Set it to')
})

describe('a valid secret', () => {
  it.each<[string, string | Uint8Array]>([
    ['a string', 'your_webhook_secret'],
    ['one character', 's'],
    ['digits, which are JSON as well', '12345'],
    ['text that only starts like a JSON object', '{secret'],
    ['a string with non-ASCII characters', 'rahasia-é-☕'],
    ['a string with a newline at the end', 'secret\n'],
    ['bytes', new Uint8Array([0, 255, 10])],
    ['a Buffer', Buffer.from('secret')],
  ])('%s is used byte for byte', async (_, secret) => {
    const [key] = createSecretKeys(secret).keys
    expect(await key?.matches(CONTENT, macOf(secret))).toBe(true)
  })

  test('several secrets keep their order', async () => {
    const { keys } = createSecretKeys(['old', 'new'])
    expect(keys).toHaveLength(2)
    expect(await keys[0]?.matches(CONTENT, macOf('old'))).toBe(true)
    expect(await keys[1]?.matches(CONTENT, macOf('new'))).toBe(true)
  })

  test('bytes are copied, so a later change of the array does not change the key', async () => {
    const bytes = new Uint8Array([1, 2, 3])
    const [key] = createSecretKeys(bytes).keys
    const mac = macOf(bytes)
    bytes.fill(9)
    expect(await key?.matches(CONTENT, mac)).toBe(true)
  })
})

describe('the hint for the log', () => {
  it.each<[string, Secret | readonly Secret[], string | undefined]>([
    ['a newline at the end', 'secret\n', 'A configured secret starts or ends with white space.'],
    ['a space at the start of one of two', ['a', ' b'], 'A configured secret starts or ends with white space.'],
    ['quotes around it', '"secret"', 'A configured secret is wrapped in quotes.'],
    ['single quotes around it', "'secret'", 'A configured secret is wrapped in quotes.'],
    ['a sound secret', 'secret', undefined],
    ['a quote inside', 'sec"ret', undefined],
    ['a second quote before the end', '"sec"ret', undefined],
    ['a first quote after the start', 'sec"ret"', undefined],
    ['bytes', new Uint8Array([32, 32]), undefined],
  ])('%s', (_, secret, hint) => {
    expect(createSecretKeys(secret).hint).toBe(hint)
  })
})
