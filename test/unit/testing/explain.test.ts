/** Tests of `explain`: its inputs, and its agreement with the receiver. The misconfigurations are tested in test/vectors. */
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

/** Returns the codes of the findings, or `valid`. */
async function findingsOf(input: ExplainInput): Promise<readonly string[]> {
  const explanation = await explain(input)
  return explanation.valid ? ['valid'] : explanation.findings.map(({ code }) => code)
}

describeOnBothCryptos('explain', () => {
  it('returns valid and the index of the matching secret', async () => {
    const input = { rawBody: BODY, signature: await signatureOf(BODY), secret: ['the old secret', SECRET] }
    expect(await explain(input)).toEqual({ valid: true, secretIndex: 1 })
  })

  it('returns valid for bytes and for text, like a receiver', async () => {
    const signature = ` ${await signatureOf(BODY)}\t`
    expect(await findingsOf({ rawBody: Buffer.from(BODY), signature, secret: SECRET })).toEqual(['valid'])
    expect(await findingsOf({ rawBody: BODY, signature, secret: Buffer.from(SECRET) })).toEqual(['valid'])
  })

  it('verifies the content that signedContent selects', async () => {
    const withField = JSON.stringify({ ...scannedEvent(), signature: 'sha256=a1b2c3d4...' })
    const input = { rawBody: withField, signature: await signatureOf(BODY), secret: SECRET }
    expect(await findingsOf({ ...input, signedContent: 'body-without-signature' })).toEqual(['valid'])
    expect(await findingsOf(input)).toEqual(['signed_without_signature'])
  })

  it('names the option that fixes a signature made before the signature field was added', async () => {
    const withField = JSON.stringify({ ...scannedEvent(), signature: 'sha256=a1b2c3d4...' })
    const explanation = await explain({ rawBody: withField, signature: await signatureOf(BODY), secret: SECRET })
    expect(explanation).toMatchObject({
      findings: [{ fix: expect.stringContaining("signedContent: 'body-without-signature'") }],
    })
  })

  it('returns unexplained if no known mistake explains the signature', async () => {
    const signature = await signatureOf(BODY, 'a guess')
    expect(await explain({ rawBody: BODY, signature, secret: SECRET })).toMatchObject({
      valid: false,
      proven: false,
      code: 'unexplained',
    })
  })
})

describe('explain with headers', () => {
  const input = { rawBody: BODY, secret: SECRET }

  it.each([
    ['an object', (value: string) => ({ 'X-GoValid-Signature': value })],
    ['Headers', (value: string) => new Headers({ 'X-GoValid-Signature': value })],
    ['a list of values', (value: string) => ({ 'x-govalid-signature': [value] })],
  ])('finds the signature in %s', async (_, toHeaders) => {
    expect(await findingsOf({ ...input, headers: toHeaders(await signatureOf(BODY)) })).toEqual(['valid'])
  })

  it('finds a header that was sent twice', async () => {
    const value = await signatureOf(BODY)
    expect(await findingsOf({ ...input, headers: { 'x-govalid-signature': [value, value] } })).toEqual([
      'header_repeated',
    ])
  })

  it('names a header that may be the missing one, without its value', async () => {
    const value = await signatureOf(BODY)
    const explanation = await explain({ ...input, headers: { 'X-Original-Signature': value, host: 'example.com' } })
    expect(explanation).toMatchObject({
      code: 'header_missing',
      findings: [{ message: expect.stringContaining('it may have been renamed to x-original-signature.') }],
    })
    expect(JSON.stringify(explanation)).not.toContain(value)
  })

  it('finds that a proxy decompressed the body', async () => {
    const headers = { 'x-govalid-signature': await signatureOf('something else'), 'content-encoding': 'gzip' }
    expect(await findingsOf({ ...input, headers })).toEqual(['body_compressed', 'unexplained'])
  })
})

