/**
 * Runs scripts on Redis through the user's node-redis or ioredis client. Refuses a client that resends commands it has already
 * reported as failed, because an abandoned claim must not be executed once Redis is back.
 */
import type { Clock } from '../../clock.js'
import { WebhookError } from '../../errors.js'

/** The part of a node-redis (`redis`) client, cluster or sentinel that the driver uses. */
export interface NodeRedisClient {
  /** Whether `connect()` was called. */
  readonly isOpen: boolean
  /** Whether the client sends commands immediately. */
  readonly isReady?: boolean
  /** Runs a script that Redis has cached. */
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  /** Runs a script. */
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
}

/** The part of an ioredis `Redis` or `Cluster` that the driver uses. */
export interface IoredisClient {
  /** The state of the connection. The client sends commands immediately if it is `ready`. */
  readonly status: string
  /** The options of the client. */
  readonly options: object
  /** Connects a lazy client. */
  connect(): Promise<unknown>
  /** Runs a script that Redis has cached. */
  evalsha(sha: string, keyCount: number, ...keysAndValues: string[]): Promise<unknown>
  /** Runs a script. */
  eval(script: string, keyCount: number, ...keysAndValues: string[]): Promise<unknown>
}

/** A client of node-redis or ioredis. */
export type RedisClient = NodeRedisClient | IoredisClient

/** The keys and arguments of one script call. */
export interface ScriptCall {
  readonly keys: readonly string[]
  readonly values: readonly string[]
}

/** Runs a script atomically and returns its reply. If Redis can't be reached, it rejects and sends nothing later. */
export type RunScript = (script: string, call: ScriptCall) => Promise<unknown>

/** Less than the receiver's 1 s per store call. */
const WAIT_MS = 900
const POLL_MS = 20

/** The common interface of both clients. */
interface Connection {
  /** `ready`: the client sends immediately. `closed`: it won't connect by itself. */
  state(): 'ready' | 'connecting' | 'closed'
  evaluate(command: 'evalsha' | 'eval', script: string, call: ScriptCall): Promise<unknown>
}

/**
 * Creates a function that runs scripts through a client.
 *
 * @throws WebhookError `option_invalid` if `client` isn't a client of either library; `store_unsuitable` if it resends commands.
 */
export function createRunScript(client: RedisClient, clock: Clock): RunScript {
  const connection = connect(client)
  const shas = new Map<string, string>()
  const evaluate = async (script: string, call: ScriptCall) => {
    const sha = shas.get(script) ?? (await sha1(script))
    shas.set(script, sha)
    try {
      return await connection.evaluate('evalsha', sha, call)
    } catch (error) {
      if (!String((error as Error | undefined)?.message).startsWith('NOSCRIPT')) throw error
      return connection.evaluate('eval', script, call)
    }
  }
  return async function runScript(script, call) {
    const deadline = clock.now() + WAIT_MS
    for (;;) {
      // Wait here while the client connects, not in its queue: it would send abandoned commands later.
      if (connection.state() !== 'ready') await untilReady(connection, clock, deadline)
      try {
        return await evaluate(script, call)
      } catch (error) {
        // A call that lost its connection may be repeated, because its token makes it the same operation.
        if (connection.state() !== 'connecting' || clock.now() >= deadline) throw error
      }
    }
  }
}

function connect(client: RedisClient): Connection {
  const candidate = client as Partial<NodeRedisClient & IoredisClient> | null | undefined
  if (typeof candidate?.evalSha === 'function') return connectNodeRedis(client as NodeRedisClient)
  if (typeof candidate?.evalsha === 'function' && typeof candidate.status === 'string')
    return connectIoredis(client as IoredisClient)
  const message =
    'client must be a node-redis client (createClient of "redis") or an ioredis client (new Redis()). See docs/stores/redis.md.'
  throw new WebhookError('option_invalid', message)
}

type WithOptions = { withCommandOptions?: (options: { timeout: number }) => NodeRedisClient }

/** node-redis never sends a command twice. It drops an unsent command after `timeout`. */
function connectNodeRedis(client: NodeRedisClient & WithOptions): Connection {
  const limited = client.withCommandOptions?.({ timeout: WAIT_MS }) ?? client
  return {
    state() {
      if (!client.isOpen) return 'closed'
      return (client.isReady ?? true) ? 'ready' : 'connecting'
    },
    evaluate(command, script, { keys, values }) {
      const options = { keys: [...keys], arguments: [...values] }
      return command === 'eval' ? limited.eval(script, options) : limited.evalSha(script, options)
    },
  }
}

function connectIoredis(client: IoredisClient): Connection {
  refuseResending(client)
  return {
    state() {
      if (client.status === 'ready') return 'ready'
      if (client.status === 'end') return 'closed'
      // A lazy client connects with its first command and would queue that command, so connect it here.
      if (client.status === 'wait') client.connect().catch(() => {})
      return 'connecting'
    },
    evaluate: (command, script, { keys, values }) => client[command](script, keys.length, ...keys, ...values),
  }
}

/** By default, a `Redis` of ioredis keeps unfinished commands and resends them after it reconnects. Its `Cluster` doesn't. */
function refuseResending(client: IoredisClient & { readonly isCluster?: boolean }): void {
  const { maxRetriesPerRequest, enableOfflineQueue, autoResendUnfulfilledCommands } = client.options as Record<
    string,
    unknown
  >
  if (client.isCluster || maxRetriesPerRequest === 0) return
  if (enableOfflineQueue === false && autoResendUnfulfilledCommands === false) return
  throw new WebhookError(
    'store_unsuitable',
    'This ioredis client resends commands after a lost connection, so Redis would execute an abandoned claim later. Create a separate client for the store: new Redis(url, { maxRetriesPerRequest: 0 }). See docs/stores/redis.md.',
  )
}

async function untilReady(connection: Connection, clock: Clock, deadline: number): Promise<void> {
  for (let state = connection.state(); state !== 'ready'; state = connection.state()) {
    if (state === 'closed' || clock.now() >= deadline) {
      const message = 'The Redis client is not connected, so nothing was sent.'
      const fix = state === 'closed' ? ' It was never connected, or it was closed: call await client.connect().' : ''
      throw new WebhookError('store_unavailable', message + fix)
    }
    await new Promise<void>((resolve) => clock.setTimer(POLL_MS, resolve))
  }
}

async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
