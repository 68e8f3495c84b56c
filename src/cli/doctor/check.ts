/** What a check of an endpoint is: a name, what it does, and the verdicts it can come to. */
import type { Target } from './target.js'

/** What a check found. */
export interface Verdict {
  readonly status: 'pass' | 'warn' | 'fail' | 'skip'
  /** What was seen. */
  readonly found: string
  /** What to do about it. */
  readonly fix?: string
}

/** One check. */
export interface Check {
  /** What has to be so. */
  readonly name: string
  /** Whether it says nothing of an endpoint that refuses what is rightly signed. */
  readonly needsAcceptance: boolean
  run(target: Target): Promise<Verdict>
}

/** It is as it should be. */
export function pass(found: string): Verdict {
  return { status: 'pass', found }
}

/** It can be lived with. */
export function warn(found: string, fix: string): Verdict {
  return { status: 'warn', found, fix }
}

/** It costs events, or lets forgeries in. */
export function fail(found: string, fix: string): Verdict {
  return { status: 'fail', found, fix }
}
