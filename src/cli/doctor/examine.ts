/** Runs the checks one after the other, and says what they come to. */
import { AUTHENTICITY_CHECKS } from './authenticity-checks.js'
import { BODY_CHECKS } from './body-checks.js'
import type { Check, Verdict } from './check.js'
import { REPETITION_CHECKS } from './repetition-checks.js'
import type { Target } from './target.js'
import { RESPONSE_CHECKS, TRANSPORT_CHECKS } from './transport-checks.js'

/** What a check came to. */
export interface Examined extends Verdict {
  readonly name: string
}

/** Every check in the order in which they run; `more` send something else than the probe. */
export function allChecks(more: readonly Check[]): readonly Check[] {
  return [
    ...TRANSPORT_CHECKS,
    ...AUTHENTICITY_CHECKS,
    ...BODY_CHECKS,
    ...REPETITION_CHECKS,
    ...more,
    ...RESPONSE_CHECKS,
  ]
}

const NOT_ACCEPTED = 'not looked at: a rightly signed event is not answered 200'

/** Examines a target; `onCheck` is called before each check, `onVerdict` after it. */
export async function examine(
  target: Target,
  checks: readonly Check[],
  hooks: { onCheck(name: string): void; onVerdict(examined: Examined): void },
): Promise<readonly Examined[]> {
  const all: Examined[] = []
  let accepts = true
  for (const check of checks) {
    hooks.onCheck(check.name)
    const verdict: Verdict =
      accepts || !check.needsAcceptance ? await check.run(target) : { status: 'skip', found: NOT_ACCEPTED }
    if (check === TRANSPORT_CHECKS[1] && verdict.status === 'fail') accepts = false
    const examined = { name: check.name, ...verdict }
    all.push(examined)
    hooks.onVerdict(examined)
    // Nothing answers there: every further check would say the same, 5 s later.
    if (!accepts && target.responses.every(({ status }) => status === undefined)) break
  }
  return all
}
