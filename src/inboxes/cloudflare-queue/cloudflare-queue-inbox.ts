/**
 * Inbox driver for Cloudflare Queues: the Worker that accepts sends a message, the consumer works it. Retries and the dead letter queue are
 * the platform's own. A message holds 128 KB: larger bodies go to an R2 bucket, or creation demands a smaller `maxBodyBytes`.
 */
import { WebhookError } from '../../errors.js'
import { type AcceptedDelivery, type Inbox, type InboxStatus, toJob } from '../inbox.js'
import type { BucketBinding, QueueBinding } from './bindings.js'

export type { BucketBinding, QueueBinding, StoredObject } from './bindings.js'
export {
  type QueueBatch,
  type QueueHandler,
  type QueueHandlerOptions,
  type QueueMessage,
  type QueueReceiver,
  toQueueHandler,
} from './consumer.js'

/** What `cloudflareQueueInbox` takes. */
export interface CloudflareQueueInboxOptions {
  /** The producer binding of the queue. */
  readonly queue: QueueBinding
  /** Where bodies go that do not fit into a message; the consumer needs the same. */
  readonly bucket?: BucketBinding
}

/** The largest body that fits, with its headers, into a message of 128,000 bytes as base64. */
const MESSAGE_BODY_BYTES = 80_000
/** Headers beyond this are left out, but for the signature. */
const MESSAGE_HEADER_BYTES = 16_000

/**
 * Makes an inbox on Cloudflare Queues.
 *
 * @throws WebhookError `option_invalid` when `queue` or `bucket` is no such binding.
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
export function cloudflareQueueInbox({ queue, bucket }: CloudflareQueueInboxOptions): Inbox {
  if (typeof queue?.send !== 'function') {
    throw new WebhookError(
      'option_invalid',
      'queue must be the producer binding of a queue: env.DELIVERIES, from "queues" in wrangler.jsonc.',
    )
  }
  if (bucket !== undefined && typeof bucket.put !== 'function') {
    throw new WebhookError('option_invalid', 'bucket must be the binding of an R2 bucket.')
  }
  return {
    ...(bucket === undefined && { maxBodyBytes: MESSAGE_BODY_BYTES }),
    ...(typeof queue.metrics === 'function' && { status: () => readMetrics(queue) }),
    async accept(delivery) {
      const { body, ...job } = toJob({ ...delivery, headers: shorten(delivery.headers) })
      if (delivery.rawBody.byteLength <= MESSAGE_BODY_BYTES)
        return void (await queue.send({ ...job, body }, JSON_MESSAGE))
      // The body first: a message whose body is missing could never be worked.
      const object = newObjectName(delivery.key)
      await bucket?.put(object, delivery.rawBody)
      await queue.send({ ...job, object }, JSON_MESSAGE)
    },
  }
}

async function readMetrics(queue: QueueBinding): Promise<InboxStatus> {
  const { backlogCount: waiting = 0, oldestMessageTimestamp: oldest } = (await queue.metrics?.()) ?? {}
  // An empty queue says 1970 where it is played on a machine.
  const oldestWaitingAt = waiting > 0 && oldest ? oldest.getTime() : undefined
  // What was handed out may be among those that wait, or not; nor does the platform tell of its dead letter queue.
  return { waiting, processing: undefined, failed: 0, oldestWaitingAt }
}

const JSON_MESSAGE = { contentType: 'json' } as const

function shorten(headers: AcceptedDelivery['headers']): AcceptedDelivery['headers'] {
  if (new TextEncoder().encode(JSON.stringify(headers)).byteLength <= MESSAGE_HEADER_BYTES) return headers
  return { 'x-govalid-signature': headers['x-govalid-signature'] ?? '' }
}

/** One object a message: a delivery that is accepted twice is worked once, and its other message must find its body too. */
function newObjectName(key: string): string {
  return `govalid-webhooks/${key}/${crypto.getRandomValues(new Uint8Array(8)).join('-')}`
}
