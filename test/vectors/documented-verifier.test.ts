/** Compares the SDK with the verifier in GoValid's documentation on generated triples. A small share of `npm run proof -- signature`. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { compareVerifiers } from '../proof/signature/compare.js'
import { type DocumentedVerifier, pythonVersion, startDocumentedVerifier } from '../proof/signature/python.js'
import { describeWith } from '../support/requirement.js'

const TRIPLES = 5000
const SEED = 2025

describeWith('python3', pythonVersion() !== undefined, 'the documented verifier', () => {
  let documented: DocumentedVerifier
  beforeAll(() => {
    documented = startDocumentedVerifier()
  })
  afterAll(() => documented?.stop())

  it('agrees with the SDK about almost correct signatures, on node:crypto and on WebCrypto', async () => {
    const found = await compareVerifiers(SEED, TRIPLES, documented)
    expect(found.examples).toEqual([])
    expect(found).toMatchObject({ triples: TRIPLES, disagreements: 0, crashes: 0 })
    expect(Math.min(...Object.values(found.kinds))).toBeGreaterThan(50)
    expect(found.accepted).toBeGreaterThan(1000)
    expect(found.outerBlanks).toBeGreaterThan(100)
  })
})
