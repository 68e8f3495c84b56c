/**
 * Misconfigurations as fixed bytes, made with Python's hmac, json, gzip and zlib: each is named, and none is accepted. `issue` counts the
 * twelve that everybody meets; 0 is any other.
 */
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { assertSignature, createReceiver } from '../../src/index.js'
import { type ExplainInput, explain } from '../../src/testing/explain.js'
import vectors from './misconfigurations.json' with { type: 'json' }

interface Vector {
  readonly issue: number
  readonly name: string
  readonly codes: readonly string[]
  readonly proven: boolean
  readonly secret: string
  readonly signature: string | null
  readonly body: string
  readonly otherSecrets?: readonly string[]
  readonly otherBodies?: readonly string[]
  readonly index?: number
  readonly signedContent?: 'body-without-signature'
}

const cases = vectors as readonly Vector[]

function inputOf({
  secret,
  signature,
  body,
  otherSecrets = [],
  otherBodies = [],
  signedContent,
}: Vector): ExplainInput {
  return {
    rawBody: Buffer.from(body, 'base64'),
    signature,
    secret,
    otherSecrets,
    otherBodies: otherBodies.map((other) => Buffer.from(other, 'base64')),
    ...(signedContent && { signedContent }),
  }
}

describe('the twelve misconfigurations', () => {
  it('are all among the vectors', () => {
    expect([...new Set(cases.map(({ issue }) => issue))].sort((a, b) => a - b)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    ])
  })
})

describe.each(cases)('$name', (vector) => {
  const input = inputOf(vector)

  it(`is named: ${vector.codes.join(', ')}`, async () => {
    const explanation = await explain(input)
    if (explanation.valid) throw new Error('accepted')
    expect(explanation.findings.map(({ code }) => code)).toEqual(vector.codes)
    expect(explanation).toMatchObject({ code: vector.codes[0], proven: vector.proven })
    expect(explanation.findings[0].index).toBe(vector.index)
  })

  it('is refused by assertSignature and by a receiver', async () => {
    if (vector.signedContent === undefined) {
      await expect(assertSignature(input.rawBody, input.signature, input.secret)).rejects.toThrow(/signature_/)
    }
    const { secret, signature, signedContent = 'body' } = input
    const receiver = createReceiver({ secret, signedContent, store: false, onError: () => {} })
    const header = (name: string) => (name === 'x-govalid-signature' ? signature : undefined)
    const outcome = await receiver.receive({ method: 'POST', header, body: Buffer.from(vector.body, 'base64') })
    expect(outcome).toMatchObject({ status: 'refused', code: expect.stringMatching(/^signature_/) })
  })

  it('is told without the secret, the signature or the body', async () => {
    const explanation = await explain(input)
    const told = inspect(explanation, { depth: 9 }) + JSON.stringify(explanation)
    expect(told).not.toContain(vector.secret.trim())
    for (const secret of vector.otherSecrets ?? []) expect(told).not.toContain(secret)
    expect(told).not.toMatch(/[0-9a-f]{32}|Jakarta|wh-001/)
  })

  it('has a cure for everything that is wrong', async () => {
    const explanation = await explain(input)
    const findings = explanation.valid ? [] : explanation.findings
    for (const { message, fix } of findings) expect(`${message} ${fix}`).toMatch(/^[A-Z].+\. [A-Z].+\.$/s)
  })
})
