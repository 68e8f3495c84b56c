/**
 * Stage 5 of 8, claim: makes this receiver the only one that processes the delivery. In: a verified event. Out: a held claim, or who
 * holds it. Refuses nothing: it returns `busy`, `done`, or that the store didn't respond as it should.
 */
import { monotonicMs, withTimeout } from '../clock.js'
import { isWebhookError } from '../errors.js'
import { andThen, type MaybePromise } from '../maybe-promise.js'
import { keepAlive } from '../receiver/keep-alive.js'
import type { ClaimRequest, ClaimResult } from '../stores/store.js'
import { callTimeLeft } from './attempt-budget.js'
import { LEASE_MS } from './lease.js'
import { LATE } from './messages.js'
import { type HeldClaim, MAX_CALL_MS, type Services, type VerifiedEvent } from './verified-event.js'

/** How long the platform is kept alive for a claim that arrives late, in milliseconds. */
const LATE_CLAIM_MS = 10_000
/** A claim that finds the record busy sooner than this is a copy of the same attempt. */
const ATTEMPT_GAP_MS = 30_000

/** The store may change the request that it gets, so the claim keeps these itself. */
type Owner = Pick<ClaimRequest, 'key' | 'token'>

/** The result of a claim. */
export type Claimed =
  | { readonly status: 'claimed'; readonly claim: HeldClaim }
  | { readonly status: 'busy'; readonly attempt: number }
  | { readonly status: 'done' }
  | { readonly status: 'store_unavailable' | 'store_corrupt' | 'overloaded'; readonly error: unknown }

/**
 * Claims a delivery in the time before the response. A claim that arrives later is released immediately and not counted; the platform is
 * kept alive for the release. Never rejects.
 */
export function claimDelivery(services: Services, event: VerifiedEvent): Claimed | Promise<Claimed> {
  const { store, settings } = services
  const { delivery } = event
  const waitMs = callTimeLeft(services, event)
  const askedAt = monotonicMs(settings.clock)
  const { key } = event
  const token = services.newToken()
  const owner = { key, token }
  const request = toRequest(event, token, waitMs)
  let claiming: MaybePromise<ClaimResult> | undefined
  const claimed = withTimeout(settings.clock, waitMs, () => {
    claiming = store.claim(request)
    return claiming
  })
  return andThen(claimed, (result) => {
    if (result.status === 'value') return readResult(result.value, owner, askedAt)
    if (result.status === 'error') return { status: unavailableCode(result.error), error: result.error }
    if (claiming !== undefined) {
      const released = releaseLate(services, claiming, owner)
      keepAlive(delivery, Promise.resolve(withTimeout(settings.clock, LATE_CLAIM_MS, () => released)))
    }
    return { status: 'store_unavailable', error: LATE.claim }
  })
}

function unavailableCode(error: unknown): 'overloaded' | 'store_unavailable' {
  return isWebhookError(error) && error.code === 'overloaded' ? 'overloaded' : 'store_unavailable'
}

function toRequest(event: VerifiedEvent, token: string, waitMs: number): ClaimRequest {
  return {
    key: event.key,
    token,
    retainUntil: event.retainUntil,
    reprocess: event.origin.from === 'quarantine',
    leaseMs: LEASE_MS,
    waitMs,
    attemptGapMs: ATTEMPT_GAP_MS,
  }
}

/** Never rejects. If the release fails as well, the lease expires before the sender's next attempt. */
async function releaseLate(
  { store, settings }: Services,
  claiming: MaybePromise<ClaimResult>,
  { key, token }: Owner,
): Promise<void> {
  try {
    const result: Partial<ClaimResult> | undefined = await claiming
    if (result?.status !== 'claimed') return
    const release = () => store.release({ key, token, completedHandlers: [], counted: false, waitMs: MAX_CALL_MS })
    await withTimeout(settings.clock, MAX_CALL_MS, release)
  } catch {
    // The claim failed, so there is nothing to release.
  }
}

function readResult(result: ClaimResult, owner: Owner, confirmedAt: number): Claimed {
  try {
    return readFields(result, owner, confirmedAt)
  } catch (error) {
    return { status: 'store_corrupt', error }
  }
}

function readFields(result: Partial<ClaimResult>, { key, token }: Owner, confirmedAt: number): Claimed {
  const fields: Partial<Record<keyof Extract<ClaimResult, { status: 'claimed' }>, unknown>> | undefined = result
  if (fields?.status === 'done') return { status: 'done' }
  const { status, attempt, releasedAttempts, completedHandlers: names, evictedEarly } = fields ?? {}
  if (status === 'busy' && isCount(attempt)) return { status, attempt }
  if (status === 'claimed' && isCount(attempt) && isCount(releasedAttempts) && isListOfText(names)) {
    const claim = {
      key,
      token,
      attempt,
      releasedAttempts,
      completedHandlers: [...names],
      evictedEarly: evictedEarly === true,
      confirmedAt,
    }
    return { status, claim }
  }
  return { status: 'store_corrupt', error: 'the store returned something that is not a claim result' }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isListOfText(value: unknown): value is readonly string[] {
  return Array.isArray(value) && Array.from(value).every((item) => typeof item === 'string')
}
