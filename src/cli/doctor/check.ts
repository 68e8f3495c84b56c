/** The types of a check of an endpoint: its name, its run and its verdicts. */
import type { Target } from './target.js'

/** The result of a check. */
export interface Verdict {
  readonly status: 'pass' | 'warn' | 'fail' | 'skip'
  /** What the endpoint did. */
  readonly found: string
  /** How to fix it. */
  readonly fix?: string
  /** The source of the response, if it isn't the endpoint's. Further checks would judge that source. */
  readonly foreign?: string
}

/** One check of an endpoint. */
export interface Check {
  /** The expectation, as a sentence. */
  readonly name: string
  /** Whether the check is meaningless for an endpoint that refuses correctly signed events. */
  readonly needsAcceptance: boolean
  run(target: Target): Promise<Verdict>
}

/** The endpoint met the expectation. */
export function pass(found: string): Verdict {
  return { status: 'pass', found }
}

/** The endpoint should do better, but it loses no events and accepts no forgeries. */
export function warn(found: string, fix: string): Verdict {
  return { status: 'warn', found, fix }
}

/** The endpoint loses events or accepts forgeries. */
export function fail(found: string, fix: string): Verdict {
  return { status: 'fail', found, fix }
}
