/** No store: every delivery is a first attempt, and every write succeeds. */
import { expect, test } from 'vitest'
import { noStore } from '../../../src/stores/none.js'

test('grants every claim as a first attempt and accepts every write', () => {
  const claim = { key: 'a', token: 'b', leaseMs: 1, retainUntil: 1, attemptGapMs: 1 }
  for (let round = 0; round < 2; round++) {
    expect(noStore.claim(claim)).toEqual({ status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] })
  }
  expect(noStore.renew(claim)).toBe(true)
  expect(noStore.complete(claim)).toBe(true)
  expect(noStore.release({ ...claim, completedHandlers: [], counted: true })).toBe(true)
})
