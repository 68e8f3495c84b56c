/**
 * Stage 5 of 8, claim: makes this receiver the only one that works the delivery. In: its key. Out: a held claim, or who has it.
 * Refuses nothing; says `busy`, `done`, or that the store did not answer as it should.
 */
import { type Clock, type Deadline, withTimeout } from '../clock.js'
import type { MaybePromise } from '../maybe-promise.js'
import { andThen } from '../maybe-promise.js'
import type { ClaimRequest, ClaimResult, Store } from '../stores/store.js'
import type { Delivery } from '../types.js'

/** The longest any one store call may take, in milliseconds. */
export const STORE_CALL_MS = 1000
/** How long a claim holds without being renewed: less than the minute between two tries. */
export const LEASE_MS = 55_000
/** How long a platform is kept alive for a claim that is late, in milliseconds. */
const LATE_CLAIM_MS = 10_000
/** Claims that find the record busy sooner than this are copies of one try. */
const ATTEMPT_GAP_MS = 30_000

/** A delivery that this receiver works. */
export interface HeldClaim {
  readonly key: string
  readonly token: string
  readonly attempt: number
  readonly releasedAttempts: number
  /** Names of finished handlers: of earlier tries, and of this one as it goes on. */
  readonly completedHandlers: string[]
  /** The store forgot another delivery before its time. */
  readonly evictedEarly: boolean
}

/** What became of a claim. */
export type Claimed =
  | { readonly status: 'claimed'; readonly claim: HeldClaim }
  | { readonly status: 'busy'; readonly attempt: number }
  | { readonly status: 'done' }
  | { readonly status: 'store_unavailable' | 'store_corrupt'; readonly error: unknown }

/**
 * Claims a delivery within min(1 s, the time left). A claim answered later is released as soon as it comes, and not counted; the
 * platform is kept alive for that.
 */
export function claimDelivery(
  store: Store<unknown>,
  clock: Clock,
  deadline: Deadline,
  wanted: Pick<ClaimRequest, 'key' | 'token' | 'retainUntil' | 'reprocess'>,
  platform: Pick<Delivery, 'waitUntil'> = {},
): Claimed | Promise<Claimed> {
  const { key, token, retainUntil, reprocess = false } = wanted
  const request: ClaimRequest = { key, token, retainUntil, reprocess, leaseMs: LEASE_MS, attemptGapMs: ATTEMPT_GAP_MS }
  let asked: MaybePromise<ClaimResult> | undefined
  const settled = withTimeout(clock, Math.min(STORE_CALL_MS, deadline.left()), () => {
    asked = store.claim(request)
    return asked
  })
  return andThen(settled, (response) => {
    if (response.status === 'value') return readResult(response.value, key, token)
    if (response.status === 'error') return { status: 'store_unavailable', error: response.error }
    const givenBack = asked === undefined ? undefined : giveBackLate(store, clock, asked, { key, token })
    if (givenBack) platform.waitUntil?.(Promise.resolve(withTimeout(clock, LATE_CLAIM_MS, () => givenBack)))
    return { status: 'store_unavailable', error: 'the claim was not answered in time' }
  })
}

/** Never rejects. Should the release fail too, the lease ends before the sender's next try. */
async function giveBackLate(
  store: Store<unknown>,
  clock: Clock,
  asked: MaybePromise<ClaimResult>,
  { key, token }: Pick<ClaimRequest, 'key' | 'token'>,
): Promise<void> {
  try {
    const result: Partial<ClaimResult> | undefined = await asked
    if (result?.status !== 'claimed') return
    await withTimeout(clock, STORE_CALL_MS, () => store.release({ key, token, completedHandlers: [], counted: false }))
  } catch {
    // No claim came of it: nothing to give back.
  }
}

function readResult(result: ClaimResult, key: string, token: string): Claimed {
  const given: Partial<Record<keyof Extract<ClaimResult, { status: 'claimed' }>, unknown>> | undefined = result
  if (given?.status === 'done') return { status: 'done' }
  const { status, attempt, releasedAttempts, completedHandlers, evictedEarly } = given ?? {}
  if (status === 'busy' && isCount(attempt)) return { status, attempt }
  if (status === 'claimed' && isCount(attempt) && isCount(releasedAttempts) && isListOfText(completedHandlers)) {
    const done = [...completedHandlers]
    return {
      status,
      claim: {
        key,
        token,
        attempt,
        releasedAttempts,
        completedHandlers: done,
        evictedEarly: evictedEarly === true,
      },
    }
  }
  return { status: 'store_corrupt', error: 'the store answered a claim with something that is no claim result' }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isListOfText(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
