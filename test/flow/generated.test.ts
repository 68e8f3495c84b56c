/** A share of `npm run proof -- generated`: the core receives signed deliveries with changes in every place. */
import { expect, test } from 'vitest'
import { playCore } from '../proof/generated/core.js'
import { faultsOf } from '../proof/zeros.js'

const INPUTS = 5000

test('changed deliveries never crash the core, forged ones have no effect, and verified ones are never refused', async () => {
  const kinds = new Set<string>()
  const zeros = await playCore(2025, INPUTS, (kind) => kinds.add(kind))
  expect(zeros.examples).toEqual([])
  expect(faultsOf(zeros)).toBe(0)
  expect(zeros.inputs).toBe(INPUTS)
  expect(zeros.verified).toBeGreaterThan(INPUTS / 3)
  expect(kinds.size).toBe(9)
})
