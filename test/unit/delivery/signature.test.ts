/** Stage 2: what counts as GoValid's signature. Numbers are those of the acceptance list, part A. */
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

test('the header is the one of the setup guide, in lower case', () => {
  expect(SIGNATURE_HEADER).toBe('x-govalid-signature')
})

test('where the platform computes at once, so does the verdict come', () => {
  const keys = createSecretKeys(SECRET)
  expect(verifySignature(BODY, RIGHT, keys)).toEqual({ secretIndex: 0 })
  expect(verifySignature(BODY, `${RIGHT.slice(0, -1)}${flip(RIGHT.slice(-1))}`, keys)).toEqual({
    refused: 'signature_mismatch',
  })
})

describeOnBothCryptos('a signature', () => {
  test('exactly as documented is accepted', async () => {
    expect(await verify(RIGHT)).toEqual({ secretIndex: 0 })
  })

  test('that two secrets make is told to be that of the first', async () => {
    expect(await verify(RIGHT, [SECRET, SECRET])).toEqual({ secretIndex: 0 })
    expect(await verify(RIGHT, ['other', SECRET, SECRET])).toEqual({ secretIndex: 1 })
  })

  test('that is wrong is refused without a hint where nothing is odd about the secrets', async () => {
    expect(Object.keys(await verify(`sha256=${'0'.repeat(64)}`))).toEqual(['refused'])
  })

  it.each([...'/:@`gAF\u0660'])('with the digit %s, next to those that are allowed, is malformed', async (digit) => {
    for (const at of [0, 31, 63]) {
      expect(await verify(`sha256=${'0'.repeat(at)}${digit}${'0'.repeat(63 - at)}`)).toEqual({
        refused: 'signature_malformed',
      })
    }
  })

  it.each([...'09af'])('with the digit %s is not', async (digit) => {
    expect(await verify(`sha256=${digit.repeat(64)}`)).toEqual({ refused: 'signature_mismatch' })
  })

  it.each([` ${RIGHT}`, `${RIGHT}\t`, ` \t${RIGHT}\t `])(
    '23: with blanks and tabs around it (%j) is accepted',
    async (header) => {
      expect(await verify(header)).toEqual({ secretIndex: 0 })
    },
  )

  it.each<[string, unknown]>([
    ['1: absent', undefined],
    ['2: empty', ''],
    ['3: blanks and tabs', ' \t '],
    ['29: an empty list', []],
    ['29: a list of one, the right one', [RIGHT]],
    ['29: a list of two', [RIGHT, RIGHT]],
    ['30: a number', 12],
    ['30: an object', { header: RIGHT }],
    ['30: an object that prints as the right one', { toString: () => RIGHT }],
    ['30: a Buffer', Buffer.from(RIGHT)],
    ['30: null', null],
    ['30: a Symbol', Symbol(RIGHT)],
  ])('%s: missing', async (_, header) => {
    expect(await verify(header)).toEqual({ refused: 'signature_missing' })
  })

  it.each<[string, string]>([
    ['4: the prefix alone', 'sha256='],
    ['5: no prefix', MAC],
    ['6: 63 digits', RIGHT.slice(0, -1)],
    ['7: 65 digits', `${RIGHT}0`],
    ['8: 32 digits', RIGHT.slice(0, 7 + 32)],
    ['13: upper-case digits', `sha256=${MAC.toUpperCase()}`],
    ['14: SHA256=', `SHA256=${MAC}`],
    ['14: Sha256=', `Sha256=${MAC}`],
    ['14: sha-256=', `sha-256=${MAC}`],
    ['14: sha256:', `sha256:${MAC}`],
    ['15: the HMAC-SHA-1', `sha1=${macOf(SECRET, 'sha1').digest('hex')}`],
    ['16: the HMAC-SHA-512', `sha512=${macOf(SECRET, 'sha512').digest('hex')}`],
    ['16: the HMAC-SHA-512 under our prefix', `sha256=${macOf(SECRET, 'sha512').digest('hex')}`],
    ['17: no algorithm', `none=${MAC}`],
    ['17: md5', `md5=${MAC}`],
    ['17: alg=none', 'alg=none'],
    ['18: base64', `sha256=${macOf().digest('base64')}`],
    ['18: base64url', `sha256=${macOf().digest('base64url')}`],
    ['22: the signature inside the body', 'sha256=a1b2c3d4...'],
    ['24: a blank after the prefix', `sha256= ${MAC}`],
    ['24: a blank among the digits', `sha256=${MAC.slice(0, 32)} ${MAC.slice(32)}`],
    ['25: a no-break space before', `\u00a0${RIGHT}`],
    ['25: a vertical tab behind', `${RIGHT}\v`],
    ['25: a form feed before', `\f${RIGHT}`],
    ['25: a newline behind', `${RIGHT}\n`],
    ['25: a carriage return behind', `${RIGHT}\r`],
    ['26: twice, joined', `${RIGHT}, ${RIGHT}`],
    ['27: right, then wrong', `${RIGHT}, sha256=${'0'.repeat(64)}`],
    ['27: wrong, then right', `sha256=${'0'.repeat(64)}, ${RIGHT}`],
    ['28: in a list', `t=1,${RIGHT},v1=2`],
    ['32: 8 KB of junk', 'j'.repeat(8192)],
    ['32: 8 KB that starts like a right one', RIGHT + 'f'.repeat(8192)],
    ['33: 17 KB', `sha256=${'a'.repeat(17_000)}`],
    ['35: bytes beyond ASCII', `sha256=${MAC.slice(0, 62)}\u00e9\u00ff`],
    ['trap: junk among the digits, which Buffer.from(x, "hex") would stop at', `sha256=${MAC.slice(0, 62)}zz`],
    ['quoted', `"${RIGHT}"`],
    ['digits of another script', `sha256=${MAC.slice(0, 63)}\u0660`],
  ])('%s: malformed', async (_, header) => {
    expect(await verify(header)).toEqual({ refused: 'signature_malformed' })
  })

  it.each<[string, string]>([
    ['9: the first digit changed', `sha256=${flip(MAC.charAt(0))}${MAC.slice(1)}`],
    ['10: the last digit changed', `sha256=${MAC.slice(0, -1)}${flip(MAC.charAt(63))}`],
    ['12: zeros', `sha256=${'0'.repeat(64)}`],
    ['12: fs', `sha256=${'f'.repeat(64)}`],
    ['16: the first 64 digits of the HMAC-SHA-512', `sha256=${macOf(SECRET, 'sha512').digest('hex').slice(0, 64)}`],
    ['19: SHA-256 of the body', `sha256=${createHash('sha256').update(BODY).digest('hex')}`],
    ['19: SHA-256 of secret and body', `sha256=${createHash('sha256').update(SECRET).update(BODY).digest('hex')}`],
    ['19: SHA-256 of body and secret', `sha256=${createHash('sha256').update(BODY).update(SECRET).digest('hex')}`],
    ['20: under another secret', `sha256=${macOf('another').digest('hex')}`],
    ['21: of another body', `sha256=${createHmac('sha256', SECRET).update('{}').digest('hex')}`],
  ])('%s: a mismatch', async (_, header) => {
    expect(await verify(header)).toEqual({ refused: 'signature_mismatch' })
  })

  test('11: with any of its 256 bits flipped is a mismatch', async () => {
    for (let bit = 0; bit < 256; bit++) {
      const mac = Buffer.from(MAC, 'hex')
      mac[bit >> 3] = (mac[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(await verify(`sha256=${mac.toString('hex')}`)).toEqual({ refused: 'signature_mismatch' })
    }
  })

  test('40: of the first or of the second secret is accepted, and the outcome tells which', async () => {
    const under = (secret: string) => `sha256=${macOf(secret).digest('hex')}`
    expect(await verify(under('old'), ['old', 'new'])).toEqual({ secretIndex: 0 })
    expect(await verify(under('new'), ['old', 'new'])).toEqual({ secretIndex: 1 })
  })

  test('41, 42: of a secret that is not in the list is a mismatch', async () => {
    const under = (secret: string) => `sha256=${macOf(secret).digest('hex')}`
    expect(await verify(under('third'), ['old', 'new'])).toEqual({ refused: 'signature_mismatch' })
    expect(await verify(under('old'), ['new'])).toEqual({ refused: 'signature_mismatch' })
  })

  it.each(['a secret\n', '"a secret"'])('44: that fails under %j gives the log a hint', async (secret) => {
    expect(await verify(RIGHT, secret)).toEqual({
      refused: 'signature_mismatch',
      hint: expect.stringContaining('secret'),
    })
  })
})

describe('trap: what is verified is the bytes, not what they decode to', () => {
  const bodies = {
    'a BOM in front': Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), BODY]),
    'invalid UTF-8': Buffer.from([0x7b, 0xff, 0x7d]),
    'other invalid UTF-8, which decodes to the same text': Buffer.from([0x7b, 0xfe, 0x7d]),
    'spaced JSON': Buffer.from(JSON.stringify({ a: [1, 2] }, null, 2)),
    'a number that prints otherwise': Buffer.from('{"amount":10.0}'),
    'an escape that prints otherwise': Buffer.from('{"city":"Jakart\\u0061"}'),
  }
  const signed = (body: Uint8Array) => `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`

  it.each(Object.entries(bodies))('%s is verified as it came', async (_, body) => {
    expect(await verify(signed(body), SECRET, body)).toEqual({ secretIndex: 0 })
  })

  it.each(Object.entries(bodies))('%s is not taken for what it decodes to, or prints as', async (_, body) => {
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
  { when: 'at once', response: (is: boolean) => is },
  { when: 'later', response: (is: boolean) => Promise.resolve(is) },
])('every secret is tried, and only once, whichever matched; they answer $when', async ({ response }) => {
  for (const matching of [0, 1, 2]) {
    const tried = [0, 1, 2].map((index) => vi.fn(() => response(index === matching)))
    const keys = tried.map((matches) => ({ matches }))
    expect(await verifySignature(BODY, RIGHT, { keys, hint: undefined })).toEqual({ secretIndex: matching })
    expect(tried.map((matches) => matches.mock.calls.length)).toEqual([1, 1, 1])
  }
})

test('32: a long header costs no time', async () => {
  // Trying again from every blank would take half a minute; this takes a millisecond or two, and on the busiest machine less than a second.
  const header = ` ${'\t '.repeat(32_768)}${RIGHT}${' '.repeat(65_536)}x`
  const times: number[] = []
  for (let round = 0; round < 5; round++) {
    const started = performance.now()
    await verify(header)
    times.push(performance.now() - started)
  }
  expect(Math.min(...times)).toBeLessThan(1000)
})
