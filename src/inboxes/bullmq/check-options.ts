/** Refuses options with which BullMQ would never accept or never process a job. Each error names the fix. */
import { WebhookError } from '../../errors.js'
import { isIoredisClient, type RedisSettings } from './connection.js'

type Name = 'bullmq' | 'connection' | 'queue' | 'prefix' | 'concurrency' | 'attempts' | 'firstPauseMs'

/**
 * Checks the options and their defaults.
 *
 * @throws WebhookError `option_invalid` with the fix.
 */
export function checkOptions(options: Readonly<Record<Name, unknown>>): void {
  const { bullmq, connection, queue, prefix, concurrency, attempts, firstPauseMs } = options
  checkBullmq((bullmq ?? {}) as Partial<Record<string, unknown>>)
  if (typeof queue !== 'string' || queue === '' || queue.includes(':')) {
    throw invalid(`queue must be a name without a colon, which BullMQ reserves; it is ${JSON.stringify(queue)}`)
  }
  if (typeof prefix !== 'string') throw invalid(`prefix must be a text; it is ${JSON.stringify(prefix)}`)
  for (const [name, value] of Object.entries({ concurrency, attempts, firstPauseMs })) {
    if (Number.isSafeInteger(value) && (value as number) > 0) continue
    throw invalid(`${name} must be a whole number above 0; it is ${String(value)}`)
  }
  checkConnection(connection, { queue, prefix })
}

function checkBullmq({ Queue, Worker, DelayedError }: Partial<Record<string, unknown>>): void {
  if (![Queue, Worker, DelayedError].every((part) => typeof part === 'function')) {
    throw invalid("bullmqInbox needs { bullmq, connection }, with bullmq from: import * as bullmq from 'bullmq'")
  }
  // Up to version 4, the workers of BullMQ wait with this command.
  const { waitForJob } = (Worker as { readonly prototype: { readonly waitForJob?: unknown } }).prototype
  if (!/brpoplpush/i.test(String(waitForJob))) return
  throw invalid('bullmq must be version 5 or newer. Run: npm install bullmq@latest')
}

function checkConnection(connection: unknown, names: { readonly queue: string; readonly prefix: string }): void {
  if (typeof connection !== 'object' || connection === null) {
    throw invalid(
      `connection must be an object, such as { host, port }, or an ioredis client; it is ${typeof connection}`,
    )
  }
  const client = isIoredisClient(connection) ? connection : undefined
  if (client === undefined && 'duplicate' in connection) {
    throw invalid('connection must be { host, port } or a client of ioredis 5 or newer; it is another client')
  }
  const settings = client?.options ?? (connection as RedisSettings)
  const node = settings.redisOptions ?? settings
  if (settings.keyPrefix || node.keyPrefix) {
    throw invalid('connection must not have a keyPrefix, which BullMQ does not support. Use the option prefix instead')
  }
  if (node.role === 'slave') {
    throw invalid("connection must lead to the primary, because a replica refuses writes. Remove role: 'slave'")
  }
  if (settings.sentinels && !(Array.isArray(settings.sentinels) && settings.sentinels.length > 0 && settings.name)) {
    throw invalid('connection has sentinels, so it needs at least one of them and the name of their primary in name')
  }
  if (client?.isCluster) checkCluster(node, names)
}

function checkCluster(
  { maxRetriesPerRequest }: RedisSettings,
  { queue, prefix }: { queue: string; prefix: string },
): void {
  if (!/\{.+\}/.test(prefix + queue)) {
    const fix = `Use the option prefix: '{${prefix}}'`
    throw invalid(
      `BullMQ's keys must be in one slot of a cluster, but neither prefix nor queue contains a hash tag. ${fix}`,
    )
  }
  if (maxRetriesPerRequest) {
    throw invalid(
      'BullMQ waits for jobs only if redisOptions.maxRetriesPerRequest of the cluster is null. Set it to null',
    )
  }
}

function invalid(message: string): WebhookError {
  return new WebhookError('option_invalid', `${message}. See docs/inboxes/bullmq.md.`)
}
