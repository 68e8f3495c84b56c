/** The fix for each response that GoValid counts as a failure. `doctor` and `send` print it. */
import { foreignSourceOf, type Received } from './foreign-response.js'
import { outcomeOf, type WebhookResponse } from './post.js'

/** Returns the general fix for the response to a correctly signed event. */
export function fixFor(response: Received & Pick<WebhookResponse, 'reason'>): string {
  const { status, reason = '', text } = response
  if (status === undefined) return CERTIFICATE.test(reason) ? BAD_CERTIFICATE : NO_RESPONSE
  const foreign = foreignSourceOf(response)
  if (foreign) return foreign.fix
  const [, code] = /^\{"status":"refused","code":"([a-z_]{1,40})"\}/.exec(text) ?? []
  if (code !== undefined) return `Run: npx govalid-webhooks explain ${code}`
  const ownFix = OUTCOME_FIXES[outcomeOf(response) ?? '']
  if (status >= 500 && ownFix !== undefined) return ownFix
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

/** Fixes for the outcomes of a receiver of this package. */
const OUTCOME_FIXES: Readonly<Record<string, string>> = {
  busy: 'Another copy of this delivery is being processed. GoValid retries, and the retry is a duplicate.',
  unfinished:
    'The handlers ran longer than 4.5 s. They continue, and the retry is a duplicate. Use an inbox for long handlers.',
  unavailable:
    "The store, the inbox or the secret function did not respond, or the receiver is closing. The server's log has the code.",
  failed: "A handler threw. The server's log shows its error. GoValid retries, and the last attempt is quarantined.",
}

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
