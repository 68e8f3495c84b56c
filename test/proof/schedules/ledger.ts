// Writes down, at the store, who holds which delivery until when; and sees at once when two hold it, or when a late owner changes something.
import type { Clock, Store } from '../../../src/index.js'

/** What the store has done for one delivery. */
export interface Account {
  /** The token that holds it; absent when nobody does. */
  holder?: string
  leaseUntil: number
  /** It is finished, in quarantine or not. */
  done?: 'completed' | 'quarantined'
  /** Who finished it. */
  doneBy?: string
  /** Claims that took it from another whose lease was over. */
  taken: number
}

/** The accounts by key. */
export type Ledger = ReadonlyMap<string, Account>

/** A store that is written down; `wrong` is told what must not be. */
export function bookkeeping(inner: Store, clock: Clock, wrong: (what: string) => void) {
  const ledger = new Map<string, Account>()
  const accountOf = (key: string): Account => {
    const account = ledger.get(key) ?? { leaseUntil: 0, taken: 0 }
    ledger.set(key, account)
    return account
  }
  /** What a call by a token may answer, and what it does then. */
  const settle = (key: string, token: string, call: string, took: boolean, change: (account: Account) => void) => {
    const account = accountOf(key)
    const isHolder = account.holder === token
    const isRepeated = call === 'complete' && account.doneBy === token
    if (took !== (isHolder || isRepeated))
      wrong(`${call} answered ${took}${isHolder ? '' : ' to one who does not hold it'}`)
    if (took && isHolder) change(account)
    return took
  }
  const store: Store = {
    async claim(request) {
      const result = await inner.claim(request)
      const account = accountOf(request.key)
      if (result.status === 'done' && !account.done) wrong('claim said done before anybody was')
      if (result.status !== 'claimed') return result
      if (account.done) wrong('what was done was claimed again')
      const isTaken = account.holder !== undefined && account.holder !== request.token
      if (isTaken && account.leaseUntil > clock.now()) wrong('two held a delivery at once')
      if (isTaken) account.taken++
      Object.assign(account, { holder: request.token, leaseUntil: clock.now() + request.leaseMs })
      return result
    },
    async renew(request) {
      const took = await inner.renew(request)
      return settle(request.key, request.token, 'renew', took, (account) => {
        account.leaseUntil = clock.now() + request.leaseMs
      })
    },
    async complete(request) {
      const took = await inner.complete(request)
      return settle(request.key, request.token, 'complete', took, (account) => {
        delete account.holder
        account.done = request.quarantined ? 'quarantined' : 'completed'
        account.doneBy = request.token
      })
    },
    async release(request) {
      const took = await inner.release(request)
      return settle(request.key, request.token, 'release', took, (account) => {
        delete account.holder
      })
    },
  }
  return { store, ledger: ledger as Ledger }
}
