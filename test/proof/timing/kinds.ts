// What is timed, and what the greatest |t| of its runs must be.
import { type TimeOne, timeEquals, timeVerifier, type WrongDigits } from './measure.js'
import { ON_WEBCRYPTO, WITH_EARLY_EXIT, WITH_EQUALS } from './plantings.js'

/** Something that is timed. */
export interface TimedKind {
  readonly name: string
  readonly digits: WrongDigits
  /** Which part of the samples it is given: what is slow takes fewer. */
  readonly share: number
  timeOne(): TimeOne
  /** Whether its runs are as they must be; absent: told, not judged. */
  readonly isRight?: (runs: readonly number[]) => boolean
}

const FIRST_AGAINST_LAST: WrongDigits = [0, 63]
/** dudect's limits: below the first nothing is seen, from the second on it is sure. */
const UNSEEN = 4.5
const SURE = 10

function median(runs: readonly number[]): number {
  return [...runs].sort((one, other) => one - other)[runs.length >> 1] ?? Number.NaN
}

const isConstant = (runs: readonly number[]) => median(runs) < UNSEEN && Math.max(...runs) < SURE
const isCaught = (runs: readonly number[]) => Math.min(...runs) >= SURE
const isNothing = (runs: readonly number[]) => Math.max(...runs) < UNSEEN

/** Everything that is timed. */
export const TIMED_KINDS: readonly TimedKind[] = [
  {
    name: 'assertSignature on node:crypto',
    digits: FIRST_AGAINST_LAST,
    share: 1,
    timeOne: () => timeVerifier(undefined),
    isRight: isConstant,
  },
  {
    name: 'assertSignature on WebCrypto',
    digits: FIRST_AGAINST_LAST,
    share: 0.2,
    timeOne: () => timeVerifier(ON_WEBCRYPTO),
    isRight: isConstant,
  },
  {
    name: 'control: the first digit against the first',
    digits: [0, 0],
    share: 1,
    timeOne: () => timeVerifier(undefined),
    isRight: isNothing,
  },
  {
    name: 'control: === alone',
    digits: FIRST_AGAINST_LAST,
    share: 1,
    timeOne: timeEquals,
    isRight: isCaught,
  },
  {
    name: 'control: assertSignature with a compare that ends at the first difference',
    digits: FIRST_AGAINST_LAST,
    share: 1,
    timeOne: () => timeVerifier(WITH_EARLY_EXIT),
    isRight: isCaught,
  },
  {
    name: 'told only: assertSignature with ===',
    digits: FIRST_AGAINST_LAST,
    share: 1,
    timeOne: () => timeVerifier(WITH_EQUALS),
  },
]
