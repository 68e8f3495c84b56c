/** Checks that the endpoint accepts every correctly signed body, however unusual. */
import type { WebhookResponse } from '../terminal/post.js'
import { type Check, fail, pass, type Verdict } from './check.js'
import { describe, mustAccept } from './judge.js'
import type { Target } from './target.js'

const NOT_RAW =
  'The body is decoded or parsed before it is verified. Verify the bytes as they came from the socket, then parse them.'
const LARGE_BYTES = 512 * 1024
const RETRY_AGE_MS = 81 * 60 * 1000

function check(body: string, create: (target: Target) => object | string | Uint8Array, fix?: string): Check {
  return {
    name: `${body} gets 200`,
    needsAcceptance: true,
    run: async (target) => mustAccept(await target.send(create(target)), fix),
  }
}

/** Accepts 200 and 4xx for an unreadable body. A 5xx makes GoValid send it five times and then disable the webhook. */
function judgeUnreadable(response: WebhookResponse): Verdict {
  const { status } = response
  if (status === 200 || (status !== undefined && status >= 400 && status < 500)) return pass(describe(response))
  return fail(
    describe(response),
    'A retry cannot make the body readable. Save it and respond with 200, or five failed attempts disable the webhook.',
  )
}

/** The checks, in order. */
export const BODY_CHECKS: readonly Check[] = [
  check(
    'Non-ASCII text',
    (target) => target.probe({ data: { title: 'Sertifikat “Kopi Gayo” ☕ café 認証' } }),
    NOT_RAW,
  ),
  check('JSON in another format (spaces, \\u escapes, 10.0)', reformattedProbe, NOT_RAW),
  check('A body with a byte order mark', (target) => `\uFEFF${JSON.stringify(target.probe())}`, NOT_RAW),
  check(
    'A body of 512 KiB',
    (target) => target.probe({ data: { mark: target.mark, filler: 'x'.repeat(LARGE_BYTES) } }),
    "Raise the body limit of the server and of any proxy to 1 MiB, because an event's metadata can be large.",
  ),
  check('An event without data', (target) => target.probe({ data: undefined })),
  check('An event with undocumented fields', (target) => target.probe({ delivery_id: 'd-1', attempt: 1, data: [] })),
  check(
    'A retry with a timestamp 81 minutes old',
    (target) => target.probe({ timestamp: new Date(Date.now() - RETRY_AGE_MS).toISOString() }),
    'Accept timestamps that are at least 81 minutes old, because GoValid makes its fifth attempt that late. A tolerance of five minutes loses retries and disables the webhook.',
  ),
  {
    name: 'A signed body that is not JSON does not get 5xx',
    needsAcceptance: true,
    run: async (target) => judgeUnreadable(await target.send(`not JSON, ${target.mark}`)),
  },
  {
    name: 'A signed empty body does not get 5xx',
    needsAcceptance: true,
    run: async (target) => judgeUnreadable(await target.send('')),
  },
]

function reformattedProbe(target: Target): string {
  const { event, timestamp } = target.probe()
  return `{"event": "${event}",  "timestamp" : "${timestamp}", "webhook_id": "wh-doctor", "data": {"amount": 10.0, "title": "caf\\u00e9 \\/", "mark": "${target.mark}"}}`
}
