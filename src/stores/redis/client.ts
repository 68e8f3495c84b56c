/**
 * One way to run a script on Redis, over node-redis or ioredis. In: the user's client. Refuses a client that would send a command it has
 * already reported as failed, for a claim that was given up must not come alive when Redis is back.
 */
import type { Clock } from '../../clock.js'
import { WebhookError } from '../../errors.js'

/** A client, cluster or sentinel of node-redis (`redis`), as far as it is used. */
export interface NodeRedisClient {
  /** Whether the client was told to connect. */
  readonly isOpen: boolean
  /** Whether commands are sent at once. */
  readonly isReady?: boolean
  /** Runs a script that Redis knows. */
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  /** Runs a script. */
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
}

/** A `Redis` or `Cluster` of ioredis, as far as it is used. */
export interface IoredisClient {
  /** Where the connection is; commands are sent at once when it is `ready`. */
  readonly status: string
  /** How it was made. */
  readonly options: object
  /** Connects a lazy client. */
  connect(): Promise<unknown>
  /** Runs a script that Redis knows. */
  evalsha(sha: string, keyCount: number, ...keysAndValues: string[]): Promise<unknown>
  /** Runs a script. */
  eval(script: string, keyCount: number, ...keysAndValues: string[]): Promise<unknown>
}

/** A client of either library. */
export type RedisClient = NodeRedisClient | IoredisClient

/** One call of a script. */
export interface ScriptCall {
  readonly keys: readonly string[]
  readonly values: readonly string[]
}

/** Runs a script in one piece and gives back its reply. Rejects, and sends nothing later, when Redis cannot be reached. */
export type RunScript = (script: string, call: ScriptCall) => Promise<unknown>

/** Below the second that the receiver gives a store call. */
const WAIT_MS = 900
const POLL_MS = 20

/** What is asked of either client. */
interface Connection {
  /** `ready`: sends at once. `closed`: will not connect by itself. */
  state(): 'ready' | 'connecting' | 'closed'
  evaluate(command: 'evalsha' | 'eval', script: string, call: ScriptCall): Promise<unknown>
}

/**
 * Makes a function that runs scripts over a client.
 *
 * @throws WebhookError `option_invalid` when it is no client of either library; `store_unsuitable` when it would resend commands.
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
    const giveUpAt = clock.now() + WAIT_MS
    for (;;) {
      // A client that is just connecting is waited for out here: what is given up in this queue is never sent.
      if (connection.state() !== 'ready') await untilReady(connection, clock, giveUpAt)
      try {
        return await evaluate(script, call)
      } catch (error) {
        // A step that broke off with its connection may be repeated: its token makes it the same step.
        if (connection.state() !== 'connecting' || clock.now() >= giveUpAt) throw error
      }
    }
  }
}

function connect(client: RedisClient): Connection {
  const given = client as Partial<NodeRedisClient & IoredisClient> | null | undefined
  if (typeof given?.evalSha === 'function') return overNodeRedis(client as NodeRedisClient)
  if (typeof given?.evalsha === 'function' && typeof given.status === 'string')
    return overIoredis(client as IoredisClient)
  const message = 'client must be a client of node-redis (createClient of "redis") or ioredis (new Redis()).'
  throw new WebhookError('option_invalid', message)
}

type WithOptions = { withCommandOptions?: (options: { timeout: number }) => NodeRedisClient }

/** node-redis never sends a command twice; one that it has not sent yet is dropped after `timeout`. */
function overNodeRedis(client: NodeRedisClient & WithOptions): Connection {
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

function overIoredis(client: IoredisClient): Connection {
  refuseResending(client)
  return {
    state() {
      if (client.status === 'ready') return 'ready'
      if (client.status === 'end') return 'closed'
      // A lazy client connects with its first command; here that would queue it.
      if (client.status === 'wait') client.connect().catch(() => {})
      return 'connecting'
    },
    evaluate: (command, script, { keys, values }) => client[command](script, keys.length, ...keys, ...values),
  }
}

/** By default ioredis keeps what it has sent or should have sent, and sends it when it is connected again. Its Cluster does not. */
function refuseResending(client: IoredisClient & { readonly isCluster?: boolean }): void {
  const { maxRetriesPerRequest, enableOfflineQueue, autoResendUnfulfilledCommands } = client.options as Record<
    string,
    unknown
  >
  if (client.isCluster || maxRetriesPerRequest === 0) return
  if (enableOfflineQueue === false && autoResendUnfulfilledCommands === false) return
  throw new WebhookError(
    'store_unsuitable',
    'This ioredis client sends commands again after a lost connection, so a claim that was given up would come alive later. Give the store a client of its own: new Redis(url, { maxRetriesPerRequest: 0 }).',
  )
}

async function untilReady(connection: Connection, clock: Clock, giveUpAt: number): Promise<void> {
  for (let state = connection.state(); state !== 'ready'; state = connection.state()) {
    if (state === 'closed' || clock.now() >= giveUpAt) {
      const message = 'The Redis client is not connected, so nothing was sent.'
      const fix = state === 'closed' ? ' It was never told to connect, or was closed: await client.connect().' : ''
      throw new WebhookError('store_unavailable', message + fix)
    }
    await new Promise<void>((resolve) => clock.setTimer(POLL_MS, resolve))
  }
}

async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
