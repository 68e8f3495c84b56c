/**
 * Store driver for Redis, by node-redis or ioredis: one script and one round trip a step, Redis' own clock, a quarantine. In: the user's
 * client. Best effort across a failover: a claim or completion that the promoted replica never saw is forgotten. No transactions.
 */
import { type Clock, systemClock } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import type { ClaimResult, Quarantine, Store } from '../store.js'
import { createRunScript, type RedisClient } from './client.js'
import { createQuarantine } from './quarantine.js'
import { CLAIM, COMPLETE, RELEASE, RENEW } from './scripts.js'

export type { IoredisClient, NodeRedisClient, RedisClient } from './client.js'

/** What `redisStore` takes. */
export interface RedisStoreOptions {
  /**
   * A client, cluster or sentinel of node-redis, told to connect; or a `Redis` of ioredis made with `maxRetriesPerRequest: 0`, or a `Cluster`.
   */
  readonly client: RedisClient
  /** Keeps receivers apart that share the server: deliveries of one are unknown to the others. No braces. Default: `'default'`. */
  readonly namespace?: string
  /** The clock of the wait for a connection, for tests. Leases and retention go by Redis' own. */
  readonly clock?: Clock
}

/** A store in Redis, with a quarantine of its own. */
export interface RedisStore extends Store {
  /** The quarantine in the same server. */
  readonly quarantine: Quarantine
}

/**
 * Makes a store in Redis (or Valkey), version 6.2 or newer. Sends nothing until the first delivery.
 *
 * @throws WebhookError `option_invalid` when `client` is no client of either library, or `namespace` has braces;
 * `store_unsuitable` when the client would send commands again after a lost connection.
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
  // Braces choose the slot of a cluster; the one of a delivery is its own.
  if (/[{}]/.test(namespace))
    throw new WebhookError('option_invalid', `namespace must have no braces; it is ${JSON.stringify(namespace)}.`)
  const run = createRunScript(client, clock)
  let knowsPolicy = false
  const call = (script: string, key: string, ...values: readonly (string | number)[]) =>
    run(script, { keys: [`govalid:${namespace}:{${key}}`], values: values.map(String) })
  const holds = async (reply: Promise<unknown>) => Number(await reply) === 1
  return {
    async claim({ key, token, leaseMs, retainUntil, attemptGapMs, reprocess }) {
      const times = [Math.ceil(leaseMs), wholeMs(retainUntil), attemptGapMs]
      const reply = await call(CLAIM, key, token, ...times, reprocess ? 1 : 0, knowsPolicy ? 0 : 1)
      const result = readClaim(String(reply))
      // Asked with the first claim only: whether Redis throws records away when it is short of memory.
      if (result.status === 'claimed') knowsPolicy = true
      return result
    },
    renew: ({ key, token, leaseMs, completedHandlers }) =>
      holds(call(RENEW, key, token, Math.ceil(leaseMs), ...names(completedHandlers))),
    complete({ key, token, retainUntil, quarantined, completedHandlers }) {
      const state = quarantined ? 'quarantined' : 'done'
      return holds(call(COMPLETE, key, token, state, wholeMs(retainUntil), ...names(completedHandlers)))
    },
    release: ({ key, token, completedHandlers, counted }) =>
      holds(call(RELEASE, key, token, counted ? 1 : 0, ...names(completedHandlers))),
    quarantine: createQuarantine(run, namespace),
  }
}

/** What Redis takes for a time. */
function wholeMs(epochMs: number): number {
  return Math.max(1, Math.ceil(epochMs))
}

/** One line each: JSON has no line ends. */
function names(completedHandlers: readonly string[] = []): readonly string[] {
  return completedHandlers.map((name) => JSON.stringify(name))
}

/** Whatever is wrong with a reply is refused by stage 5, which looks at every answer. */
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
