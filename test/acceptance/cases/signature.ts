// Group A: the signature header. The body is valid unless the title says otherwise.
import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import {
  broken,
  byParser,
  byTransport,
  type Case,
  type Expected,
  type Header,
  PROCESSED,
  type Step,
  UNAUTHENTIC,
} from '../case.js'
import { bytesOf, h, JSON_TYPE, mac, payload, scan, signatureOf, signed, withSignature } from '../deliveries.js'
import { OLD_SECRET, SECRET, type VariantName } from '../variants.js'
import { expectWithin, timeToCompute } from '../within.js'

/** Builds a header value from the correct MAC of the body. */
type Forgery = (digits: string, body: Buffer) => string

/** Returns one request per forgery, each with its own body. */
function forged(forgeries: readonly Forgery[], expected: Expected = UNAUTHENTIC): readonly Step[] {
  return forgeries.map((forge) => {
    const body = scan()
    return { request: withSignature(body, forge(mac(body), body)), expected }
  })
}

/** Returns one request with these headers and a content type. */
function withHeaders(make: (signature: string) => readonly Header[], expected: Expected): Step {
  const body = scan()
  return { request: { headers: [JSON_TYPE, ...make(signatureOf(body))], body }, expected }
}

const NAME = 'X-GoValid-Signature'
const sha256 = (...parts: readonly (string | Buffer)[]) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}
const toBase64 = (digits: string) => Buffer.from(digits, 'hex').toString('base64')
const toBase64url = (digits: string) => Buffer.from(digits, 'hex').toString('base64url')
const changeDigit = (digits: string, index: number) =>
  digits.slice(0, index) + (digits[index] === '0' ? '1' : '0') + digits.slice(index + 1)
const flipBit = (digits: string, bit: number) => {
  const bytes = Buffer.from(digits, 'hex')
  bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
  return bytes.toString('hex')
}

const under = (variant: VariantName, secret: string, expected: Expected): Step => ({
  variant,
  request: signed(scan(), {}, secret),
  expected,
})

