/** Runs the checks one after the other and collects their verdicts. */
import { AUTHENTICITY_CHECKS } from './authenticity-checks.js'
import { BODY_CHECKS } from './body-checks.js'
import type { Check, Verdict } from './check.js'
import { REPETITION_CHECKS } from './repetition-checks.js'
import type { Target } from './target.js'
import { ACCEPTANCE_CHECK, RESPONSE_CHECKS, TRANSPORT_CHECKS } from './transport-checks.js'

/** A check and its verdict. */
export interface Examined extends Verdict {
  readonly name: string
  /** The name of the first check with the same fix. One cause makes several checks fail. */
  readonly sameCauseAs?: string
}

/** Returns every check in the order in which it runs. `eventChecks` send known events instead of the probe. */
export function allChecks(eventChecks: readonly Check[]): readonly Check[] {
  return [
    ...TRANSPORT_CHECKS,
    ...AUTHENTICITY_CHECKS,
    ...BODY_CHECKS,
    ...REPETITION_CHECKS,
    ...eventChecks,
    ...RESPONSE_CHECKS,
  ]
}

const SKIPPED = 'skipped, because a correctly signed event does not get 200'

/** Examines an endpoint. Calls `onCheck` before each check and `onVerdict` after it. */
export async function examine(
  target: Target,
  checks: readonly Check[],
  hooks: { onCheck(name: string): void; onVerdict(examined: Examined): void },
): Promise<readonly Examined[]> {
  const all: Examined[] = []
  let accepts = true
  let foreign: string | undefined
  for (const check of checks) {
    hooks.onCheck(check.name)
    const verdict: Verdict =
      foreign !== undefined
        ? { status: 'skip', found: `skipped, because ${foreign} responds and not the endpoint` }
        : accepts || !check.needsAcceptance
          ? await check.run(target)
          : { status: 'skip', found: SKIPPED }
    if (check === ACCEPTANCE_CHECK && verdict.status === 'fail') accepts = false
    foreign ??= verdict.foreign
    const examined = { name: check.name, ...verdict, ...sameCause(all, verdict) }
    all.push(examined)
    hooks.onVerdict(examined)
    // Stop if nothing responds. Every further check would wait 5 s and report the same.
    if (!accepts && target.responses.every(({ status }) => status === undefined)) break
  }
  return all
}

function sameCause(earlier: readonly Examined[], { status, fix }: Verdict): Pick<Examined, 'sameCauseAs'> {
  const first = earlier.find((examined) => examined.status === status && examined.fix === fix)
  return status === 'fail' && first ? { sameCauseAs: first.name } : {}
}
