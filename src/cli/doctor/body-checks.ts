/** Checks that every body that is rightly signed is taken, whatever it looks like. */
import type { WebhookResponse } from '../terminal/post.js'
import { type Check, fail, pass, type Verdict } from './check.js'
import { describe, mustTake } from './judge.js'
import type { Target } from './target.js'

const RAW =
  'The body is decoded or parsed before it is verified. Verify the bytes as they came from the socket, then parse.'
const LARGE_BYTES = 512 * 1024
const RETRY_AGE_MS = 81 * 60 * 1000

function check(name: string, make: (target: Target) => object | string | Uint8Array, fix?: string): Check {
  return {
    name,
    needsAcceptance: true,
    run: async (target) => mustTake(await target.send(make(target)), fix),
  }
}

/** What cannot be read can be answered 200 or 4xx, but not 5xx: it would be tried five times, and then the webhook is disabled. */
function judgeUnreadable(response: WebhookResponse): Verdict {
  const { status } = response
  if (status === 200 || (status !== undefined && status >= 400 && status < 500)) return pass(describe(response))
  return fail(
    describe(response),
    'No other try makes it readable: answer 200 and keep it aside, or five failures disable the webhook.',
  )
}

/** In the order in which they run. */
export const BODY_CHECKS: readonly Check[] = [
  check(
    'Letters beyond ASCII',
    (target) => target.probe({ data: { title: 'Sertifikat “Kopi Gayo” ☕ café 認証' } }),
    RAW,
  ),
  check('JSON printed otherwise: blanks, \\u escapes, 10.0', spacedProbe, RAW),
  check('A byte order mark', (target) => `\uFEFF${JSON.stringify(target.probe())}`, RAW),
  check(
    'A body of 512 KiB',
    (target) => target.probe({ data: { mark: target.mark, filler: 'x'.repeat(LARGE_BYTES) } }),
    'Raise the limit of the body to 1 MiB, in the server and in the proxy before it: an event’s metadata can be large.',
  ),
  check('An event without data', (target) => target.probe({ data: undefined })),
  check('An event with members nobody documented', (target) =>
    target.probe({ delivery_id: 'd-1', attempt: 1, data: [] }),
  ),
  check(
    'A retry: a timestamp 81 minutes old',
    (target) => target.probe({ timestamp: new Date(Date.now() - RETRY_AGE_MS).toISOString() }),
    'GoValid’s fifth try comes up to 81 minutes after the event. Tolerate at least that; a tolerance of five minutes loses retries and disables the webhook.',
  ),
  {
    name: 'Signed, but no JSON: no 5xx',
    needsAcceptance: true,
    run: async (target) => judgeUnreadable(await target.send(`no JSON, ${target.mark}`)),
  },
  {
    name: 'Signed, but empty: no 5xx',
    needsAcceptance: true,
    run: async (target) => judgeUnreadable(await target.send('')),
  },
]

function spacedProbe(target: Target): string {
  const { event, timestamp } = target.probe()
  return `{"event": "${event}",  "timestamp" : "${timestamp}", "webhook_id": "wh-doctor", "data": {"amount": 10.0, "title": "caf\\u00e9 \\/", "mark": "${target.mark}"}}`
}
