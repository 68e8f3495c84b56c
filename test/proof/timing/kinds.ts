/** The timed verifiers, and the limits of their greatest |t|. */
import { type TimeOne, timeEquals, timeVerifier, type WrongDigits } from './measure.js'
import { ON_WEBCRYPTO, WITH_EARLY_EXIT, WITH_EQUALS } from './plantings.js'

/** A timed verifier. */
export interface TimedKind {
  readonly name: string
  readonly digits: WrongDigits
  /** Its share of the samples. Slow verifiers take fewer. */
  readonly share: number
  timeOne(): TimeOne
  /** Whether its runs are within the limits. Without it, the runs are only printed. */
  readonly isRight?: (runs: readonly number[]) => boolean
}

const FIRST_AGAINST_LAST: WrongDigits = [0, 63]
/** dudect's limits: no difference below the first, a certain difference from the second on. */
const UNSEEN = 4.5
const SURE = 10

function median(runs: readonly number[]): number {
  return [...runs].sort((one, other) => one - other)[runs.length >> 1] ?? Number.NaN
}

const isConstant = (runs: readonly number[]) => median(runs) < UNSEEN && Math.max(...runs) < SURE
const isCaught = (runs: readonly number[]) => Math.min(...runs) >= SURE
const isNothing = (runs: readonly number[]) => Math.max(...runs) < UNSEEN

/** All timed verifiers. */
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
    name: 'control: the same wrong digit in both classes',
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
    name: 'control: assertSignature with a comparison that stops at the first difference',
    digits: FIRST_AGAINST_LAST,
    share: 1,
    timeOne: () => timeVerifier(WITH_EARLY_EXIT),
    isRight: isCaught,
  },
  {
    name: 'not judged: assertSignature with ===',
    digits: FIRST_AGAINST_LAST,
    share: 1,
    timeOne: () => timeVerifier(WITH_EQUALS),
  },
]
