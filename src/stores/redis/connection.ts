/**
 * One interface for the clients of node-redis and ioredis. Refuses a client that resends commands it has already reported as failed,
 * because an abandoned claim must not be executed once Redis is back.
 */
import { WebhookError } from '../../errors.js'

/** The part of a node-redis (`redis`) client, cluster, sentinel or pool that the driver uses. */
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
  /** Closes the connection and, with `reconnect`, opens a new one. */
  disconnect(reconnect?: boolean): void
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

/** The common interface of both clients. */
export interface Connection {
  /** Whether each call may use the keys of one slot only. */
  readonly isCluster: boolean
  /** `ready`: the client sends immediately. `closed`: it won't connect by itself. */
  state(): 'ready' | 'connecting' | 'closed'
  evaluate(command: 'evalsha' | 'eval', script: string, call: ScriptCall): Promise<unknown>
  /** Makes the client open a new connection. `isSilent`: the server doesn't respond, so it can't close this one. */
  reconnect(isSilent: boolean): void
  /** Passes the client's errors to `listener` until the returned function is called. */
  onError(listener: (error: unknown) => void): () => void
}

/** How long node-redis keeps a command that it couldn't send, in milliseconds. */
const MAX_UNSENT_MS = 900
const SEE = 'See docs/stores/redis.md.'

/**
 * Wraps a client.
 *
 * @throws WebhookError `option_invalid` if `client` isn't a client of either library or is too old; `store_unsuitable` if it resends
 * commands.
 */
export function toConnection(client: RedisClient): Connection {
  const candidate = client as Partial<NodeRedisClient & IoredisClient> | null | undefined
  if (typeof candidate?.evalSha === 'function') return fromNodeRedis(client as NodeRedis)
  if (typeof candidate?.evalsha === 'function' && typeof candidate.status === 'string')
    return fromIoredis(client as Ioredis)
  throw new WebhookError(
    'option_invalid',
    `client must be a client of redis 5 or newer (createClient()) or of ioredis 5 or newer (new Redis()). ${SEE}`,
  )
}

function tooOld(library: 'redis' | 'ioredis'): WebhookError {
  const message = `client comes from an old version of ${library}; version 5 or newer is needed. Run: npm install ${library}@latest. ${SEE}`
  return new WebhookError('option_invalid', message)
}

interface Emitter {
  on(event: 'error', listener: (error: unknown) => void): unknown
  off(event: 'error', listener: (error: unknown) => void): unknown
}

function listen(client: Emitter, listener: (error: unknown) => void): () => void {
  client.on('error', listener)
  return () => void client.off('error', listener)
}

/** A client, cluster, sentinel or pool. */
interface NodeRedis extends NodeRedisClient, Emitter {
  /** Only a cluster has slots. */
  readonly slots?: unknown
  withCommandOptions?(options: { timeout: number }): NodeRedisClient
  /** Only a client can create a pool. */
  createPool?: unknown
  /** Only a pool has it: the number of its connections. */
  readonly totalClients?: number
  sendCommand(words: readonly string[]): Promise<unknown>
  destroy(): void
  connect(): Promise<unknown>
}

/** node-redis never sends a command twice. It drops an unsent command after `timeout`. */
function fromNodeRedis(client: NodeRedis): Connection {
  if (typeof client.withCommandOptions !== 'function') throw tooOld('redis')
  const limited = client.withCommandOptions({ timeout: MAX_UNSENT_MS })
  const isClient = typeof client.createPool === 'function'
  return {
    isCluster: client.slots !== undefined,
    state() {
      if (!client.isOpen) return 'closed'
      return (client.isReady ?? true) ? 'ready' : 'connecting'
    },
    evaluate(command, script, { keys, values }) {
      const options = { keys: [...keys], arguments: [...values] }
      return command === 'eval' ? limited.eval(script, options) : limited.evalSha(script, options)
    },
    reconnect(isSilent) {
      // A cluster and a sentinel find the new server themselves, so they have no connections to replace here.
      const connections = isClient ? 1 : (client.totalClients ?? 0)
      if (!isSilent) {
        // The server closes a connection after this command, and then the client connects again.
        for (let index = 0; index < connections; index++) client.sendCommand(['QUIT']).catch(() => {})
      } else if (isClient) {
        client.destroy()
        client.connect().catch(() => {})
      }
    },
    onError: (listener) => listen(client, listener),
  }
}

interface Ioredis extends IoredisClient, Emitter {
  readonly isCluster?: boolean
  readonly stream?: { readonly writable: boolean } | undefined
  createScanStream?: unknown
}

function fromIoredis(client: Ioredis): Connection {
  if (typeof client.createScanStream !== 'function') throw tooOld('ioredis')
  const isCluster = client.isCluster ?? false
  refuseReplica(client)
  // A `Cluster` doesn't resend commands.
  if (!isCluster) refuseResending(client)
  return {
    isCluster,
    state() {
      if (client.status === 'end') return 'closed'
      // A lazy client connects with its first command and would queue that command, so connect it here.
      if (client.status === 'wait') client.connect().catch(() => {})
      // While the stream is ending, the client is still `ready`, but it would queue commands.
      return client.status === 'ready' && client.stream?.writable !== false ? 'ready' : 'connecting'
    },
    evaluate: (command, script, { keys, values }) => client[command](script, keys.length, ...keys, ...values),
    // A cluster finds the new server itself. ioredis destroys a silent connection after 2 s.
    reconnect: () => void (isCluster || client.disconnect(true)),
    onError: (listener) => listen(client, listener),
  }
}

interface Settings {
  readonly role?: unknown
  readonly maxRetriesPerRequest?: unknown
}

/** With sentinels, this option selects a replica. */
function refuseReplica({ options }: IoredisClient): void {
  if ((options as Settings).role !== 'slave') return
  const message = `client must lead to the primary, because a replica refuses writes. Remove role: 'slave'. ${SEE}`
  throw new WebhookError('store_unsuitable', message)
}

/** By default, a `Redis` of ioredis keeps unfinished commands and resends them after it reconnects. */
function refuseResending({ options }: IoredisClient): void {
  const { maxRetriesPerRequest } = options as Settings
  if (maxRetriesPerRequest === 0) return
  throw new WebhookError(
    'store_unsuitable',
    `This ioredis client resends commands after a lost connection, so Redis would execute an abandoned claim later. Create a separate client for the store: new Redis(url, { maxRetriesPerRequest: 0 }). ${SEE}`,
  )
}
