// What must never happen, whatever is sent: counted, so that a proof can show the zeros and exit with 1 when one is none.
import { type ResultRow, row } from './record.js'

/** How often each thing that must never happen did. */
export interface Zeros {
  inputs: number
  /** Inputs with a right signature, so that it is seen that not everything was refused. */
  verified: number
  /** The process or runtime ended, an answer was missing, or it was a 5xx that nobody asked for. */
  crashes: number
  /** A handler was called for a delivery without a right signature. */
  forgedCalls: number
  /** A store was called for one. */
  earlyStoreCalls: number
  /** A delivery whose complete body was read and whose signature is right got a 4xx. */
  refusedVerified: number
  /** A verdict that is otherwise than published, or than plain `JSON.parse` and HMAC make it. */
  wrongVerdicts: number
  /** An answer came after 4.6 s. */
  lateResponses: number
  /** Unhandled rejections and uncaught exceptions. */
  unhandled: number
  /** The first few that went wrong. */
  readonly examples: string[]
}

/** What can go wrong with one input. */
export type Fault = Exclude<keyof Zeros, 'inputs' | 'verified' | 'examples'>

const FAULTS: Readonly<Record<Fault, string>> = {
  crashes: 'crashes',
  forgedCalls: 'handler calls without a right signature',
  earlyStoreCalls: 'store calls before a right signature',
  refusedVerified: '4xx to a verified delivery',
  wrongVerdicts: 'verdicts otherwise than they must be',
  lateResponses: 'answers after 4.6 s',
  unhandled: 'unhandled rejections and exceptions',
}
const FAULT_NAMES = Object.keys(FAULTS) as readonly Fault[]
/** When an answer is late, in milliseconds. */
export const LATE_MS = 4600
const EXAMPLES = 5

/** Nothing yet. */
export function noInputs(): Zeros {
  return {
    inputs: 0,
    verified: 0,
    crashes: 0,
    forgedCalls: 0,
    earlyStoreCalls: 0,
    refusedVerified: 0,
    wrongVerdicts: 0,
    lateResponses: 0,
    unhandled: 0,
    examples: [],
  }
}

/** Counts a fault and remembers what it was about. */
export function count(zeros: Zeros, fault: Fault, about: string): void {
  zeros[fault]++
  if (zeros.examples.length < EXAMPLES) zeros.examples.push(`${FAULTS[fault]}: ${about}`)
}

/** How much went wrong. */
export function faultsOf(zeros: Zeros): number {
  return FAULT_NAMES.reduce((sum, name) => sum + zeros[name], 0)
}

/** The lines of a result, a column for each part. */
export function zeroRows(parts: readonly Zeros[]): readonly ResultRow[] {
  return [
    row('inputs', ...parts.map(({ inputs }) => inputs)),
    row('of these rightly signed', ...parts.map(({ verified }) => verified)),
    ...FAULT_NAMES.map((name) => row(FAULTS[name], ...parts.map((part) => part[name]))),
  ]
}
