/** explain: what it takes, and that it never accepts what the receiver refuses. The misconfigurations themselves are in test/vectors. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertSignature } from '../../../src/index.js'
import { FINDING_CODES } from '../../../src/testing/explain/findings.js'
import { type ExplainInput, explain } from '../../../src/testing/explain.js'
import { signDelivery } from '../../../src/testing/sign-delivery.js'
import { describeOnBothCryptos } from '../../support/crypto-paths.js'
import { scannedEvent } from '../../support/payloads.js'

const SECRET = 'your_webhook_secret'
const BODY = JSON.stringify(scannedEvent())
const signatureOf = async (body: string | Uint8Array, secret = SECRET) =>
  (await signDelivery(body, { secret })).signature

/** What is found; `valid` where nothing is wrong. */
async function found(input: ExplainInput): Promise<readonly string[]> {
  const explanation = await explain(input)
  return explanation.valid ? ['valid'] : explanation.findings.map(({ code }) => code)
}

describeOnBothCryptos('explain', () => {
  it('says valid, and which secret matched', async () => {
    const input = { rawBody: BODY, signature: await signatureOf(BODY), secret: ['an old one', SECRET] }
    expect(await explain(input)).toEqual({ valid: true, secretIndex: 1 })
  })

  it('says valid of bytes and of text, as a receiver does', async () => {
    const signature = ` ${await signatureOf(BODY)}\t`
    expect(await found({ rawBody: Buffer.from(BODY), signature, secret: SECRET })).toEqual(['valid'])
    expect(await found({ rawBody: BODY, signature, secret: Buffer.from(SECRET) })).toEqual(['valid'])
  })

  it('verifies what the option says', async () => {
    const withField = JSON.stringify({ ...scannedEvent(), signature: 'sha256=a1b2c3d4...' })
    const input = { rawBody: withField, signature: await signatureOf(BODY), secret: SECRET }
    expect(await found({ ...input, signedContent: 'body-without-signature' })).toEqual(['valid'])
    expect(await found(input)).toEqual(['signed_without_signature'])
  })

  it('names the option that cures a signature made before the member was added', async () => {
    const withField = JSON.stringify({ ...scannedEvent(), signature: 'sha256=a1b2c3d4...' })
    const explanation = await explain({ rawBody: withField, signature: await signatureOf(BODY), secret: SECRET })
    expect(explanation).toMatchObject({
      findings: [{ fix: expect.stringContaining("signedContent: 'body-without-signature'") }],
    })
  })

  it('says that nothing explains it', async () => {
    const signature = await signatureOf(BODY, 'a guess')
    expect(await explain({ rawBody: BODY, signature, secret: SECRET })).toMatchObject({
      valid: false,
      proven: false,
      code: 'unexplained',
    })
  })
})

describe('explain, given headers', () => {
  const input = { rawBody: BODY, secret: SECRET }

  it.each([
    ['an object', (value: string) => ({ 'X-GoValid-Signature': value })],
    ['Headers', (value: string) => new Headers({ 'X-GoValid-Signature': value })],
    ['a list of values', (value: string) => ({ 'x-govalid-signature': [value] })],
  ])('finds the signature in %s', async (_, toHeaders) => {
    expect(await found({ ...input, headers: toHeaders(await signatureOf(BODY)) })).toEqual(['valid'])
  })

  it('finds a header that is sent twice', async () => {
    const value = await signatureOf(BODY)
    expect(await found({ ...input, headers: { 'x-govalid-signature': [value, value] } })).toEqual(['header_repeated'])
  })

  it('names a header that looks like the missing one, and not its value', async () => {
    const value = await signatureOf(BODY)
    const explanation = await explain({ ...input, headers: { 'X-Original-Signature': value, host: 'example.com' } })
    expect(explanation).toMatchObject({
      code: 'header_missing',
      findings: [{ message: expect.stringContaining('perhaps it is x-original-signature.') }],
    })
    expect(JSON.stringify(explanation)).not.toContain(value)
  })

  it('finds that a proxy unpacked the body', async () => {
    const headers = { 'x-govalid-signature': await signatureOf('something else'), 'content-encoding': 'gzip' }
    expect(await found({ ...input, headers })).toEqual(['body_compressed', 'unexplained'])
  })
})

describe('explain, given what is no input', () => {
  it.each([
    ['undefined', undefined],
    ['blank', ' \n'],
    ['no list at all', []],
    ['a list with a gap', [SECRET, undefined]],
    ['a number', 5 as unknown as string],
  ])('names a secret that is %s', async (_, secret) => {
    expect(await found({ rawBody: BODY, signature: await signatureOf(BODY), secret })).toEqual(['secret_missing'])
  })

  it('names a body that is parsed already', async () => {
    const rawBody = scannedEvent() as unknown as string
    const explanation = await explain({ rawBody, signature: await signatureOf(BODY), secret: SECRET })
    expect(explanation).toMatchObject({
      code: 'body_parsed',
      findings: [{ message: expect.stringContaining('object') }],
    })
  })

  it('takes no other secret and no other body that is not there', async () => {
    const signature = await signatureOf(BODY, 'a guess')
    const otherBodies = [undefined as unknown as string, null as unknown as string]
    expect(
      await found({ rawBody: BODY, signature, secret: SECRET, otherSecrets: [undefined, ''], otherBodies }),
    ).toEqual(['unexplained'])
  })
})

