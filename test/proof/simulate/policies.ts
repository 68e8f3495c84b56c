/**
 * Wrong policies that lose, double or waste events. Each is the real core with one broken rule, so that the checker can show that it
 * detects the fault. `broken` names the faults that the checker must find.
 */

import type { Inbox } from '../../../src/inboxes/inbox.js'
import type { MaybePromise } from '../../../src/maybe-promise.js'
import type { ReceiverOptions } from '../../../src/receiver/options.js'
import type { Store } from '../../../src/stores/store.js'
import type { Outcome } from '../../../src/types.js'

/** A policy, and the parts that it replaces. */
export interface Policy {
  readonly name: string
  /** The faults that the checker must report. Empty for the real rules. */
  readonly broken: ReadonlyArray<'lost' | 'doubled' | 'wasted' | 'disabled'>
  readonly options?: Partial<ReceiverOptions>
  /** Whether to run without the store's quarantine, which would keep the events that this rule loses. */
  readonly withoutQuarantine?: boolean
  readonly store?: (store: Store<unknown>) => Store<unknown>
  readonly inbox?: (inbox: Inbox) => Inbox
  /** The HTTP status that replaces the real one. */
  readonly status?: (outcome: Outcome) => number | undefined
}

/** The unchanged rules. */
export const REAL_RULES: Policy = { name: 'the real rules', broken: [] }

/** Broken rules, each found in real receivers. */
export const BAD_POLICIES: readonly Policy[] = [
  {
    name: 'mark as seen before handling',
    broken: ['lost'],
    withoutQuarantine: true,
    store: (store) => ({
      ...store,
      async claim(request) {
        const result = await store.claim(request)
        if (result.status === 'claimed') await store.complete(request)
        return result
      },
      complete: () => true,
      release: () => true,
    }),
  },
  { name: 'return 200 for a handler error', broken: ['lost'], status: when('failed', 200), withoutQuarantine: true },
  {
    name: 'return 200 at the deadline while handlers run',
    broken: ['lost'],
    status: when('unfinished', 200),
    withoutQuarantine: true,
  },
  { name: 'return 200 for a copy in progress', broken: ['lost'], status: when('busy', 200), withoutQuarantine: true },
  {
    name: 'a lease of 30 s without heartbeat',
    broken: ['doubled'],
    store: (store) => ({
      ...store,
      claim: (request) => store.claim({ ...request, leaseMs: 30_000 }),
      renew: () => true,
    }),
  },
  {
    name: 'return 503 after a failed completion write',
    broken: ['doubled'],
    store: (store) => withFailedCompletions(store),
    status: (outcome) => (failedCompletions.has(outcome.idempotencyKey ?? '') ? 503 : undefined),
  },
  {
    name: 'process anyway when the store is down',
    broken: ['doubled'],
    store: (store) => ({
      ...store,
      async claim(request) {
        try {
          return await store.claim(request)
        } catch {
          return { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] }
        }
      },
    }),
  },
  { name: 'get, then set', broken: ['doubled'], store: getThenSet },
  {
    name: 'deduplicate on webhook_id',
    broken: ['lost'],
    options: { idempotencyKey: ({ payload }) => String(payload['webhook_id']) },
  },
  { name: 'a tolerance of five minutes', broken: ['lost'], options: { maxAgeMs: 300_000 }, withoutQuarantine: true },
  { name: 'return 404 for an unknown event', broken: ['wasted', 'disabled'], status: when('ignored', 404) },
  {
    name: 'no attempt budget: fail on the last attempt too',
    broken: ['disabled'],
    status: (outcome) => (outcome.status === 'quarantined' ? 500 : undefined),
  },
  { name: 'return 202 instead of 200', broken: ['wasted'], status: when('processed', 202) },
  {
    name: 'forget finished deliveries after a minute',
    broken: ['doubled'],
    store: (store) => ({
      ...store,
      complete: (request) => store.release({ ...request, completedHandlers: [], counted: false }),
    }),
  },
]

/** Broken rules of an inbox. */
export const BAD_INBOX_POLICIES: readonly Policy[] = [
  {
    name: 'return accepted before the inbox has the job',
    broken: ['lost'],
    inbox: (inbox) => ({
      ...inbox,
      accept: async (delivery) => {
        inbox.accept(delivery).catch(() => {})
      },
    }),
  },
  {
    name: 'remove a job from the queue before it is processed',
    broken: ['lost'],
    inbox: (inbox) => ({
      ...inbox,
      start: (processJob) =>
        inbox.start?.(async (delivery, attempt) => {
          void processJob(delivery, attempt)
          return { status: 'ignored' } as Outcome
        }),
    }),
  },
  {
    name: 'process inbox jobs without a claim',
    broken: ['doubled'],
    store: (store) => ({
      ...store,
      claim: () => ({ status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] }),
      renew: () => true,
      complete: () => true,
    }),
  },
]

function when(status: Outcome['status'], response: number): (outcome: Outcome) => number | undefined {
  return (outcome) => (outcome.status === status ? response : undefined)
}

const failedCompletions = new Set<string>()

function withFailedCompletions(store: Store<unknown>): Store<unknown> {
  return {
    ...store,
    // The heartbeat is off, because a receiver that returns 503 leaves the delivery to the retry.
    renew: () => true,
    async complete(request) {
      try {
        return await store.complete(request)
      } catch (error) {
        if (failedCompletions.has(request.key)) return true
        failedCompletions.add(request.key)
        throw error
      }
    },
  }
}

function getThenSet(store: Store<unknown>): Store<unknown> {
  const done = new Set<string>()
  const slowly = <T>(value: T): MaybePromise<T> => Promise.resolve(value)
  return {
    ...store,
    async claim({ key, token, ...request }) {
      const known = done.has(key)
      // This call is the round trip between the two steps. Its key is the token, so that copies don't block each other.
      await store.claim({ ...request, key: token.padStart(64, '0').slice(-64), token })
      if (known) return { status: 'done' }
      return { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] }
    },
    renew: () => slowly(true),
    complete: ({ key }) => slowly(done.add(key).size > 0),
    release: () => slowly(true),
  }
}
