/**
 * Tests that `explain` names every misconfiguration in misconfigurations.json, and that none is accepted. The vectors are fixed bytes made
 * with Python's hmac, json, gzip and zlib. `issue` numbers the twelve common misconfigurations; 0 marks the others.
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

describe('the twelve common misconfigurations', () => {
  it('all have vectors', () => {
    expect([...new Set(cases.map(({ issue }) => issue))].sort((a, b) => a - b)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    ])
  })
})

describe.each(cases)('$name', (vector) => {
  const input = inputOf(vector)

  it(`is explained as ${vector.codes.join(' and ')}`, async () => {
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

  it('is explained without the secret, the signature or the body', async () => {
    const explanation = await explain(input)
    const text = inspect(explanation, { depth: 9 }) + JSON.stringify(explanation)
    expect(text).not.toContain(vector.secret.trim())
    for (const secret of vector.otherSecrets ?? []) expect(text).not.toContain(secret)
    expect(text).not.toMatch(/[0-9a-f]{32}|Jakarta|wh-001/)
  })

  it('has a message and a fix for every finding', async () => {
    const explanation = await explain(input)
    const findings = explanation.valid ? [] : explanation.findings
    for (const { message, fix } of findings) expect(`${message} ${fix}`).toMatch(/^[A-Z].+\. [A-Z].+\.$/s)
  })
})