describe('explain, under attack', () => {
  it('stops unpacking a body that grows out of all proportion', async () => {
    const { gzipSync } = await import('node:zlib')
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    expect(await found({ rawBody: bomb, signature: await signatureOf('x'), secret: SECRET })).toContain(
      'body_compressed',
    )
  })

  it('bears nesting that nobody writes by hand', async () => {
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`
    expect(await found({ rawBody: deep, signature: await signatureOf('x'), secret: SECRET })).toEqual(['unexplained'])
  })

  it('bears a body of 1 MiB', async () => {
    const rawBody = JSON.stringify({
      event: 'qr.scanned',
      data: { list: Array.from({ length: 60_000 }, () => ({ a: 'é', b: 1.5 })) },
    })
    expect(rawBody.length).toBeGreaterThan(800_000)
    expect(await found({ rawBody, signature: await signatureOf('x'), secret: SECRET })).toEqual(['unexplained'])
  }, 20_000)
})

/** Bodies, secrets and headers near the right ones, and the right ones among them. */
const nearMisses = fc.record({
  body: fc.oneof(fc.constant(BODY), fc.string({ unit: 'binary' }), fc.json()),
  sign: fc.constantFrom('this', 'this', 'this', 'cut', 'spaced', 'newline', 'other secret'),
  changeBody: fc.constantFrom('not', 'not', 'not', '\n', '\uFEFF', ' '),
  changeSecret: fc.constantFrom('not', 'not', 'not', '\n', '"', ' '),
  changeHeader: fc.constantFrom('not', 'upper', 'short', 'base64', 'prefix', 'blanks', 'gone', 'twice', 'nbsp', 'flip'),
  signedContent: fc.constantFrom(undefined, 'body' as const),
})

type NearMiss = typeof nearMisses extends fc.Arbitrary<infer Value> ? Value : never

async function toInput(miss: NearMiss): Promise<ExplainInput & { signature: string | null; secret: string }> {
  const signed = {
    this: miss.body,
    cut: miss.body.slice(0, -1),
    spaced: miss.body.replaceAll(',', ', '),
    newline: `${miss.body}\n`,
    'other secret': miss.body,
  }[miss.sign]
  const right = await signatureOf(signed, miss.sign === 'other secret' ? 'another' : SECRET)
  const signature = {
    not: right,
    upper: right.toUpperCase(),
    short: right.slice(0, -1),
    base64: `sha256=${Buffer.from(right.slice(7), 'hex').toString('base64')}`,
    prefix: right.slice(7),
    blanks: `\t ${right} `,
    gone: null,
    twice: `${right}, ${right}`,
    nbsp: `\u00a0${right}`,
    flip: right.slice(0, -1) + (right.endsWith('0') ? '1' : '0'),
  }[miss.changeHeader]
  const rawBody = miss.changeBody === 'not' ? miss.body : miss.body + miss.changeBody
  const secret = miss.changeSecret === 'not' ? SECRET : SECRET + miss.changeSecret
  return { rawBody, signature, secret, ...(miss.signedContent && { signedContent: miss.signedContent }) }
}

describe('explain, for anything at all', () => {
  it('says valid exactly where assertSignature does', async () => {
    const seen = { valid: 0, refused: 0 }
    await fc.assert(
      fc.asyncProperty(nearMisses, async (miss) => {
        const input = await toInput(miss)
        const accepted = await assertSignature(input.rawBody, input.signature, input.secret).then(
          () => true,
          () => false,
        )
        expect((await explain(input)).valid).toBe(accepted)
        seen[accepted ? 'valid' : 'refused']++
      }),
      { numRuns: 600 },
    )
    expect(seen.valid).toBeGreaterThan(5)
    expect(seen.refused).toBeGreaterThan(300)
  }, 60_000)

  it('says valid of no header and no body that it was not made for', async () => {
    const anything = fc.record({
      rawBody: fc.oneof(fc.uint8Array(), fc.string()),
      signature: fc.string(),
      secret: fc.string({ minLength: 1 }),
    })
    await fc.assert(
      fc.asyncProperty(anything, async (input) => {
        const explanation = await explain(input)
        if (explanation.valid) throw new Error('accepted')
        expect(explanation.findings.map(({ code }) => code).every((code) => FINDING_CODES.includes(code))).toBe(true)
      }),
      { numRuns: 300 },
    )
  }, 60_000)
})
