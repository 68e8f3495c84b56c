/**
 * The consumer of the inbox on Cloudflare Queues: a Worker's `queue`. Each message is verified again and worked; what is not finished goes back
 * to the platform, which hands it out again after a pause.
 */
import { WebhookError } from '../../errors.js'
import type { Delivery, Outcome } from '../../types.js'
import { type AcceptedDelivery, fromJob, type InboxAttempt, isFinished, type Job } from '../inbox.js'
import type { BucketBinding } from './bindings.js'

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
  readonly attempts?: number
  /** The pause before the second try, in seconds; it doubles with each, up to the platform's twelve hours, less up to a half by chance. Default: 10. */
  readonly firstPauseSeconds?: number
  /** The bucket that `cloudflareQueueInbox` was given. */
  readonly bucket?: (env: Env) => BucketBinding
  /** Called when a body could not be fetched from the bucket, or removed from it. Default: `console.error`. */
  readonly onError?: (error: unknown) => void
}

/** What is used of a receiver. */
export interface QueueReceiver {
  /** Works one accepted delivery; see `Receiver.process`. */
  process(delivery: AcceptedDelivery, attempt: InboxAttempt, platform?: Pick<Delivery, 'waitUntil'>): Promise<Outcome>
}

/** A Worker's `queue`. */
export type QueueHandler<Env> = (
  batch: QueueBatch,
  env: Env,
  ctx: { waitUntil(work: Promise<unknown>): void },
) => Promise<void>

/** The longest delay the platform knows. */
const MAX_PAUSE_S = 43_200

/**
 * Turns a receiver, or a function from `env` to a receiver, into a Worker's `queue`: each message is verified again, worked, and acknowledged
 * when it is finished.
 *
 * @throws WebhookError `option_invalid` when `attempts` or `firstPauseSeconds` is no whole number above 0.
 *
 * @example
 * ```ts
 * import { createReceiver } from 'govalid-webhooks'
 * import { toQueueHandler } from 'govalid-webhooks/inboxes/cloudflare-queue'
 *
 * interface Env { GOVALID_WEBHOOK_SECRET: string }
 *
 * const makeReceiver = (env: Env) => createReceiver({ secret: env.GOVALID_WEBHOOK_SECRET }).on('*', (event) => console.log(event.event))
 * export default { queue: toQueueHandler(makeReceiver, { attempts: 4 }) }
 * ```
 */
export function toQueueHandler<Env extends object>(
  receiver: QueueReceiver | ((env: Env) => QueueReceiver),
  options: QueueHandlerOptions<Env> = {},
): QueueHandler<Env> {
  const { attempts = 4, firstPauseSeconds = 10 } = options
  const { onError = (error: unknown) => console.error('govalid-webhooks:', error) } = options
  for (const [name, value] of Object.entries({ attempts, firstPauseSeconds })) {
    if (Number.isSafeInteger(value) && value > 0) continue
    throw new WebhookError('option_invalid', `${name} must be a whole number above 0; it is ${String(value)}.`)
  }
  const made = new WeakMap<Env, QueueReceiver>()
  return async function handleQueueBatch(batch, env, ctx) {
    const known = typeof receiver === 'function' ? (made.get(env) ?? receiver(env)) : receiver
    if (typeof receiver === 'function') made.set(env, known)
    const bucket = options.bucket?.(env)
    const platform = { waitUntil: (work: Promise<unknown>) => ctx.waitUntil(work) }
    const means: MessageMeans = { receiver: known, attempts, firstPauseSeconds, bucket, onError, platform }
    await Promise.all(batch.messages.map((message) => processMessage(means, message)))
  }
}

interface MessageMeans {
  readonly receiver: QueueReceiver
  readonly attempts: number
  readonly firstPauseSeconds: number
  readonly bucket: BucketBinding | undefined
  readonly onError: (error: unknown) => void
  readonly platform: Pick<Delivery, 'waitUntil'>
}

async function processMessage(means: MessageMeans, message: QueueMessage): Promise<void> {
  const { receiver, attempts, firstPauseSeconds, bucket, onError, platform } = means
  const pause = { delaySeconds: pauseAfter(message.attempts, firstPauseSeconds) }
  const last = message.attempts >= attempts
  try {
    const delivery = await readMessage(message.body, bucket, last)
    const outcome = await receiver.process(delivery, { number: message.attempts, last }, platform)
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
  const longestS = Math.min(firstPauseSeconds * 2 ** (attempts - 1), MAX_PAUSE_S)
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
