/** Checks of repeated deliveries. GoValid sends a delivery again if the response didn't reach it. */
import { type Check, fail, pass } from './check.js'
import { describe, mustAccept } from './judge.js'

const COPIES = 5

/** The checks, in order. */
export const REPETITION_CHECKS: readonly Check[] = [
  {
    name: 'A duplicate gets 200',
    needsAcceptance: true,
    async run(target) {
      const payload = target.probe()
      await target.send(payload)
      return mustAccept(
        await target.send(payload),
        'Respond with 200 to a duplicate, because it was already processed. Any other status counts as a failed attempt, and five of them disable the webhook.',
      )
    },
  },
  {
    name: `${COPIES} simultaneous copies get 200, or 503 until one is processed`,
    needsAcceptance: true,
    async run(target) {
      const payload = target.probe()
      const responses = await Promise.all(Array.from({ length: COPIES }, () => target.send(payload)))
      const statuses = responses.map(({ status }) => status ?? 'none').join(', ')
      const wrong = responses.find(({ status }) => status !== 200 && status !== 503)
      if (wrong) {
        return fail(
          describe(wrong),
          'Claim a delivery atomically: process the first copy, and respond with 503 or 200 to the others.',
        )
      }
      if (!responses.some(({ status }) => status === 200)) {
        return fail(statuses, 'Process one of the copies and respond with 200 to it.')
      }
      const later = mustAccept(
        await target.send(payload),
        'After the first copy is processed, the others are duplicates. Respond with 200.',
      )
      return later.status === 'pass' ? pass(statuses) : later
    },
  },
]
