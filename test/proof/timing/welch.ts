/**
 * Welch's t-test over two classes of durations. The slowest samples are cropped at many percentiles, as in dudect, because a leak may show
 * only in the bulk of the samples, while a busy machine shows in the tail.
 *
 * Source: O. Reparaz, J. Balasch, I. Verbauwhede, "Dude, is my code constant time?", DATE 2017, section III.
 */

/** Durations, and the class (0 or 1) of each. */
export interface Samples {
  readonly times: Float64Array
  readonly classes: Uint8Array
}

const CROPS = 100
/** The minimum number of samples per class. */
const MIN_SAMPLES = 1000

/** The greatest |t| over all crops, including none. */
export function greatestT({ times, classes }: Samples): number {
  const sorted = Float64Array.from(times).sort()
  let greatest = Math.abs(welchT({ times, classes }, Number.POSITIVE_INFINITY))
  for (let crop = 0; crop < CROPS; crop++) {
    const share = 1 - 0.5 ** ((10 * (crop + 1)) / CROPS)
    const limit = sorted[Math.floor(share * (sorted.length - 1))] ?? 0
    greatest = Math.max(greatest, Math.abs(welchT({ times, classes }, limit)))
  }
  return greatest
}

/** Welch's t of the two classes, for the durations up to a limit. Returns 0 if there are too few. */
export function welchT({ times, classes }: Samples, limit: number): number {
  const counts: [number, number] = [0, 0]
  const sums: [number, number] = [0, 0]
  const squares: [number, number] = [0, 0]
  // Subtracting a value from the middle keeps the precision of the squares.
  const middle = times[times.length >> 1] ?? 0
  for (let index = 0; index < times.length; index++) {
    const time = times[index] as number
    if (time > limit) continue
    const one = classes[index] as 0 | 1
    const away = time - middle
    counts[one]++
    sums[one] += away
    squares[one] += away * away
  }
  if (Math.min(...counts) < MIN_SAMPLES) return 0
  const part = (one: 0 | 1) => {
    const mean = sums[one] / counts[one]
    return { mean, error: (squares[one] / counts[one] - mean * mean) / counts[one] }
  }
  const [first, second] = [part(0), part(1)]
  const error = Math.sqrt(first.error + second.error)
  return error === 0 ? 0 : (first.mean - second.mean) / error
}
