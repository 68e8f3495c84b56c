/** Judges answers: what has to be taken, and what has to be refused; each departure with its cure. */
import { plain } from '../terminal/paint.js'
import { outcomeOf, RESPONSE_MS, type WebhookResponse } from '../terminal/post.js'
import { fail, pass, type Verdict, warn } from './check.js'

const SLOW_MS = RESPONSE_MS / 2

/** An answer in a few words. */
export function describe(response: WebhookResponse): string {
  const { status, reason, location, tookMs } = response
  if (status === undefined) return plain(reason ?? 'no answer')
  const outcome = outcomeOf(response)
  const to = location === undefined ? '' : ` to ${plain(location, 80)}`
  return `${status}${outcome === undefined ? '' : ` ${outcome}`}${to} in ${Math.round(tookMs)} ms`
}

/** Judges the answer to what has to be taken; `cure` is for what is special about it. */
export function mustTake(response: WebhookResponse, fix?: string): Verdict {
  const { status, tookMs } = response
  if (status === 200) {
    if (tookMs <= SLOW_MS) return pass(describe(response))
    return warn(describe(response), 'GoValid gives up after 5 s: answer first, and work behind the answer.')
  }
  return fail(describe(response), fix ?? fixFor(response))
}

/** Judges the answer to what must not be taken: 4xx, at once. */
export function mustRefuse(response: WebhookResponse, danger: string): Verdict {
  const { status } = response
  if (status !== undefined && status >= 400 && status < 500) return pass(describe(response))
  if (status !== undefined && status < 300) return fail(describe(response), danger)
  return fail(
    describe(response),
    'Refuse it with 401. Something throws on what anybody can send, or sends it elsewhere.',
  )
}

/** The first of several verdicts that is worse than the others; they are of one kind. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  const order = ['fail', 'warn', 'pass', 'skip'] as const
  const found = order.flatMap((status) => verdicts.filter((verdict) => verdict.status === status))[0]
  return found ?? pass('nothing to judge')
}

function fixFor({ status, reason = '' }: WebhookResponse): string {
  if (status === undefined) return CERTIFICATE.test(reason) ? BAD_CERTIFICATE : NO_RESPONSE
  if (status >= 300 && status < 400)
    return 'Register the address it leads to: a redirect is no 200 and is not followed.'
  return CURES[status] ?? (status < 300 ? 'Answer exactly 200: GoValid promises to take nothing else.' : OTHER)
}

const CERTIFICATE = /CERT|SIGNATURE|SELF_SIGNED|TLS|SSL/
const BAD_CERTIFICATE =
  'The certificate is not one that a stranger trusts: renew it, send the whole chain, check the name in it.'
const NO_RESPONSE =
  'Look whether it runs and can be reached, and whether it answers before its work is done: GoValid waits 5 s.'
const OTHER =
  'Answer 200 to everything that is rightly signed, also to an event you do not handle; look into the server’s log.'

const CURES: Readonly<Record<number, string>> = {
  401: 'Either the secret here is not the endpoint’s, or the body is parsed before it is verified. `govalid-webhooks verify` tells which.',
  403: 'Something in front refuses it (a firewall, CSRF protection, basic auth): let POSTs to this path through.',
  404: 'Nothing answers at this path: compare it with the route.',
  405: 'The route does not take POST.',
  413: 'Raise the limit of the body to 1 MiB, in the server and in the proxy before it.',
  415: 'Take any content type: GoValid does not say which one it sends.',
  400: 'Answer 200 to everything that is rightly signed; take the event’s shape from the parsed body, not from a schema that refuses.',
  429: 'Take this path out of the rate limit.',
  500: 'Something throws: look into the server’s log. GoValid tries again, and disables the webhook after five failures.',
}
