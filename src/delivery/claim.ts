/**
 * Stage 5 of 8, claim: makes this receiver the only one that works the delivery. In: its key. Out: a held claim, or who has it.
 * Refuses nothing; says `busy`, `done`, or that the store did not answer as it should.
 */
import { andThen, type Clock, type Deadline, settleWithin } from '../clock.js'
import type { ClaimRequest, ClaimResult, MaybePromise, Store } from '../stores/store.js'
import type { Delivery } from '../types.js'

/** The longest any one store call may take, in milliseconds. */
export const STORE_CALL_MS = 1000
/** How long a claim holds without being renewed: less than the minute between two tries. */
export const LEASE_MS = 55_000
/** How long a platform is kept alive for a claim that is late, in milliseconds. */
const LATE_CLAIM_MS = 10_000
/** Claims that find the record busy sooner than this are copies of one try. */
const TRY_GAP_MS = 30_000

/** A delivery that this receiver works. */
export interface HeldClaim {
  readonly key: string
  readonly token: string
  readonly attempt: number
  readonly released: number
  /** Names of finished handlers: of earlier tries, and of this one as it goes on. */
  readonly handlersDone: string[]
  /** The store forgot another delivery before its time. */
  readonly isForgetting: boolean
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
  wanted: Pick<ClaimRequest, 'key' | 'token' | 'retainUntil' | 'rework'>,
  platform: Pick<Delivery, 'waitUntil'> = {},
): Claimed | Promise<Claimed> {
  const { key, token, retainUntil, rework = false } = wanted
  const request: ClaimRequest = { key, token, retainUntil, rework, leaseMs: LEASE_MS, tryGapMs: TRY_GAP_MS }
  let asked: MaybePromise<ClaimResult> | undefined
  const settled = settleWithin(clock, Math.min(STORE_CALL_MS, deadline.left()), () => {
    asked = store.claim(request)
    return asked
  })
  return andThen(settled, (answer) => {
    if (answer.status === 'value') return readResult(answer.value, key, token)
    if (answer.status === 'error') return { status: 'store_unavailable', error: answer.error }
    const givenBack = asked === undefined ? undefined : giveBackLate(store, clock, asked, { key, token })
    if (givenBack) platform.waitUntil?.(Promise.resolve(settleWithin(clock, LATE_CLAIM_MS, () => givenBack)))
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
    await settleWithin(clock, STORE_CALL_MS, () => store.release({ key, token, handlersDone: [], counted: false }))
  } catch {
    // No claim came of it: nothing to give back.
  }
}

function readResult(result: ClaimResult, key: string, token: string): Claimed {
  const given: Partial<Record<keyof Extract<ClaimResult, { status: 'claimed' }>, unknown>> | undefined = result
  if (given?.status === 'done') return { status: 'done' }
  const { status, attempt, released, handlersDone, isForgetting } = given ?? {}
  if (status === 'busy' && isCount(attempt)) return { status, attempt }
  if (status === 'claimed' && isCount(attempt) && isCount(released) && isListOfText(handlersDone)) {
    const done = [...handlersDone]
    return { status, claim: { key, token, attempt, released, handlersDone: done, isForgetting: isForgetting === true } }
  }
  return { status: 'store_corrupt', error: 'the store answered a claim with something that is no claim result' }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isListOfText(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
