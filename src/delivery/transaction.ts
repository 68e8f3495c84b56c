/**
 * `context.transaction` of one handler's run: opens the store's transaction under the handler's checkpoint, once. Refuses a handler that
 * no checkpoint can stand for, and a second transaction: its handler would count as done from the first on.
 */

import { WebhookError } from '../errors.js'
import type { TransactionRequest } from '../stores/store.js'
import type { DeliveryContext } from '../types.js'
import type { HeldClaim } from './verified-event.js'

/** What a transactional store opens for one handler. */
export type OpenTransaction = (request: TransactionRequest) => Transact
type Transact = (...input: unknown[]) => Promise<unknown>

const NEEDS_NAME =
  'context.transaction marks its handler as done, so among several handlers of one event it needs a name: on(type, handler, { name }).'
const REPEATED =
  'context.transaction was called twice in one run of a handler. The first one marks the handler as done, so what comes after it could be lost with the process: put all writes into one, or into two handlers with a name each.'

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
    // Nothing was committed of a work that failed by itself, nor of one that was never called, so it may be tried again. Of a commit that
    // failed nobody can be sure.
    let mayHaveCommitted = false
    try {
      const watched = watch(work, (isFailed) => {
        mayHaveCommitted = !isFailed
      })
      const value = await open({ key, token, checkpoint })(watched, ...rest)
      completedHandlers.push(checkpoint)
      return value
    } catch (error) {
      isUsed = mayHaveCommitted
      throw error
    }
  }
  return Object.assign(context, { transaction })
}

/** The same work; tells when it is called, and when it throws or rejects. */
function watch(work: unknown, tell: (isFailed: boolean) => void): unknown {
  if (typeof work !== 'function') return work
  return (...input: unknown[]) => {
    tell(false)
    try {
      const result: unknown = work(...input)
      if (result instanceof Promise) result.catch(() => tell(true))
      return result
    } catch (error) {
      tell(true)
      throw error
    }
  }
}