export const SIGNATURE_CASES: readonly Case[] = [
  {
    number: '1',
    title: 'a request without the signature header is refused',
    steps: () => [{ request: withSignature(scan(), undefined), expected: UNAUTHENTIC }],
  },
  { number: '2', title: 'an empty signature is refused', steps: () => forged([() => '']) },
  {
    number: '3',
    title: 'a signature of only spaces and tabs is refused',
    steps: () => forged([() => ' ', () => '\t \t ']),
  },
  { number: '4', title: 'the prefix alone is refused', steps: () => forged([() => 'sha256=']) },
  {
    number: '5',
    title: 'the correct digits without the prefix are refused',
    steps: () => forged([(digits) => digits]),
  },
  {
    number: '6',
    title: '63 digits are refused',
    steps: () => forged([(digits) => `sha256=${digits.slice(1)}`, (digits) => `sha256=${digits.slice(0, -1)}`]),
  },
  {
    number: '7',
    title: '65 digits are refused',
    steps: () => forged([(digits) => `sha256=${digits}0`, (digits) => `sha256=0${digits}`]),
  },
  {
    number: '8',
    title: 'a MAC cut to 128 bits is refused',
    steps: () => forged([(digits) => `sha256=${digits.slice(0, 32)}`]),
  },
  {
    number: '9',
    title: 'a signature with its first digit changed is refused',
    steps: () => forged([(digits) => `sha256=${changeDigit(digits, 0)}`]),
  },
  {
    number: '10',
    title: 'a signature with its last digit changed is refused',
    steps: () => forged([(digits) => `sha256=${changeDigit(digits, 63)}`]),
  },
  {
    number: '11',
    title: 'a signature with any one of its 256 bits flipped is refused',
    steps: () => forged(Array.from({ length: 256 }, (_, bit) => (digits) => `sha256=${flipBit(digits, bit)}`)),
  },
  {
    number: '12',
    title: 'signatures of only zeros or only f are refused',
    steps: () => forged([() => `sha256=${'0'.repeat(64)}`, () => `sha256=${'f'.repeat(64)}`]),
  },
  {
    number: '13',
    title: 'upper-case digits are refused, as GoValid’s documented verifier does',
    steps: () =>
      forged([
        (digits) => `sha256=${digits.replace(/[0-9]/g, 'a').toUpperCase()}`,
        (digits) => `sha256=${digits.toUpperCase()}`,
      ]),
  },
  {
    number: '14',
    title: 'other spellings of the prefix are refused',
    steps: () => forged(['SHA256=', 'Sha256=', 'sha-256=', 'sha256:'].map((prefix) => (digits) => prefix + digits)),
  },
  {
    number: '15',
    title: 'sha1= with the correct HMAC-SHA-1 is refused',
    steps: () => forged([(_, body) => `sha1=${mac(body, SECRET, 'sha1')}`, (digits) => `sha1=${digits}`]),
  },
  {
    number: '16',
    title: 'the correct HMAC-SHA-512 is refused, complete or truncated, with either prefix',
    steps: () =>
      forged([
        (_, body) => `sha512=${mac(body, SECRET, 'sha512')}`,
        (_, body) => `sha256=${mac(body, SECRET, 'sha512')}`,
        (_, body) => `sha256=${mac(body, SECRET, 'sha512').slice(0, 64)}`,
      ]),
  },
  {
    number: '17',
    title: 'other algorithms, and none, are refused',
    steps: () =>
      forged([
        () => 'none=',
        (digits) => `none=${digits}`,
        (_, body) => `md5=${mac(body, SECRET, 'md5')}`,
        () => 'alg=none',
      ]),
  },
  {
    number: '18',
    title: 'the correct MAC in base64 or base64url is refused',
    steps: () =>
      forged([(digits) => `sha256=${toBase64(digits)}`, (digits) => `sha256=${toBase64url(digits)}`, toBase64]),
  },
  {
    number: '19',
    title: 'a plain hash of the body, with or without the secret, is refused',
    steps: () =>
      forged([
        (_, body) => `sha256=${sha256(body)}`,
        (_, body) => `sha256=${sha256(SECRET, body)}`,
        (_, body) => `sha256=${sha256(body, SECRET)}`,
      ]),
  },
  {
    number: '20',
    title: 'the correct MAC under another secret is refused',
    steps: () => [under('default', 'another_secret', UNAUTHENTIC)],
  },
  {
    number: '21',
    title: 'the correct MAC of another body is refused',
    steps: () => forged([() => signatureOf(scan())]),
  },
  {
    number: '22',
    title: 'the body’s own signature field, copied into the header, is refused',
    steps: () => {
      const plain = payload()
      const inner = signatureOf(bytesOf(plain))
      return [{ request: withSignature(bytesOf({ ...plain, signature: inner }), inner), expected: UNAUTHENTIC }]
    },
  },
  {
    number: '23',
    title: 'spaces and tabs around the correct value are ignored',
    steps: () =>
      forged(
        [' ', '\t', ' \t \t '].flatMap((blank) => [
          (digits: string) => `${blank}sha256=${digits}`,
          (digits: string) => `sha256=${digits}${blank}`,
          (digits: string) => `${blank}sha256=${digits}${blank}`,
        ]),
        PROCESSED,
      ),
  },
  {
    number: '24',
    title: 'a space after the equals sign or inside the digits is refused',
    steps: () =>
      forged([(digits) => `sha256= ${digits}`, (digits) => `sha256=${digits.slice(0, 32)} ${digits.slice(32)}`]),
  },
  {
    number: '25',
    title: 'a no-break space around the correct value is refused',
    steps: () =>
      forged([
        (digits) => `\u00a0sha256=${digits}`,
        (digits) => `sha256=${digits}\u00a0`,
        (digits) => `\u00c2\u00a0sha256=${digits}`,
      ]),
  },
  {
    number: '25b',
    title: 'a vertical tab or form feed around the correct value is refused, in Node by the HTTP parser',
    steps: () =>
      forged(
        ['\v', '\f'].flatMap((blank) => [
          (digits: string) => `${blank}sha256=${digits}`,
          (digits: string) => `sha256=${digits}${blank}`,
        ]),
        byParser(byTransport(400), UNAUTHENTIC),
      ),
  },
  {
    number: '26',
    title: 'two signature headers are refused, even if both are correct',
    steps: () => [withHeaders((signature) => [h(NAME, signature), h(NAME, signature)], UNAUTHENTIC)],
  },
  {
    number: '27',
    title: 'two signature headers with one correct value are refused in both orders',
    steps: () => {
      const wrong = h(NAME, `sha256=${'0'.repeat(64)}`)
      return [
        withHeaders((signature) => [h(NAME, signature), wrong], UNAUTHENTIC),
        withHeaders((signature) => [wrong, h(NAME, signature)], UNAUTHENTIC),
      ]
    },
  },
  {
    number: '28',
    title: 'a comma-separated list with the correct value is refused',
    steps: () =>
      forged([
        (digits) => `sha256=${digits}, sha256=${'0'.repeat(64)}`,
        (digits) => `sha256=${'0'.repeat(64)},sha256=${digits}`,
        (digits) => `sha256=${digits},`,
      ]),
  },
  {
    number: '31',
    title: 'the header’s name is accepted in any letter case',
    steps: () =>
      ['x-govalid-signature', 'X-GOVALID-SIGNATURE', 'x-GoVaLiD-sIgNaTuRe'].map((name) =>
        withHeaders((signature) => [h(name, signature)], PROCESSED),
      ),
  },
  {
    number: '32',
    title: 'a value of 8 KB is refused within 5 ms, even if it starts like a correct value',
    async play({ target, send, expectResponse, observe }) {
      const [junk, nearly] = forged([() => 'z'.repeat(8192), (digits) => `sha256=${digits}`.padEnd(8192, 'a')])
      for (const { request } of [junk as Step, nearly as Step]) {
        for (let round = 0; round < 20; round++) expectResponse(await send(request), 'not_authentic')
        await expectWithin(5, () => timeToCompute(target, () => send(request)))
      }
      expect((await observe()).store.claim).toBe(0)
    },
  },
  {
    number: '33',
    title: 'a value of 15 KB is refused, and a value of 17 KB is refused by Node’s parser',
    steps: () => [
      ...forged([() => 'f'.repeat(15 * 1024)]),
      ...forged([() => 'f'.repeat(17 * 1024)], byParser(byTransport(431), UNAUTHENTIC)),
    ],
  },
  {
    number: '34',
    // Node 20 and 22 drop the header, and Node 24 refuses the request.
    title: 'a correct signature after 2,100 other headers is refused in Node and accepted in workerd',
    steps: () => [
      withHeaders(
        (signature) => [...Array.from({ length: 2100 }, () => h('a', '')), h(NAME, signature)],
        byParser(broken(401, 431), PROCESSED),
      ),
    ],
  },
  {
    number: '35',
    title: 'bytes from 0x80 to 0xFF in the value are refused',
    steps: () => {
      const high = Array.from({ length: 128 }, (_, code) => String.fromCharCode(0x80 + code)).join('')
      return forged([() => high, (digits) => `sha256=${digits}${high}`, (digits) => `sha256=${digits.slice(1)}\u00e9`])
    },
  },
  {
    number: '36',
    title: 'a NUL or a bare CR in the value is refused by the transport',
    steps: () => forged([(digits) => `sha256=${digits}\0`, (digits) => `sha256=${digits}\rX: y`], byTransport(400)),
  },
  {
    number: '37',
    title: 'a folded header line is refused',
    steps: () => forged([(digits) => `sha256=${digits.slice(0, 32)}\r\n ${digits.slice(32)}`], byTransport(400)),
  },
  {
    number: '38',
    title: 'a space before the colon is refused by the transport',
    steps: () => [withHeaders((signature) => [h(`${NAME} `, signature)], byTransport(400))],
  },
  {
    number: '39',
    title: 'the correct value anywhere except in its header is refused',
    steps: () => {
      const body = scan()
      const signature = signatureOf(body)
      const elsewhere: readonly Header[][] = [
        [h('Cookie', `${NAME}=${signature}`)],
        [h('Authorization', signature)],
        [h('X-Hub-Signature-256', signature)],
        [h('X-GoValid-Signatur', signature)],
      ]
      const query = `/webhooks/default?${NAME}=${encodeURIComponent(signature)}&x-govalid-signature=${signature}`
      return [
        ...elsewhere.map((headers) => ({
          request: withSignature(body, undefined, { headers }),
          expected: UNAUTHENTIC,
        })),
        { request: withSignature(body, undefined, { path: query }), expected: UNAUTHENTIC },
      ]
    },
  },
  {
    number: '40',
    title: 'during a rotation both secrets are accepted, and the outcome names the one that matched',
    steps: () =>
      [SECRET, OLD_SECRET].map((secret, index) => ({
        ...under('two-secrets', secret, PROCESSED),
        check: (seen) => expect(seen.outcomes[0]?.secretIndex).toBe(index),
      })),
  },
  {
    number: '41',
    title: 'a third secret is refused if two are configured',
    steps: () => [under('two-secrets', 'a_third_secret', UNAUTHENTIC)],
  },
  {
    number: '42',
    title: 'a secret that was removed from the list is refused',
    steps: () => [under('two-secrets', OLD_SECRET, PROCESSED), under('default', OLD_SECRET, UNAUTHENTIC)],
  },
  {
    number: '44',
    title: 'a trailing newline in the configured secret is named in the report, not in the response',
    steps: () => [
      {
        ...under('secret-with-newline', SECRET, UNAUTHENTIC),
        check: (seen) => {
          expect(seen.outcomes[0]?.hint).toContain('white space')
          expect(seen.reports.map(({ message }) => message).join()).toContain('white space')
        },
      },
    ],
  },
  {
    number: '45',
    title: 'secrets of 1, 64, 65, 131 bytes and 1 MB are accepted, with any bytes or text',
    async play({ reset, step }) {
      const sizes = [1, 64, 65, 131, 1024 * 1024].map((size) => Buffer.alloc(size, 'k'))
      const secrets = [...sizes, Buffer.from([0]), Buffer.from([0xff, 0x00, 0x80]), 'rahasia-é-☕', ' with space ', 'x']
      for (const secret of secrets) {
        await reset(secret)
        await step({ variant: 'own-secret', request: signed(scan(), {}, secret), expected: PROCESSED })
        await step({
          variant: 'own-secret',
          request: signed(scan(), {}, `${secret.toString()}x`),
          expected: UNAUTHENTIC,
        })
      }
    },
  },
  {
    number: '45b',
    title: 'a secret that a function returns on the first delivery is accepted',
    steps: () => [under('secret-function', SECRET, PROCESSED), under('secret-function', OLD_SECRET, UNAUTHENTIC)],
  },
]
