/**
 * The Redis store: one round trip per operation, with Redis's own clock and a quarantine, but no transactions. Takes a node-redis or
 * ioredis client. A failover loses every claim or completion that the promoted replica hadn't received.
 */
import { type Clock, systemClock } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import type { ClaimRequest, ClaimResult, CompleteRequest, Quarantine, RenewRequest, Store } from '../store.js'
import { type RedisClient, toConnection } from './connection.js'
import { createOperationQueue, type QueuedOperation } from './operation-queue.js'
import { createQuarantine } from './quarantine.js'
import { READ_POLICY, RUN_OPERATIONS } from './scripts.js'

export type { IoredisClient, NodeRedisClient, RedisClient } from './connection.js'

/** The options of {@link redisStore}. */
export interface RedisStoreOptions {
  /**
   * A connected client, cluster or sentinel of node-redis; a `Redis` of ioredis with `maxRetriesPerRequest: 0`; or a `Cluster`
   * of ioredis.
   */
  readonly client: RedisClient
  /** Separates receivers that share the server: a receiver sees only its own deliveries. No braces. Default: `'default'`. */
  readonly namespace?: string | undefined
  /** The clock for waiting. Tests inject their own. Leases and retention use Redis's clock. */
  readonly clock?: Clock | undefined
}

/** A store in Redis, with its own quarantine. */
export interface RedisStore extends Store {
  /** The quarantine on the same server. */
  readonly quarantine: Quarantine
}

/**
 * Creates a store in Redis (or Valkey) 6.2 or newer. It sends nothing until the first delivery.
 *
 * @throws WebhookError `option_invalid` if `client` isn't a client of either library or is too old, or `namespace` has braces;
 * `store_unsuitable` if the client resends commands after a lost connection, or leads to a replica.
 *
 * @example
 * ```ts
 * import { createClient } from 'redis'
 * import { createReceiver } from 'govalid-webhooks'
 * import { redisStore } from 'govalid-webhooks/stores/redis'
 *
 * const client = createClient({ url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' }).on('error', console.error)
 * await client.connect()
 *
 * createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET, store: redisStore({ client }) })
 * ```
 */
export function redisStore(options: RedisStoreOptions): RedisStore {
  const { client, namespace = 'default', clock = systemClock } = options
  // Braces select the slot in a cluster, and every delivery has its own slot.
  if (typeof namespace !== 'string' || /[{}]/.test(namespace))
    throw new WebhookError(
      'option_invalid',
      `namespace must be a string without braces; it is ${JSON.stringify(namespace)}.`,
    )
  const queue = createOperationQueue(toConnection(client), clock)
  const run = <Result>({ key, waitMs = WAIT_MS }: Target, isUrgent: boolean, operation: ReadableCall<Result>) =>
    queue.run({
      script: RUN_OPERATIONS,
      isAlone: false,
      keys: [`govalid:${namespace}:{${key}}`],
      waitMs,
      isUrgent,
      ...operation,
    })
  const claim = (request: ClaimRequest) => run(request, false, { values: claimValues(request), read: readClaim })
  const end = (name: string, request: EndRequest) =>
    run(request, true, { values: endValues(name, request), read: isOne })
  let isPolicyKnown = false
  return {
    claim(request) {
      if (isPolicyKnown) return claim(request)
      isPolicyKnown = true
      const policy = run(request, false, { script: READ_POLICY, isAlone: true, values: [], read: String })
      return withPolicy(claim(request), policy, () => {
        isPolicyKnown = false
      })
    },
    renew: (request) => end('renew', request),
    complete: (request) => end(request.quarantined ? 'quarantine' : 'complete', request),
    release: (request) => end(request.counted ? 'release' : 'retract', request),
    waiting: queue.waiting,
    quarantine: createQuarantine(queue, namespace),
  }
}

/** The contract's default, in milliseconds. */
const WAIT_MS = 1000

type Target = Pick<ClaimRequest, 'key' | 'waitMs'>
type ReadableCall<Result> = Pick<QueuedOperation<Result>, 'values' | 'read'> &
  Partial<Pick<QueuedOperation, 'script' | 'isAlone'>>
type EndRequest = Target & Pick<ClaimRequest, 'token'> & Partial<Omit<RenewRequest & CompleteRequest, 'key' | 'token'>>

function claimValues({ token, retainUntil, leaseMs, attemptGapMs, reprocess }: ClaimRequest): readonly string[] {
  return [reprocess ? 'reclaim' : 'claim', token, '', wholeMs(retainUntil), wholeMs(leaseMs), String(attemptGapMs)]
}

function endValues(
  name: string,
  { token, completedHandlers = [], retainUntil = 0, leaseMs = 0 }: EndRequest,
): readonly string[] {
  // One line per name, because JSON text has no line breaks.
  const names = completedHandlers.map((handler) => `${JSON.stringify(handler)}\n`).join('')
  return [name, token, names, wholeMs(retainUntil), wholeMs(leaseMs), '']
}

/** Rounds up to the whole, positive number of milliseconds that Redis requires. */
function wholeMs(ms: number): string {
  return String(Math.max(1, Math.ceil(ms)))
}

function isOne(reply: unknown): boolean {
  return String(reply) === '1'
}

/** Reads the reply of `claim`. Stage 5 validates every result, so a corrupt record is refused there. */
function readClaim(reply: unknown): ClaimResult {
  const [line = '', ...names] = String(reply).split('\n')
  const [status, first, second] = line.split(' ')
  if (status === 'done') return { status }
  if (status === 'busy') return { status, until: Number(first), attempt: Number(second) }
  const completedHandlers = names.slice(0, -1).map((name) => JSON.parse(name) as string)
  return { status: 'claimed', attempt: Number(first), releasedAttempts: Number(second), completedHandlers }
}

/** Adds to the first claim whether Redis evicts records when it runs out of memory. If that stays unknown, the next claim asks again. */
async function withPolicy(
  claim: Promise<ClaimResult>,
  policy: Promise<string>,
  askAgain: () => void,
): Promise<ClaimResult> {
  const [claimed, read] = await Promise.allSettled([claim, policy])
  const isClaimed = claimed.status === 'fulfilled' && claimed.value.status === 'claimed'
  if (!isClaimed || read.status === 'rejected') askAgain()
  if (claimed.status === 'rejected') throw claimed.reason
  if (!isClaimed || read.status === 'rejected' || ['', 'noeviction'].includes(read.value)) return claimed.value
  return { ...claimed.value, evictedEarly: true } as ClaimResult
}
