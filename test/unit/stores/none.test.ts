/** No store: every delivery is a first try, and every write is taken. */
import { expect, test } from 'vitest'
import { noStore } from '../../../src/stores/none.js'

test('gives every claim, and holds it for whoever asks', () => {
  const claim = { key: 'a', token: 'b', leaseMs: 1, retainUntil: 1, attemptGapMs: 1 }
  for (let round = 0; round < 2; round++) {
    expect(noStore.claim(claim)).toEqual({ status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] })
  }
  expect(noStore.renew(claim)).toBe(true)
  expect(noStore.complete(claim)).toBe(true)
  expect(noStore.release({ ...claim, completedHandlers: [], counted: true })).toBe(true)
})
