/**
 * Part of stage 6: `context.transaction` of one handler run. Opens the store's transaction under the handler's checkpoint, once. Refuses a
 * handler that has no checkpoint, and a second transaction: the first one already marks the handler as finished.
 */

import { WebhookError } from '../errors.js'
import { isPromiseLike } from '../maybe-promise.js'
import type { TransactionRequest } from '../stores/store.js'
import type { DeliveryContext } from '../types.js'
import type { HeldClaim } from './verified-event.js'

/** Opens the transaction of one handler in a transactional store. */
export type OpenTransaction = (request: TransactionRequest) => Transact
type Transact = (...input: unknown[]) => Promise<unknown>

const NEEDS_NAME =
  'context.transaction marks its handler as finished, so a handler that isn’t the only one of its event needs a name: on(type, handler, { name }).'
const REPEATED =
  'context.transaction was called twice in one run of a handler. The first call marks the handler as finished, so a crash could lose the writes of the second. Put all writes into one transaction, or into two handlers with different names.'

/** The context of one handler in a transactional store. */
export function withTransaction(
  context: DeliveryContext,
  { key, token, completedHandlers }: HeldClaim,
  checkpoint: string | undefined,
  open: OpenTransaction,
): DeliveryContext & { readonly transaction: Transact } {
  let isUsed = false
  const transaction: Transact = async (work, ...rest) => {
    if (checkpoint === undefined) throw new WebhookError('transaction_needs_name', NEEDS_NAME)
    if (isUsed) throw new WebhookError('transaction_repeated', REPEATED)
    isUsed = true
    // If the user's function failed or was never called, nothing was committed and it may be started again. If the commit itself failed, the
    // result is unknown.
    let mayHaveCommitted = false
    try {
      const watched = watch(work, (isFailed) => {
        mayHaveCommitted = !isFailed
      })
      const run = (await (open({ key, token, checkpoint }) as unknown)) as Transact
      const value = await run(watched, ...rest)
      completedHandlers.push(checkpoint)
      return value
    } catch (error) {
      isUsed = mayHaveCommitted
      throw error
    }
  }
  return Object.assign(context, { transaction })
}

/** Wraps the user's function: reports when it is called, and when it throws or rejects. */
function watch(work: unknown, notify: (isFailed: boolean) => void): unknown {
  if (typeof work !== 'function') return work
  return (...input: unknown[]) => {
    notify(false)
    try {
      const result: unknown = work(...input)
      if (isPromiseLike(result)) result.then(undefined, () => notify(true))
      return result
    } catch (error) {
      notify(true)
      throw error
    }
  }
}
