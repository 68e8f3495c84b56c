/** Judges a response: whether the endpoint accepted or refused the request as it must, and how to fix it if it didn't. */
import { fixFor } from '../terminal/fix-for.js'
import { foreignSourceOf } from '../terminal/foreign-response.js'
import { plain } from '../terminal/paint.js'
import { outcomeOf, RESPONSE_MS, type WebhookResponse } from '../terminal/post.js'
import { fail, pass, type Verdict, warn } from './check.js'
import { frameworkFixFor } from './framework-hints.js'

const SLOW_MS = RESPONSE_MS / 2

/** Describes a response in a few words. */
export function describe(response: WebhookResponse): string {
  const { status, reason, location, tookMs } = response
  if (status === undefined) return plain(reason ?? 'no response')
  const outcome = outcomeOf(response)
  const to = location === undefined ? '' : ` to ${plain(location, 80)}`
  return `${status}${outcome === undefined ? '' : ` ${outcome}`}${to} in ${Math.round(tookMs)} ms`
}

/** Judges the response to a request that must get 200. `fix` replaces the general fix for the status. */
export function mustAccept(response: WebhookResponse, fix?: string): Verdict {
  const { status, tookMs } = response
  const foreign = foreignSourceOf(response)
  if (foreign) {
    const found = `${describe(response)}, from ${foreign.source} and not from the endpoint`
    return { ...fail(found, foreign.fix), foreign: foreign.source }
  }
  if (status === 200) {
    if (tookMs <= SLOW_MS) return pass(describe(response))
    return warn(describe(response), 'Respond first and process the event afterwards. GoValid stops waiting after 5 s.')
  }
  return fail(describe(response), frameworkFixFor(response) ?? fix ?? fixFor(response))
}

/** Judges the response to a request that must get 4xx. `danger` describes what an accepted request would mean. */
export function mustRefuse(response: WebhookResponse, danger: string): Verdict {
  const { status } = response
  if (status !== undefined && status >= 400 && status < 500) return pass(describe(response))
  if (status !== undefined && status < 300) return fail(describe(response), danger)
  return fail(
    describe(response),
    'Refuse the request with 401. The endpoint throws or redirects for a request that anyone can send.',
  )
}

/** Returns the worst of several verdicts. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  const order = ['fail', 'warn', 'pass', 'skip'] as const
  const found = order.flatMap((status) => verdicts.filter((verdict) => verdict.status === status))[0]
  return found ?? pass('nothing to judge')
}
