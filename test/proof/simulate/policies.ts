/**
 * Ways to receive webhooks that lose, double or waste: each is the real core with one rule broken, so that the checker can show that it
 * would notice. `broken` names what it must find.
 */

import type { Inbox } from '../../../src/inboxes/inbox.js'
import type { MaybePromise } from '../../../src/maybe-promise.js'
import type { ReceiverOptions } from '../../../src/receiver/options.js'
import type { Store } from '../../../src/stores/store.js'
import type { Outcome } from '../../../src/types.js'

/** What a policy may break. */
export interface Policy {
  readonly name: string
  /** What the checker must report for it; nothing for the real rules. */
  readonly broken: ReadonlyArray<'lost' | 'doubled' | 'wasted' | 'disabled'>
  readonly options?: Partial<ReceiverOptions>
  /** Without the quarantine that the store offers, which would keep what this rule loses: receivers that have such a rule have none. */
  readonly withoutQuarantine?: boolean
  readonly store?: (store: Store<unknown>) => Store<unknown>
  readonly inbox?: (inbox: Inbox) => Inbox
  /** The status to answer in place of the rule's. */
  readonly status?: (outcome: Outcome) => number | undefined
}

/** The rules as they are. */
export const REAL_RULES: Policy = { name: 'the real rules', broken: [] }

/** Broken rules, each seen in the field. */
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
  { name: 'answer a handler error 200', broken: ['lost'], status: when('failed', 200), withoutQuarantine: true },
  {
    name: 'answer 200 at the deadline while work goes on',
    broken: ['lost'],
    status: when('unfinished', 200),
    withoutQuarantine: true,
  },
  { name: 'answer 200 to a copy in progress', broken: ['lost'], status: when('busy', 200), withoutQuarantine: true },
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
    name: 'answer 503 after a failed completion write',
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
  { name: 'answer an unknown event 404', broken: ['wasted', 'disabled'], status: when('ignored', 404) },
  {
    name: 'no try budget: fail on the last try too',
    broken: ['disabled'],
    status: (outcome) => (outcome.status === 'quarantined' ? 500 : undefined),
  },
  { name: 'answer 202 in place of 200', broken: ['wasted'], status: when('processed', 202) },
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
    name: 'answer accepted before the inbox has it',
    broken: ['lost'],
    inbox: (inbox) => ({
      ...inbox,
      accept: async (delivery) => {
        inbox.accept(delivery).catch(() => {})
      },
    }),
  },
  {
    name: 'take a job off the queue before it is worked',
    broken: ['lost'],
    inbox: (inbox) => ({
      ...inbox,
      start: (work) =>
        inbox.start?.(async (delivery, attempt) => {
          void work(delivery, attempt)
          return { status: 'ignored' } as Outcome
        }),
    }),
  },
  {
    name: 'work what the inbox hands out without a claim',
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
    // No heartbeat: whoever answers 503 leaves the rest to the retry.
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
      // The round trip between the two steps; the token keeps the copies apart, as two keys would.
      await store.claim({ ...request, key: token.padStart(64, '0').slice(-64), token })
      if (known) return { status: 'done' }
      return { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] }
    },
    renew: () => slowly(true),
    complete: ({ key }) => slowly(done.add(key).size > 0),
    release: () => slowly(true),
  }
}
