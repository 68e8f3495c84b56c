/** Checks of the same delivery more than once: GoValid sends it again when it did not hear the answer. */
import { type Check, fail, pass } from './check.js'
import { describe, mustTake } from './judge.js'

const COPIES = 5

/** In the order in which they run. */
export const REPETITION_CHECKS: readonly Check[] = [
  {
    name: 'A duplicate is answered 200',
    needsAcceptance: true,
    async run(target) {
      const payload = target.probe()
      await target.send(payload)
      return mustTake(
        await target.send(payload),
        'A duplicate is finished business: answer 200. Anything else counts as a failure, and five disable the webhook.',
      )
    },
  },
  {
    name: `${COPIES} copies at once: 200, or 503 until one is done`,
    needsAcceptance: true,
    async run(target) {
      const payload = target.probe()
      const responses = await Promise.all(Array.from({ length: COPIES }, () => target.send(payload)))
      const seen = responses.map(({ status }) => status ?? 'none').join(', ')
      const wrong = responses.find(({ status }) => status !== 200 && status !== 503)
      if (wrong)
        return fail(describe(wrong), 'Claim a delivery atomically: the first copy works, the others get 503 or 200.')
      if (!responses.some(({ status }) => status === 200))
        return fail(seen, 'One of the copies has to be worked and answered 200.')
      const later = mustTake(
        await target.send(payload),
        'Once the first copy is done, the others are duplicates: answer 200.',
      )
      return later.status === 'pass' ? pass(seen) : later
    },
  },
]
