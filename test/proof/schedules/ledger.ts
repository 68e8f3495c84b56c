/** Records at the store which token holds each delivery until when. Detects two holders at once, and changes by a late owner. */
import type { Clock, Store } from '../../../src/index.js'

/** The store's results for one delivery. */
export interface Account {
  /** The token that holds the delivery, if any. */
  holder?: string
  leaseUntil: number
  /** How the delivery was finished, if it was. */
  done?: 'completed' | 'quarantined'
  /** The token that finished it. */
  doneBy?: string
  /** The number of claims that replaced a holder whose lease had expired. */
  taken: number
}

/** The accounts by key. */
export type Ledger = ReadonlyMap<string, Account>

/** Wraps a store in a ledger. `wrong` is called with every violation. */
export function bookkeeping(inner: Store, clock: Clock, wrong: (what: string) => void) {
  const ledger = new Map<string, Account>()
  const accountOf = (key: string): Account => {
    const account = ledger.get(key) ?? { leaseUntil: 0, taken: 0 }
    ledger.set(key, account)
    return account
  }
  /** Checks the result of a call by a token, and applies its change. */
  const check = (key: string, token: string, call: string, isDone: boolean, change: (account: Account) => void) => {
    const account = accountOf(key)
    const isHolder = account.holder === token
    const isRepeated = call === 'complete' && account.doneBy === token
    if (isDone !== (isHolder || isRepeated))
      wrong(`${call} returned ${isDone}${isHolder ? '' : ' to a token without the claim'}`)
    if (isDone && isHolder) change(account)
    return isDone
  }
  const store: Store = {
    async claim(request) {
      const result = await inner.claim(request)
      const account = accountOf(request.key)
      if (result.status === 'done' && !account.done) wrong('a claim returned done before any completion')
      if (result.status !== 'claimed') return result
      if (account.done) wrong('a finished delivery was claimed again')
      const isTaken = account.holder !== undefined && account.holder !== request.token
      if (isTaken && account.leaseUntil > clock.now()) wrong('two tokens held a delivery at once')
      if (isTaken) account.taken++
      Object.assign(account, { holder: request.token, leaseUntil: clock.now() + request.leaseMs })
      return result
    },
    async renew(request) {
      const isDone = await inner.renew(request)
      return check(request.key, request.token, 'renew', isDone, (account) => {
        account.leaseUntil = clock.now() + request.leaseMs
      })
    },
    async complete(request) {
      const isDone = await inner.complete(request)
      return check(request.key, request.token, 'complete', isDone, (account) => {
        delete account.holder
        account.done = request.quarantined ? 'quarantined' : 'completed'
        account.doneBy = request.token
      })
    },
    async release(request) {
      const isDone = await inner.release(request)
      return check(request.key, request.token, 'release', isDone, (account) => {
        delete account.holder
      })
    },
  }
  return { store, ledger: ledger as Ledger }
}
