/**
 * Stage 5 of 8, claim: makes this receiver the only one that processes the delivery. In: a verified event. Out: a held claim, or who
 * holds it. Refuses nothing: it returns `busy`, `done`, or that the store didn't respond as it should.
 */
import { withTimeout } from '../clock.js'
import { andThen, type MaybePromise } from '../maybe-promise.js'
import type { ClaimRequest, ClaimResult } from '../stores/store.js'
import { LEASE_MS } from './lease.js'
import { LATE } from './messages.js'
import { type HeldClaim, type Services, STORE_CALL_MS, type VerifiedEvent } from './verified-event.js'

/** How long the platform is kept alive for a claim that arrives late, in milliseconds. */
const LATE_CLAIM_MS = 10_000
/** A claim that finds the record busy sooner than this is a copy of the same attempt. */
const ATTEMPT_GAP_MS = 30_000

/** The result of a claim. */
export type Claimed =
  | { readonly status: 'claimed'; readonly claim: HeldClaim }
  | { readonly status: 'busy'; readonly attempt: number }
  | { readonly status: 'done' }
  | { readonly status: 'store_unavailable' | 'store_corrupt'; readonly error: unknown }

/**
 * Claims a delivery within min(1 s, the time left). A claim that arrives later is released immediately and not counted; the platform is
 * kept alive for the release. Never rejects.
 */
export function claimDelivery(services: Services, event: VerifiedEvent): Claimed | Promise<Claimed> {
  const { store, settings } = services
  const { deadline, delivery } = event
  const request = toRequest(services, event)
  let claiming: MaybePromise<ClaimResult> | undefined
  const claimed = withTimeout(settings.clock, Math.min(STORE_CALL_MS, deadline.left()), () => {
    claiming = store.claim(request)
    return claiming
  })
  return andThen(claimed, (result) => {
    if (result.status === 'value') return readResult(result.value, request)
    if (result.status === 'error') return { status: 'store_unavailable', error: result.error }
    if (claiming !== undefined) {
      const released = releaseLate(services, claiming, request)
      delivery.waitUntil?.(Promise.resolve(withTimeout(settings.clock, LATE_CLAIM_MS, () => released)))
    }
    return { status: 'store_unavailable', error: LATE.claim }
  })
}

function toRequest(services: Services, event: VerifiedEvent): ClaimRequest {
  return {
    key: event.key,
    token: services.newToken(),
    retainUntil: event.retainUntil,
    reprocess: event.origin.from === 'quarantine',
    leaseMs: LEASE_MS,
    attemptGapMs: ATTEMPT_GAP_MS,
  }
}

/** Never rejects. If the release fails as well, the lease expires before the sender's next attempt. */
async function releaseLate(
  { store, settings }: Services,
  claiming: MaybePromise<ClaimResult>,
  { key, token }: ClaimRequest,
): Promise<void> {
  try {
    const result: Partial<ClaimResult> | undefined = await claiming
    if (result?.status !== 'claimed') return
    const release = () => store.release({ key, token, completedHandlers: [], counted: false })
    await withTimeout(settings.clock, STORE_CALL_MS, release)
  } catch {
    // The claim failed, so there is nothing to release.
  }
}

function readResult(result: ClaimResult, { key, token }: ClaimRequest): Claimed {
  const fields: Partial<Record<keyof Extract<ClaimResult, { status: 'claimed' }>, unknown>> | undefined = result
  if (fields?.status === 'done') return { status: 'done' }
  const { status, attempt, releasedAttempts, completedHandlers: names, evictedEarly } = fields ?? {}
  if (status === 'busy' && isCount(attempt)) return { status, attempt }
  if (status === 'claimed' && isCount(attempt) && isCount(releasedAttempts) && isListOfText(names)) {
    const completedHandlers = [...names]
    const claim = { key, token, attempt, releasedAttempts, completedHandlers, evictedEarly: evictedEarly === true }
    return { status, claim }
  }
  return { status: 'store_corrupt', error: 'the store returned something that is not a claim result' }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isListOfText(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
