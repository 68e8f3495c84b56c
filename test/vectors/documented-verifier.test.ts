/** A share of `npm run proof:signature`: generated triples get the same verdict from the SDK and from the function that GoValid documents. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compareVerifiers } from '../proof/signature/compare.js'
import { type DocumentedVerifier, pythonVersion, startDocumentedVerifier } from '../proof/signature/python.js'

const TRIPLES = 5000
const SEED = 2025

const python = pythonVersion()

describe.skipIf(python === undefined)(
  `the documented function${python ? '' : ' (skipped: there is no python3)'}`,
  () => {
    let documented: DocumentedVerifier
    beforeAll(() => {
      documented = startDocumentedVerifier()
    })
    afterAll(() => documented?.stop())

    it('agrees with the SDK, on node:crypto and on WebCrypto, about everything that is nearly right', async () => {
      const found = await compareVerifiers(SEED, TRIPLES, documented)
      expect(found.examples).toEqual([])
      expect(found).toMatchObject({ triples: TRIPLES, disagreements: 0, crashes: 0 })
      expect(Math.min(...Object.values(found.kinds))).toBeGreaterThan(50)
      expect(found.accepted).toBeGreaterThan(1000)
      expect(found.outerBlanks).toBeGreaterThan(100)
    })
  },
)
