/** Stage 2: which headers are GoValid's signature. Part A of the acceptance list has the same cases over HTTP. */
import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it, test, vi } from 'vitest'
import { createSecretKeys } from '../../../src/crypto/secrets.js'
import { SIGNATURE_HEADER, verifySignature } from '../../../src/delivery/signature.js'
import { describeOnBothCryptos } from '../../support/crypto-paths.js'
import { scannedEvent } from '../../support/payloads.js'

const SECRET = 'your_webhook_secret'
const BODY = Buffer.from(JSON.stringify({ ...scannedEvent(), signature: 'sha256=a1b2c3d4...' }))
const macOf = (secret: string | Uint8Array = SECRET, algorithm = 'sha256') => createHmac(algorithm, secret).update(BODY)
const MAC = macOf().digest('hex')
const RIGHT = `sha256=${MAC}`

const verify = async (header: unknown, secrets: string | readonly string[] = SECRET, body: Uint8Array = BODY) =>
  verifySignature(body, header, createSecretKeys(secrets))

const flip = (digit: string) => (digit === '0' ? '1' : '0')

test('the header has the name from the setup guide, in lowercase', () => {
  expect(SIGNATURE_HEADER).toBe('x-govalid-signature')
})

test('the result is synchronous if the platform’s HMAC is', () => {
  const keys = createSecretKeys(SECRET)
  expect(verifySignature(BODY, RIGHT, keys)).toEqual({ secretIndex: 0 })
  expect(verifySignature(BODY, `${RIGHT.slice(0, -1)}${flip(RIGHT.slice(-1))}`, keys)).toEqual({
    refused: 'signature_mismatch',
  })
})