describe('explain with invalid input', () => {
  it.each([
    ['undefined', undefined],
    ['blank', ' \n'],
    ['an empty list', []],
    ['a list with a gap', [SECRET, undefined]],
    ['a number', 5 as unknown as string],
  ])('reports a secret that is %s', async (_, secret) => {
    expect(await findingsOf({ rawBody: BODY, signature: await signatureOf(BODY), secret })).toEqual(['secret_missing'])
  })

  it('reports a body that is already parsed', async () => {
    const rawBody = scannedEvent() as unknown as string
    const explanation = await explain({ rawBody, signature: await signatureOf(BODY), secret: SECRET })
    expect(explanation).toMatchObject({
      code: 'body_parsed',
      findings: [{ message: expect.stringContaining('object') }],
    })
  })

  it('ignores missing other secrets and other bodies', async () => {
    const signature = await signatureOf(BODY, 'a guess')
    const otherBodies = [undefined as unknown as string, null as unknown as string]
    expect(
      await findingsOf({ rawBody: BODY, signature, secret: SECRET, otherSecrets: [undefined, ''], otherBodies }),
    ).toEqual(['unexplained'])
  })
})

describe('explain under attack', () => {
  it('stops decompressing a body that becomes too large', async () => {
    const { gzipSync } = await import('node:zlib')
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    expect(await findingsOf({ rawBody: bomb, signature: await signatureOf('x'), secret: SECRET })).toContain(
      'body_compressed',
    )
  })

  it('survives a body with 5,000 levels of nesting', async () => {
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`
    expect(await findingsOf({ rawBody: deep, signature: await signatureOf('x'), secret: SECRET })).toEqual([
      'unexplained',
    ])
  })

  it('survives a body of about 1 MiB', async () => {
    const rawBody = JSON.stringify({
      event: 'qr.scanned',
      data: { list: Array.from({ length: 60_000 }, () => ({ a: 'é', b: 1.5 })) },
    })
    expect(rawBody.length).toBeGreaterThan(800_000)
    expect(await findingsOf({ rawBody, signature: await signatureOf('x'), secret: SECRET })).toEqual(['unexplained'])
  }, 60_000)
})

/** Generates correct and almost correct bodies, secrets and headers. */
const nearMisses = fc.record({
  body: fc.oneof(fc.constant(BODY), fc.string({ unit: 'binary' }), fc.json()),
  sign: fc.constantFrom('this', 'this', 'this', 'cut', 'spaced', 'newline', 'other secret'),
  changeBody: fc.constantFrom('none', 'none', 'none', '\n', '\uFEFF', ' '),
  changeSecret: fc.constantFrom('none', 'none', 'none', '\n', '"', ' '),
  changeHeader: fc.constantFrom(
    'none',
    'upper',
    'short',
    'base64',
    'prefix',
    'spaces',
    'missing',
    'twice',
    'nbsp',
    'flip',
  ),
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
  const correct = await signatureOf(signed, miss.sign === 'other secret' ? 'another' : SECRET)
  const signature = {
    none: correct,
    upper: correct.toUpperCase(),
    short: correct.slice(0, -1),
    base64: `sha256=${Buffer.from(correct.slice(7), 'hex').toString('base64')}`,
    prefix: correct.slice(7),
    spaces: `\t ${correct} `,
    missing: null,
    twice: `${correct}, ${correct}`,
    nbsp: `\u00a0${correct}`,
    flip: correct.slice(0, -1) + (correct.endsWith('0') ? '1' : '0'),
  }[miss.changeHeader]
  const rawBody = miss.changeBody === 'none' ? miss.body : miss.body + miss.changeBody
  const secret = miss.changeSecret === 'none' ? SECRET : SECRET + miss.changeSecret
  return { rawBody, signature, secret, ...(miss.signedContent && { signedContent: miss.signedContent }) }
}

describe('explain with generated input', () => {
  it('returns valid exactly if assertSignature accepts', async () => {
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

  it('never returns valid for unrelated headers and bodies', async () => {
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
