/**
 * Inbox driver for Cloudflare Queues: the Worker that accepts sends a message, the consumer works it. Retries and the dead letter queue are
 * the platform's own. A message holds 128 KB: larger bodies go to an R2 bucket, or creation demands a smaller `maxBodyBytes`.
 */
import { WebhookError } from '../errors.js'
import type { Delivery, Outcome } from '../types.js'
import {
  type AcceptedDelivery,
  fromJob,
  type Inbox,
  type InboxAttempt,
  type InboxStatus,
  isFinished,
  type Job,
  toJob,
} from './inbox.js'

/** A queue's producer binding, as far as it is used. */
export interface QueueBinding {
  /** Resolves once the message is on disk. */
  send(message: unknown, options?: { readonly contentType?: 'json' }): Promise<unknown>
  /** What the platform says that waits; its numbers may be approximate. Runtimes before 2026 have none. */
  metrics?(): Promise<{ readonly backlogCount: number; readonly oldestMessageTimestamp?: Date }>
}

/** An object of a bucket, as far as it is used. */
export interface StoredObject {
  /** Its bytes. */
  arrayBuffer(): Promise<ArrayBuffer>
}

/** An R2 bucket's binding, as far as it is used. */
export interface BucketBinding {
  /** Stores an object. */
  put(name: string, value: Uint8Array): Promise<unknown>
  /** Reads an object; `null` when there is none. */
  get(name: string): Promise<StoredObject | null>
  /** Removes an object. */
  delete(name: string): Promise<unknown>
}

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
  return { waiting, working: undefined, failed: 0, oldestWaitingAt }
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

/** A message of a batch, as far as it is used. */
export interface QueueMessage {
  /** What was sent. */
  readonly body: unknown
  /** From 1. */
  readonly attempts: number
  /** Takes the message off the queue. */
  ack(): void
  /** Gives it back. */
  retry(options?: { readonly delaySeconds?: number }): void
}

/** What a Worker's `queue` is given, as far as it is used. */
export interface QueueBatch {
  /** Handed out together. */
  readonly messages: readonly QueueMessage[]
}

/** How a queue is consumed. */
export interface QueueHandlerOptions<Env> {
  /**
   * How often a message is handed out in all: `max_retries` of the consumer in wrangler.jsonc, and 1. Default: 4, as the platform's. With
   * fewer retries than that, what fails goes to the dead letter queue, or where there is none is deleted by the platform.
   */
  readonly tries?: number
  /** The pause before the second try, in seconds; it doubles with each, up to the platform's twelve hours, less up to a half by chance. Default: 10. */
  readonly firstPauseSeconds?: number
  /** The bucket that `cloudflareQueueInbox` was given. */
  readonly bucket?: (env: Env) => BucketBinding
  /** Called when a body could not be fetched from the bucket, or removed from it. Default: `console.error`. */
  readonly onError?: (error: unknown) => void
}

/** What is used of a receiver. */
export interface QueueReceiver {
  /** Works one accepted delivery; see `Receiver.work`. */
  work(delivery: AcceptedDelivery, attempt: InboxAttempt, platform?: Pick<Delivery, 'waitUntil'>): Promise<Outcome>
}

/** A Worker's `queue`. */
export type QueueHandler<Env> = (
  batch: QueueBatch,
  env: Env,
  ctx: { waitUntil(work: Promise<unknown>): void },
) => Promise<void>

/** The longest delay the platform knows. */
const LONGEST_PAUSE_S = 43_200

/**
 * Turns a receiver, or a function from `env` to a receiver, into a Worker's `queue`: each message is verified again, worked, and acknowledged
 * when it is finished.
 *
 * @throws WebhookError `option_invalid` when `tries` or `firstPauseSeconds` is no whole number above 0.
 *
 * @example
 * ```ts
 * import { createReceiver } from 'govalid-webhooks'
 * import { toQueueHandler } from 'govalid-webhooks/inboxes/cloudflare-queue'
 *
 * interface Env { GOVALID_WEBHOOK_SECRET: string }
 *
 * const makeReceiver = (env: Env) => createReceiver({ secret: env.GOVALID_WEBHOOK_SECRET }).on('*', (event) => console.log(event.event))
 * export default { queue: toQueueHandler(makeReceiver, { tries: 4 }) }
 * ```
 */
