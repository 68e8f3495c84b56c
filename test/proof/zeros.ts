/** Counts the faults that no input may cause. A proof prints the zeros and exits with 1 if a count isn't 0. */
import { type ResultRow, row } from './record.js'

/** The number of inputs, and of each fault. */
export interface Zeros {
  inputs: number
  /** Inputs with a valid signature. Shows that not every input was refused. */
  verified: number
  /** The process or runtime ended, a response was missing, or it was an unexpected 5xx. */
  crashes: number
  /** A handler was called for a delivery without a valid signature. */
  forgedCalls: number
  /** The store was called for a delivery without a valid signature. */
  earlyStoreCalls: number
  /** A delivery with a complete body and a valid signature got a 4xx. */
  refusedVerified: number
  /** A verdict differs from the published one, or from the one that plain `JSON.parse` and HMAC give. */
  wrongVerdicts: number
  /** A response arrived after 4.6 s. */
  lateResponses: number
  /** Unhandled rejections and uncaught exceptions. */
  unhandled: number
  /** The first few faults. */
  readonly examples: string[]
}

/** A fault that an input can cause. */
export type Fault = Exclude<keyof Zeros, 'inputs' | 'verified' | 'examples'>

const FAULTS: Readonly<Record<Fault, string>> = {
  crashes: 'crashes',
  forgedCalls: 'handler calls without a valid signature',
  earlyStoreCalls: 'store calls before a valid signature',
  refusedVerified: '4xx to a verified delivery',
  wrongVerdicts: 'wrong verdicts',
  lateResponses: 'responses after 4.6 s',
  unhandled: 'unhandled rejections and exceptions',
}
const FAULT_NAMES = Object.keys(FAULTS) as readonly Fault[]
/** The time after which a response is late, in milliseconds. */
export const LATE_MS = 4600
const EXAMPLES = 5

/** Starts with all counts at 0. */
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

/** Counts a fault and keeps it as an example. */
export function count(zeros: Zeros, fault: Fault, about: string): void {
  zeros[fault]++
  if (zeros.examples.length < EXAMPLES) zeros.examples.push(`${FAULTS[fault]}: ${about}`)
}

/** The number of all faults. */
export function faultsOf(zeros: Zeros): number {
  return FAULT_NAMES.reduce((sum, name) => sum + zeros[name], 0)
}

/** The rows of a result, with a column per part. */
export function zeroRows(parts: readonly Zeros[]): readonly ResultRow[] {
  return [
    row('inputs', ...parts.map(({ inputs }) => inputs)),
    row('of these validly signed', ...parts.map(({ verified }) => verified)),
    ...FAULT_NAMES.map((name) => row(FAULTS[name], ...parts.map((part) => part[name]))),
  ]
}
