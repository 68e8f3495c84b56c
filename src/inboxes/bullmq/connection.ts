/** Opens the connections of BullMQ, with the settings that they need to keep BullMQ running and to survive a failover. */
import type * as BullMq from 'bullmq'
import { repeatReason } from '../../stores/redis/redis-errors.js'

/** Prepared connections. */
export interface EngineConnection {
  /** The `connection` of a `Queue` or `Worker`. */
  readonly connection: BullMq.ConnectionOptions
  /** Ends a connection that BullMQ doesn't end itself. */
  end(): void
}

/** The settings of ioredis that matter to BullMQ. */
export interface RedisSettings {
  readonly keyPrefix?: unknown
  readonly role?: unknown
  readonly sentinels?: unknown
  readonly name?: unknown
  readonly maxRetriesPerRequest?: unknown
  readonly redisOptions?: RedisSettings
  readonly retryStrategy?: unknown
  readonly sentinelRetryStrategy?: unknown
  readonly reconnectOnError?: unknown
}

/** An ioredis `Redis` or `Cluster`. */
interface IoredisClient {
  readonly options: RedisSettings
  readonly isCluster?: boolean
  readonly createScanStream?: unknown
  duplicate(settings: object): IoredisClient
  disconnect(): void
}

/** More than the 10 s that BullMQ waits for the next job. */
const SOCKET_TIMEOUT_MS = 15_000
const MAX_RETRY_PAUSE_MS = 5000

/** Whether a connection is a client of ioredis 5 or newer. */
export function isIoredisClient(connection: object): connection is IoredisClient {
  return typeof (connection as Partial<IoredisClient>).createScanStream === 'function'
}

/** Opens the connections of BullMQ. A client isn't used itself, because its settings and its end belong to the application. */
export function openConnection(connection: BullMq.ConnectionOptions): EngineConnection {
  if (!isIoredisClient(connection))
    return { connection: { ...connection, ...engineSettings(connection as RedisSettings) }, end() {} }
  // A cluster finds the new server itself.
  if (connection.isCluster) return { connection: connection as unknown as BullMq.ConnectionOptions, end() {} }
  const own = connection.duplicate(engineSettings(connection.options))
  return { connection: own as unknown as BullMq.ConnectionOptions, end: () => own.disconnect() }
}

/** Settings that BullMQ needs, or that would keep a connection from coming back. */
function engineSettings({ retryStrategy, sentinelRetryStrategy, reconnectOnError }: RedisSettings): object {
  return {
    maxRetriesPerRequest: null,
    enableOfflineQueue: true,
    // BullMQ's wait for the next job would time out, and its numbers would be texts.
    commandTimeout: undefined,
    stringNumbers: false,
    // A server that vanished without closing the connection would otherwise be noticed after a quarter of an hour.
    socketTimeout: SOCKET_TIMEOUT_MS,
    retryStrategy: neverGiveUp(retryStrategy),
    sentinelRetryStrategy: neverGiveUp(sentinelRetryStrategy),
    // 2: connect again and repeat the command there.
    reconnectOnError: (error: Error) =>
      repeatReason(error) === 'wrong_server' ? 2 : callIfFunction(reconnectOnError, error),
  }
}

/** A strategy that gives up would leave a process that accepts or processes nothing until it is restarted. */
function neverGiveUp(strategy: unknown): (times: number) => number {
  return (times) => {
    const pauseMs = callIfFunction(strategy, times)
    return typeof pauseMs === 'number' ? pauseMs : Math.min(100 * 2 ** (times - 1), MAX_RETRY_PAUSE_MS)
  }
}

function callIfFunction(value: unknown, argument: unknown): unknown {
  return typeof value === 'function' ? value(argument) : undefined
}