export function toQueueHandler<Env extends object>(
  receiver: QueueReceiver | ((env: Env) => QueueReceiver),
  options: QueueHandlerOptions<Env> = {},
): QueueHandler<Env> {
  const { tries = 4, firstPauseSeconds = 10 } = options
  const { onError = (error: unknown) => console.error('govalid-webhooks:', error) } = options
  for (const [name, value] of Object.entries({ tries, firstPauseSeconds })) {
    if (Number.isSafeInteger(value) && value > 0) continue
    throw new WebhookError('option_invalid', `${name} must be a whole number above 0; it is ${String(value)}.`)
  }
  const made = new WeakMap<Env, QueueReceiver>()
  return async function handleQueueBatch(batch, env, ctx) {
    const known = typeof receiver === 'function' ? (made.get(env) ?? receiver(env)) : receiver
    if (typeof receiver === 'function') made.set(env, known)
    const bucket = options.bucket?.(env)
    const platform = { waitUntil: (work: Promise<unknown>) => ctx.waitUntil(work) }
    const means: MessageMeans = { receiver: known, tries, firstPauseSeconds, bucket, onError, platform }
    await Promise.all(batch.messages.map((message) => workMessage(means, message)))
  }
}

interface MessageMeans {
  readonly receiver: QueueReceiver
  readonly tries: number
  readonly firstPauseSeconds: number
  readonly bucket: BucketBinding | undefined
  readonly onError: (error: unknown) => void
  readonly platform: Pick<Delivery, 'waitUntil'>
}

async function workMessage(means: MessageMeans, message: QueueMessage): Promise<void> {
  const { receiver, tries, firstPauseSeconds, bucket, onError, platform } = means
  const pause = { delaySeconds: pauseAfter(message.attempts, firstPauseSeconds) }
  const last = message.attempts >= tries
  try {
    const delivery = await readMessage(message.body, bucket, last)
    const outcome = await receiver.work(delivery, { number: message.attempts, last }, platform)
    if (!isFinished(outcome)) return message.retry(pause)
    message.ack()
    // The object of a forged message may be another's.
    const isForged = outcome.status === 'quarantined' && outcome.code === 'job_forged'
    if (isInBucket(message.body) && !isForged) await bucket?.delete(message.body.object)
  } catch (error) {
    onError(error)
    // The bucket is away: the message waits for it. What is acknowledged already stays so.
    message.retry(pause)
  }
}

function pauseAfter(attempts: number, firstPauseSeconds: number): number {
  const longestS = Math.min(firstPauseSeconds * 2 ** (attempts - 1), LONGEST_PAUSE_S)
  return Math.ceil(longestS * (1 - Math.random() / 2))
}

type MessageInBucket = Omit<Job, 'body'> & { readonly object: string }

function isInBucket(body: unknown): body is MessageInBucket {
  return typeof (body as Partial<MessageInBucket> | null)?.object === 'string'
}

async function readMessage(body: unknown, bucket: BucketBinding | undefined, last: boolean): Promise<AcceptedDelivery> {
  if (!isInBucket(body)) return fromJob(body)
  if (!bucket)
    throw new WebhookError('option_invalid', 'A body lies in a bucket: give toQueueHandler the bucket option.')
  const found = await bucket.get(body.object)
  // Not there: another bucket, or one that forgets too soon. On the last try the receiver sets aside what is left of it.
  if (!found && !last) throw new WebhookError('option_invalid', `The bucket has no ${body.object}.`)
  const rawBody = found ? new Uint8Array(await found.arrayBuffer()) : new Uint8Array(0)
  return { ...fromJob({ ...body, body: '' }), rawBody }
}
