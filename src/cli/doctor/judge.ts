/** Judges a response: whether the endpoint accepted or refused the request as it must, and how to fix it if it didn't. */
import { plain } from '../terminal/paint.js'
import { outcomeOf, RESPONSE_MS, type WebhookResponse } from '../terminal/post.js'
import { fail, pass, type Verdict, warn } from './check.js'

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
  if (status === 200) {
    if (tookMs <= SLOW_MS) return pass(describe(response))
    return warn(describe(response), 'Respond first and process the event afterwards. GoValid stops waiting after 5 s.')
  }
  return fail(describe(response), fix ?? fixFor(response))
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

function fixFor({ status, reason = '' }: WebhookResponse): string {
  if (status === undefined) return CERTIFICATE.test(reason) ? BAD_CERTIFICATE : NO_RESPONSE
  if (status >= 300 && status < 400) return 'Register the target of the redirect. GoValid does not follow redirects.'
  return FIXES[status] ?? (status < 300 ? 'Respond with exactly 200. GoValid documents no other success.' : OTHER)
}

const CERTIFICATE = /CERT|SIGNATURE|SELF_SIGNED|TLS|SSL/
const BAD_CERTIFICATE =
  'The certificate is not trusted. Renew it, send the whole chain, and make sure that it contains the host name.'
const NO_RESPONSE =
  'Make sure that the server runs and can be reached, and that it responds before slow work is done. GoValid waits 5 s.'
const OTHER =
  "Respond with 200 to every correctly signed event, even to events that you don't handle. The server's log shows the cause."

const FIXES: Readonly<Record<number, string>> = {
  400: "Respond with 200 to every correctly signed event, even if the event doesn't match your schema.",
  401: "The secret here differs from the endpoint's secret, or the body is parsed before it is verified. Run `govalid-webhooks verify` to find out.",
  403: 'A firewall, CSRF protection or basic auth refuses the request. Exempt POST requests to this path.',
  404: 'Nothing is mounted at this path. Compare the URL with the route.',
  405: 'The route does not accept POST. Register it for POST requests.',
  413: 'Raise the body limit of the server and of any proxy to 1 MiB.',
  415: 'Accept any content type. GoValid does not document the type that it sends.',
  429: 'Exempt this path from the rate limit.',
  500: "The endpoint throws. The server's log shows the error. GoValid retries and disables the webhook after five failed attempts.",
}
