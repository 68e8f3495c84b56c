/**
 * The Redis store: one script and one round trip per operation, with Redis's own clock and a quarantine, but no transactions.
 * Takes a node-redis or ioredis client. A failover loses every claim or completion that the promoted replica hadn't received.
 */
import { type Clock, systemClock } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import type { ClaimResult, Quarantine, Store } from '../store.js'
import { createQuarantine } from './quarantine.js'
import { createRunScript, type RedisClient } from './run-script.js'
import { CLAIM, COMPLETE, RELEASE, RENEW } from './scripts.js'

export type { IoredisClient, NodeRedisClient, RedisClient } from './run-script.js'

/** The options of {@link redisStore}. */
export interface RedisStoreOptions {
  /**
   * A connected client, cluster or sentinel of node-redis; a `Redis` of ioredis with `maxRetriesPerRequest: 0`; or a `Cluster`
   * of ioredis.
   */
  readonly client: RedisClient
  /** Separates receivers that share the server: a receiver sees only its own deliveries. No braces. Default: `'default'`. */
  readonly namespace?: string | undefined
  /** The clock for waiting until the client is connected. Tests inject their own. Leases and retention use Redis's clock. */
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
 * @throws WebhookError `option_invalid` if `client` isn't a client of either library, or `namespace` has braces;
 * `store_unsuitable` if the client resends commands after a lost connection.
 *
 * @example
 * ```ts
 * import { createClient } from 'redis'
 * import { createReceiver } from 'govalid-webhooks'
 * import { redisStore } from 'govalid-webhooks/stores/redis'
 *
 * const client = createClient({ url: process.env.REDIS_URL }).on('error', console.error)
 * await client.connect()
 *
 * createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET, store: redisStore({ client }) })
 * ```
 */
export function redisStore(options: RedisStoreOptions): RedisStore {
  const { client, namespace = 'default', clock = systemClock } = options
  // Braces select the slot in a cluster, and every delivery has its own slot.
  if (/[{}]/.test(namespace))
    throw new WebhookError('option_invalid', `namespace must not contain braces; it is ${JSON.stringify(namespace)}.`)
  const run = createRunScript(client, clock)
  let isPolicyKnown = false
  const call = (script: string, key: string, ...values: readonly (string | number)[]) =>
    run(script, { keys: [`govalid:${namespace}:{${key}}`], values: values.map(String) })
  const isOne = async (reply: Promise<unknown>) => Number(await reply) === 1
  return {
    async claim({ key, token, leaseMs, retainUntil, attemptGapMs, reprocess }) {
      const times = [Math.ceil(leaseMs), wholeMs(retainUntil), attemptGapMs]
      const reply = await call(CLAIM, key, token, ...times, reprocess ? 1 : 0, isPolicyKnown ? 0 : 1)
      const result = readClaim(String(reply))
      // Only the first claim asks whether Redis evicts records when it runs out of memory.
      if (result.status === 'claimed') isPolicyKnown = true
      return result
    },
    renew: ({ key, token, leaseMs, completedHandlers }) =>
      isOne(call(RENEW, key, token, Math.ceil(leaseMs), ...names(completedHandlers))),
    complete({ key, token, retainUntil, quarantined, completedHandlers }) {
      const state = quarantined ? 'quarantined' : 'done'
      return isOne(call(COMPLETE, key, token, state, wholeMs(retainUntil), ...names(completedHandlers)))
    },
    release: ({ key, token, completedHandlers, counted }) =>
      isOne(call(RELEASE, key, token, counted ? 1 : 0, ...names(completedHandlers))),
    quarantine: createQuarantine(run, namespace),
  }
}

/** Rounds up to the whole, positive number of milliseconds that Redis requires. */
function wholeMs(epochMs: number): number {
  return Math.max(1, Math.ceil(epochMs))
}

/** One line per name, because JSON text has no line breaks. */
function names(completedHandlers: readonly string[] = []): readonly string[] {
  return completedHandlers.map((name) => JSON.stringify(name))
}

/** Reads the reply of `CLAIM`. Stage 5 validates every result, so a corrupt record is refused there. */
function readClaim(reply: string): ClaimResult {
  const [line = '', ...names] = reply.split('\n')
  const [status, first, second, policy = ''] = line.split(' ')
  if (status === 'done') return { status }
  if (status === 'busy') return { status, until: Number(first), attempt: Number(second) }
  const completedHandlers = names.slice(0, -1).map((name) => JSON.parse(name) as string)
  const claimed = {
    status: 'claimed',
    attempt: Number(first),
    releasedAttempts: Number(second),
    completedHandlers,
  } as const
  return ['', 'noeviction'].includes(policy) ? claimed : { ...claimed, evictedEarly: true }
}