describeOnBothCryptos('a signature', () => {
  test('as documented is accepted', async () => {
    expect(await verify(RIGHT)).toEqual({ secretIndex: 0 })
  })

  test('that matches two secrets belongs to the first', async () => {
    expect(await verify(RIGHT, [SECRET, SECRET])).toEqual({ secretIndex: 0 })
    expect(await verify(RIGHT, ['other', SECRET, SECRET])).toEqual({ secretIndex: 1 })
  })

  test('that is wrong gets no hint if the secrets look normal', async () => {
    expect(Object.keys(await verify(`sha256=${'0'.repeat(64)}`))).toEqual(['refused'])
  })

  it.each([...'/:@`gAF\u0660'])(
    'with the character %s, a neighbor of the allowed digits, is malformed',
    async (digit) => {
      for (const position of [0, 31, 63]) {
        expect(await verify(`sha256=${'0'.repeat(position)}${digit}${'0'.repeat(63 - position)}`)).toEqual({
          refused: 'signature_malformed',
        })
      }
    },
  )

  it.each([...'09af'])('with the digit %s is well-formed', async (digit) => {
    expect(await verify(`sha256=${digit.repeat(64)}`)).toEqual({ refused: 'signature_mismatch' })
  })

  it.each([` ${RIGHT}`, `${RIGHT}\t`, ` \t${RIGHT}\t `])(
    'with spaces and tabs around it (%j) is accepted',
    async (header) => {
      expect(await verify(header)).toEqual({ secretIndex: 0 })
    },
  )

  it.each<[string, unknown]>([
    ['absent', undefined],
    ['empty', ''],
    ['spaces and tabs', ' \t '],
    ['an empty list', []],
    ['a list with only the right value', [RIGHT]],
    ['a list of two values', [RIGHT, RIGHT]],
    ['a number', 12],
    ['an object', { header: RIGHT }],
    ['an object that converts to the right value', { toString: () => RIGHT }],
    ['a Buffer', Buffer.from(RIGHT)],
    ['null', null],
    ['a Symbol', Symbol(RIGHT)],
  ])('is missing if the header is %s', async (_, header) => {
    expect(await verify(header)).toEqual({ refused: 'signature_missing' })
  })

  it.each<[string, string]>([
    ['only the prefix', 'sha256='],
    ['digits without the prefix', MAC],
    ['63 digits', RIGHT.slice(0, -1)],
    ['65 digits', `${RIGHT}0`],
    ['32 digits', RIGHT.slice(0, 7 + 32)],
    ['uppercase digits', `sha256=${MAC.toUpperCase()}`],
    ['the prefix SHA256=', `SHA256=${MAC}`],
    ['the prefix Sha256=', `Sha256=${MAC}`],
    ['the prefix sha-256=', `sha-256=${MAC}`],
    ['the prefix sha256:', `sha256:${MAC}`],
    ['an HMAC-SHA-1', `sha1=${macOf(SECRET, 'sha1').digest('hex')}`],
    ['an HMAC-SHA-512', `sha512=${macOf(SECRET, 'sha512').digest('hex')}`],
    ['an HMAC-SHA-512 with the prefix sha256=', `sha256=${macOf(SECRET, 'sha512').digest('hex')}`],
    ['the algorithm none', `none=${MAC}`],
    ['the algorithm md5', `md5=${MAC}`],
    ['alg=none', 'alg=none'],
    ['base64', `sha256=${macOf().digest('base64')}`],
    ['base64url', `sha256=${macOf().digest('base64url')}`],
    ['the signature inside the body', 'sha256=a1b2c3d4...'],
    ['a space after the prefix', `sha256= ${MAC}`],
    ['a space among the digits', `sha256=${MAC.slice(0, 32)} ${MAC.slice(32)}`],
    ['a no-break space before it', `\u00a0${RIGHT}`],
    ['a vertical tab after it', `${RIGHT}\v`],
    ['a form feed before it', `\f${RIGHT}`],
    ['a newline after it', `${RIGHT}\n`],
    ['a carriage return after it', `${RIGHT}\r`],
    ['the right signature twice', `${RIGHT}, ${RIGHT}`],
    ['a right signature, then a wrong one', `${RIGHT}, sha256=${'0'.repeat(64)}`],
    ['a wrong signature, then the right one', `sha256=${'0'.repeat(64)}, ${RIGHT}`],
    ['the right signature in a list', `t=1,${RIGHT},v1=2`],
    ['8 KB of junk', 'j'.repeat(8192)],
    ['8 KB that start with the right signature', RIGHT + 'f'.repeat(8192)],
    ['17 KB', `sha256=${'a'.repeat(17_000)}`],
    ['bytes beyond ASCII', `sha256=${MAC.slice(0, 62)}\u00e9\u00ff`],
    ['trap: junk among the digits, which Buffer.from(x, "hex") would stop at', `sha256=${MAC.slice(0, 62)}zz`],
    ['quotes around it', `"${RIGHT}"`],
    ['digits of another script', `sha256=${MAC.slice(0, 63)}\u0660`],
  ])('is malformed: %s', async (_, header) => {
    expect(await verify(header)).toEqual({ refused: 'signature_malformed' })
  })

  it.each<[string, string]>([
    ['the first digit changed', `sha256=${flip(MAC.charAt(0))}${MAC.slice(1)}`],
    ['the last digit changed', `sha256=${MAC.slice(0, -1)}${flip(MAC.charAt(63))}`],
    ['only zeros', `sha256=${'0'.repeat(64)}`],
    ['only the digit f', `sha256=${'f'.repeat(64)}`],
    ['the first 64 digits of an HMAC-SHA-512', `sha256=${macOf(SECRET, 'sha512').digest('hex').slice(0, 64)}`],
    ['SHA-256 of the body', `sha256=${createHash('sha256').update(BODY).digest('hex')}`],
    ['SHA-256 of secret and body', `sha256=${createHash('sha256').update(SECRET).update(BODY).digest('hex')}`],
    ['SHA-256 of body and secret', `sha256=${createHash('sha256').update(BODY).update(SECRET).digest('hex')}`],
    ['the HMAC with another secret', `sha256=${macOf('another').digest('hex')}`],
    ['the HMAC of another body', `sha256=${createHmac('sha256', SECRET).update('{}').digest('hex')}`],
  ])('doesn’t match: %s', async (_, header) => {
    expect(await verify(header)).toEqual({ refused: 'signature_mismatch' })
  })

  test('doesn’t match if any of its 256 bits is flipped', async () => {
    for (let bit = 0; bit < 256; bit++) {
      const mac = Buffer.from(MAC, 'hex')
      mac[bit >> 3] = (mac[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(await verify(`sha256=${mac.toString('hex')}`)).toEqual({ refused: 'signature_mismatch' })
    }
  })

  test('of the first or the second secret is accepted, with the index of that secret', async () => {
    const signedWith = (secret: string) => `sha256=${macOf(secret).digest('hex')}`
    expect(await verify(signedWith('old'), ['old', 'new'])).toEqual({ secretIndex: 0 })
    expect(await verify(signedWith('new'), ['old', 'new'])).toEqual({ secretIndex: 1 })
  })

  test('of a secret that isn’t configured doesn’t match', async () => {
    const signedWith = (secret: string) => `sha256=${macOf(secret).digest('hex')}`
    expect(await verify(signedWith('third'), ['old', 'new'])).toEqual({ refused: 'signature_mismatch' })
    expect(await verify(signedWith('old'), ['new'])).toEqual({ refused: 'signature_mismatch' })
  })

  it.each(['a secret\n', '"a secret"'])('that doesn’t match gets a hint if the secret is %j', async (secret) => {
    expect(await verify(RIGHT, secret)).toEqual({
      refused: 'signature_mismatch',
      hint: expect.stringContaining('secret'),
    })
  })
})

describe('trap: the bytes are verified, not the text or JSON they decode to', () => {
  const bodies = {
    'a body with a BOM': Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), BODY]),
    'a body with invalid UTF-8': Buffer.from([0x7b, 0xff, 0x7d]),
    'a body with other invalid UTF-8 that decodes to the same text': Buffer.from([0x7b, 0xfe, 0x7d]),
    'JSON with spaces': Buffer.from(JSON.stringify({ a: [1, 2] }, null, 2)),
    'a number that serializes differently': Buffer.from('{"amount":10.0}'),
    'an escape that serializes differently': Buffer.from('{"city":"Jakart\\u0061"}'),
  }
  const signed = (body: Uint8Array) => `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`

  it.each(Object.entries(bodies))('%s is verified unchanged', async (_, body) => {
    expect(await verify(signed(body), SECRET, body)).toEqual({ secretIndex: 0 })
  })

  it.each(Object.entries(bodies))('%s doesn’t match once it is decoded or serialized again', async (_, body) => {
    const text = new TextDecoder().decode(body)
    const others = [
      Buffer.from(text),
      ...(text.includes('\ufffd') ? [] : [Buffer.from(JSON.stringify(JSON.parse(text)))]),
    ]
    for (const other of others.filter((each) => !each.equals(body))) {
      expect(await verify(signed(body), SECRET, other)).toEqual({ refused: 'signature_mismatch' })
    }
  })
})

test.each([
  { when: 'synchronously', respond: (isMatch: boolean) => isMatch },
  { when: 'asynchronously', respond: (isMatch: boolean) => Promise.resolve(isMatch) },
  { when: 'in both ways', respond: (isMatch: boolean) => (isMatch ? Promise.resolve(true) : false) },
])('every secret is checked exactly once if the results arrive $when', async ({ respond }) => {
  for (const matching of [0, 1, 2]) {
    const checks = [0, 1, 2].map((index) => vi.fn(() => respond(index === matching)))
    const keys = checks.map((matches) => ({ matches }))
    expect(await verifySignature(BODY, RIGHT, { keys, hint: undefined })).toEqual({ secretIndex: matching })
    expect(checks.map((matches) => matches.mock.calls.length)).toEqual([1, 1, 1])
  }
})

test('a long header takes less than a second', async () => {
  // Backtracking from every space would take half a minute. This takes a millisecond or two.
  const header = ` ${'\t '.repeat(32_768)}${RIGHT}${' '.repeat(65_536)}x`
  const times: number[] = []
  for (let round = 0; round < 5; round++) {
    const started = performance.now()
    await verify(header)
    times.push(performance.now() - started)
  }
  expect(Math.min(...times)).toBeLessThan(1000)
})
