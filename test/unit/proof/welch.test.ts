/** The t-test of the timing proof detects a difference if there is one, and only then. */
import { describe, expect, test } from 'vitest'
import { createRandom } from '../../proof/random.js'
import { takeSamples, timeEquals, timeVerifier } from '../../proof/timing/measure.js'
import { WITH_EARLY_EXIT } from '../../proof/timing/plantings.js'
import { greatestT, type Samples, welchT } from '../../proof/timing/welch.js'

const COUNT = 20_000

/** Generates times around 1,000 with a long tail. Times of class 1 are longer by `extra`. */
function generate(seed: number, extra: number): Samples {
  const random = createRandom(seed)
  const classes = Uint8Array.from({ length: COUNT }, () => random.below(2))
  const times = Float64Array.from(classes, (isClassOne) => {
    const tail = random.chance(0.02) ? 50_000 * random.next() : 0
    return 1000 + 100 * (random.next() + random.next()) + tail + isClassOne * extra
  })
  return { times, classes }
}

test('matches a hand computation for two classes with known means and variances', () => {
  const times = Float64Array.from(
    { length: 4000 },
    (_, index) => (index % 2 === 0 ? 10 : 12) + (index % 4 < 2 ? 1 : -1),
  )
  const classes = Uint8Array.from({ length: 4000 }, (_, index) => index % 2)
  // Means 10 and 12, variances 1 and 1, 2,000 each: t = -2 / sqrt(1/2000 + 1/2000).
  expect(welchT({ times, classes }, Number.POSITIVE_INFINITY)).toBeCloseTo(-2 / Math.sqrt(2 / 2000), 6)
})

test('detects a difference that the tail hides by cropping the tail', () => {
  const samples = generate(1, 5)
  expect(Math.abs(welchT(samples, Number.POSITIVE_INFINITY))).toBeLessThan(4.5)
  expect(greatestT(samples)).toBeGreaterThan(6)
})

test.each([1, 2, 3, 4])('detects no difference where there is none (seed %i)', (seed) => {
  expect(greatestT(generate(seed, 0))).toBeLessThan(4.5)
})

describe('the controls', () => {
  // Noise can only hide a difference, so the best of five rounds counts.
  test.each([
    ['===', timeEquals()],
    ['a comparison that ends at the first difference', timeVerifier(WITH_EARLY_EXIT)],
  ])('%s is detected', async (_, timeOne) => {
    let greatest = 0
    for (let round = 0; round < 5 && greatest < 10; round++) {
      greatest = Math.max(greatest, greatestT(await takeSamples(createRandom(round), 60_000, [0, 63], timeOne)))
    }
    expect(greatest).toBeGreaterThanOrEqual(10)
  })
})
