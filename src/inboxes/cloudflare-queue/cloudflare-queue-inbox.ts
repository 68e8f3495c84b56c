/**
 * Inbox driver for Cloudflare Queues: the accepting Worker sends a message, and the consumer processes it. The platform provides retries and
 * the dead letter queue. A message holds 128 KB, so larger bodies need an R2 bucket, or a smaller `maxBodyBytes` that excludes them.
 */
import { WebhookError } from '../../errors.js'
import { type AcceptedDelivery, type Inbox, type InboxStatus, toJob } from '../inbox.js'
import { type BucketBinding, readBucket } from './consumer.js'

export {
  type BucketBinding,
  type QueueBatch,
  type QueueHandler,
  type QueueHandlerOptions,
  type QueueMessage,
  type QueueReceiver,
  type StoredObject,
  toQueueHandler,
} from './consumer.js'

/** The parts of a queue's producer binding that the inbox uses. */
export interface QueueBinding {
  /** Resolves once the message is on disk. */
  send(message: unknown, options?: { readonly contentType?: 'json' }): Promise<unknown>
  /** The platform's count of waiting messages, which may be approximate. Runtimes before 2026 don't have it. */
  metrics?(): Promise<{ readonly backlogCount: number; readonly oldestMessageTimestamp?: Date }>
}

/** The options of `cloudflareQueueInbox`. */
export interface CloudflareQueueInboxOptions {
  /** The queue's producer binding. */
  readonly queue: QueueBinding
  /** The R2 bucket for bodies that don't fit into a message. Give `toQueueHandler` the same one. */
  readonly bucket?: BucketBinding | undefined
}

/** The largest body that fits into a message of 128,000 bytes as base64, together with its headers. */
const MESSAGE_BODY_BYTES = 80_000
/** The limit for a message's headers. Above it, the message holds only the signature header. */
const MESSAGE_HEADER_BYTES = 16_000

/**
 * Creates an inbox on Cloudflare Queues.
 *
 * @throws WebhookError `option_invalid` when `queue` isn't a producer binding or `bucket` isn't an R2 binding.
 *
 * @example
 * ```ts
 * import { createReceiver } from 'govalid-webhooks'
 * import { toHandler } from 'govalid-webhooks/cloudflare'
 * import { cloudflareQueueInbox, type QueueBinding, toQueueHandler } from 'govalid-webhooks/inboxes/cloudflare-queue'
 *
 * interface Env { GOVALID_WEBHOOK_SECRET: string; DELIVERIES: QueueBinding }
 *
 * const makeReceiver = (env: Env) =>
 *   createReceiver({
 *     secret: env.GOVALID_WEBHOOK_SECRET,
 *     inbox: cloudflareQueueInbox({ queue: env.DELIVERIES }),
 *     maxBodyBytes: 80_000,
 *   }).on('qr.scanned', (event) => console.log(event.data.qr_id))
 *
 * export default { fetch: toHandler(makeReceiver), queue: toQueueHandler(makeReceiver) }
 * ```
 */
export function cloudflareQueueInbox(options: CloudflareQueueInboxOptions): Inbox {
  const { queue } = options
  if (typeof queue?.send !== 'function') {
    throw new WebhookError(
      'option_invalid',
      'queue must be a producer binding, for example env.DELIVERIES. Add it under "queues" in wrangler.jsonc. See docs/inboxes/cloudflare-queue.md.',
    )
  }
  const bucket = readBucket(options.bucket)
  return {
    ...(bucket === undefined && { maxBodyBytes: MESSAGE_BODY_BYTES }),
    ...(typeof queue.metrics === 'function' && { status: () => readMetrics(queue) }),
    async accept(delivery) {
      const { body, ...job } = toJob({ ...delivery, headers: shorten(delivery.headers) })
      if (delivery.rawBody.byteLength <= MESSAGE_BODY_BYTES)
        return void (await queue.send({ ...job, body }, JSON_MESSAGE))
      // The body is stored before the message, because a message without its body can never be processed.
      const object = newObjectName(delivery.key)
      await bucket?.put(object, delivery.rawBody)
      await queue.send({ ...job, object }, JSON_MESSAGE)
    },
  }
}

async function readMetrics(queue: QueueBinding): Promise<InboxStatus> {
  const { backlogCount: waiting = 0, oldestMessageTimestamp: oldest } = (await queue.metrics?.()) ?? {}
  // The local emulator reports 1970 for an empty queue.
  const oldestWaitingAt = waiting > 0 && oldest ? oldest.getTime() : undefined
  // The count may or may not include messages in progress, and the platform doesn't report its dead letter queue.
  return { waiting, processing: undefined, failed: 0, oldestWaitingAt }
}

const JSON_MESSAGE = { contentType: 'json' } as const

function shorten(headers: AcceptedDelivery['headers']): AcceptedDelivery['headers'] {
  if (new TextEncoder().encode(JSON.stringify(headers)).byteLength <= MESSAGE_HEADER_BYTES) return headers
  return { 'x-govalid-signature': headers['x-govalid-signature'] ?? '' }
}

/** Each message has its own object. A delivery that is accepted twice is processed once, and its second message must find a body too. */
function newObjectName(key: string): string {
  return `govalid-webhooks/${key}/${crypto.getRandomValues(new Uint8Array(8)).join('-')}`
}
