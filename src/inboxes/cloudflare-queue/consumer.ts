/**
 * The consumer of the Cloudflare Queues inbox: a Worker's `queue` handler. It verifies each message again and processes it. It returns an
 * unfinished message to the platform, which delivers it again after a pause. The pause is long if only a person can help.
 */
import { receiverPerEnv } from '../../adapters/receiver-per-env.js'
import { requireReceiver } from '../../adapters/require-receiver.js'
import { isWebhookError, WebhookError } from '../../errors.js'
import type { Delivery, Outcome } from '../../types.js'
import { type AcceptedDelivery, fromJob, type InboxAttempt, isFinished, type Job } from '../inbox.js'

/** The parts of an R2 bucket's binding that the inbox uses. */
export interface BucketBinding {
  /** Stores an object. */
  put(name: string, value: Uint8Array): Promise<unknown>
  /** Reads an object. Resolves to `null` if it doesn't exist. */
  get(name: string): Promise<StoredObject | null>
  /** Removes an object. */
  delete(name: string): Promise<unknown>
}

/** The parts of an R2 object that the consumer uses. */
export interface StoredObject {
  /** The object's bytes. */
  arrayBuffer(): Promise<ArrayBuffer>
}

/** The parts of a message that the consumer uses. */
export interface QueueMessage {
  /** The value that was sent. */
  readonly body: unknown
  /** The number of this attempt, counted from 1. */
  readonly attempts: number
  /** Takes the message off the queue. */
  ack(): void
  /** Returns the message to the queue. */
  retry(options?: { readonly delaySeconds?: number }): void
}

/** The parts of a batch that the consumer uses. */
export interface QueueBatch {
  /** The name of the queue. */
  readonly queue?: string
  /** The messages of the batch. */
  readonly messages: readonly QueueMessage[]
}

/** The options of `toQueueHandler`. */
export interface QueueHandlerOptions<Env> {
  /**
   * The total number of attempts at a message: the consumer's `max_retries` in wrangler.jsonc, plus 1. Default: 4, like the platform. If the
   * platform makes fewer, it moves a failing message to the dead letter queue, or deletes it if there is none.
   */
  readonly attempts?: number | undefined
  /** The pause before the second attempt, in seconds. It doubles up to the platform's 12 hours, minus up to half at random. Default: 10. */
  readonly firstPauseSeconds?: number | undefined
  /** Returns the bucket of `cloudflareQueueInbox`. */
  readonly bucket?: ((env: Env) => BucketBinding) | undefined
  /**
   * Receives the error if the receiver or the bucket can't be created, a body can't be read from the bucket or removed from it, or a message
   * comes from another queue. Default: `console.error`.
   */
  readonly onError?: ((error: unknown) => unknown) | undefined
}

/** The part of a receiver that the consumer uses. */
export interface QueueReceiver {
  /** Processes one accepted delivery; see `Receiver.process`. */
  process(delivery: AcceptedDelivery, attempt: InboxAttempt, platform?: Pick<Delivery, 'waitUntil'>): Promise<Outcome>
}

/** A Worker's `queue` handler. */
export type QueueHandler<Env> = (
  batch: QueueBatch,
  env: Env,
  ctx: { waitUntil(work: Promise<unknown>): void },
) => Promise<void>

/** The platform's longest delay, in seconds. */
const MAX_PAUSE_S = 43_200
/** The first pause if only a person can help, in seconds. It becomes four times longer with each attempt. */
const REPAIR_PAUSE_S = 900

/**
 * Turns a receiver, or a function from `env` to a receiver, into a Worker's `queue` handler. It verifies and processes each message, and
 * acknowledges the finished ones. The function is called once per isolate, and again if a value of `env` changes.
 *
 * A mistake of the configuration never fails a message at once: if the function throws, a secret or bucket is missing, or a message comes
 * from another queue, the message returns after 15 minutes, then 1, 4 and 12 hours, and `onError` receives the fix.
 *
 * @throws WebhookError `option_invalid` if it is given neither a receiver nor a function, if `attempts` or `firstPauseSeconds` isn't a
 * whole number above 0, or if `bucket` or `onError` isn't a function.
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
  const report = createReport(options.onError)
  for (const [name, value] of Object.entries({ attempts, firstPauseSeconds })) {
    if (Number.isSafeInteger(value) && value > 0) continue
    const message = `${name} must be a whole number above 0; it is ${String(value)}. See docs/inboxes/cloudflare-queue.md.`
    throw new WebhookError('option_invalid', message)
  }
  requireFunctions(options)
  if (typeof receiver !== 'function') requireReceiver(receiver, 'toQueueHandler', 'process')
  const receiverFor =
    typeof receiver === 'function' ? receiverPerEnv(receiver, 'process', 'toQueueHandler') : () => receiver
  return async function handleQueueBatch(batch, env, ctx) {
    const platform = { waitUntil: (work: Promise<unknown>) => ctx.waitUntil(work) }
    let found: QueueReceiver
    let bucket: BucketBinding | undefined
    try {
      found = receiverFor(env)
      bucket = readBucket(options.bucket?.(env))
    } catch (error) {
      for (const message of batch.messages) message.retry(pauseForRepair(message))
      return report(error)
    }
    const processMessage = async (message: QueueMessage): Promise<void> => {
      const last = message.attempts >= attempts
      try {
        refuseOtherSender(message.body, batch.queue)
        const delivery = await readMessage(message.body, bucket, last)
        const outcome = await found.process(delivery, { number: message.attempts, last }, platform)
        await endMessage(message, outcome, firstPauseSeconds, bucket)
      } catch (error) {
        // An acknowledged message stays acknowledged. Otherwise it waits for the bucket, or for a person.
        message.retry(isWebhookError(error) ? pauseForRepair(message) : pauseAfter(message, firstPauseSeconds))
        void report(error)
      }
    }
    await Promise.all(batch.messages.map(processMessage))
  }
}

/** @throws WebhookError `option_invalid` if `bucket` is the binding itself, or `onError` isn't a function. */
function requireFunctions({ bucket, onError }: QueueHandlerOptions<never>): void {
  for (const [name, value] of Object.entries({ bucket, onError })) {
    if (value === undefined || typeof value === 'function') continue
    const example = name === 'bucket' ? ', for example bucket: (env) => env.BODIES' : ''
    const message = `${name} must be a function${example}; it is ${typeof value}. See docs/inboxes/cloudflare-queue.md.`
    throw new WebhookError('option_invalid', message)
  }
}

/**
 * Checks a bucket. A KV namespace has methods of the same names, but returns no bytes.
 *
 * @throws WebhookError `option_invalid` if it isn't the binding of an R2 bucket.
 */
export function readBucket(bucket: unknown): BucketBinding | undefined {
  if (bucket === undefined || bucket === null) return undefined
  const methods = bucket as Readonly<Record<string, unknown>>
  const isComplete = ['get', 'put', 'delete'].every((method) => typeof methods[method] === 'function')
  if (isComplete && methods['getWithMetadata'] === undefined) return bucket as BucketBinding
  const message =
    'bucket must be the binding of an R2 bucket, for example env.BODIES. See docs/inboxes/cloudflare-queue.md.'
  throw new WebhookError('option_invalid', message)
}

/** Returns a function that never throws, because a failing hook must not fail a message. */
function createReport(
  onError: QueueHandlerOptions<never>['onError'] = (error) => console.error('govalid-webhooks:', error),
): (error: unknown) => Promise<void> {
  return async function report(error) {
    try {
      await (onError(error) as unknown)
    } catch (failure) {
      console.error('govalid-webhooks: onError failed.', failure)
    }
  }
}

async function endMessage(
  message: QueueMessage,
  outcome: Outcome,
  firstPauseSeconds: number,
  bucket: BucketBinding | undefined,
): Promise<void> {
  // The receiver refuses an accepted delivery only if its secret is missing.
  if (outcome.status === 'refused') return message.retry(pauseForRepair(message))
  if (!isFinished(outcome)) return message.retry(pauseAfter(message, firstPauseSeconds))
  message.ack()
  // A forged message may name the object of another delivery, so its object isn't deleted.
  const isForged = outcome.status === 'quarantined' && outcome.code === 'job_forged'
  if (isInBucket(message.body) && !isForged) await bucket?.delete(message.body.object)
}

function pauseAfter({ attempts }: QueueMessage, firstPauseSeconds: number): { readonly delaySeconds: number } {
  const maxS = Math.min(firstPauseSeconds * 2 ** (attempts - 1), MAX_PAUSE_S)
  return { delaySeconds: Math.ceil(maxS * (1 - Math.random() / 2)) }
}

function pauseForRepair({ attempts }: QueueMessage): { readonly delaySeconds: number } {
  return { delaySeconds: Math.min(REPAIR_PAUSE_S * 4 ** (attempts - 1), MAX_PAUSE_S) }
}

type MessageInBucket = Omit<Job, 'body'> & { readonly object: string }

/** A message without the format of a job was sent by other code. It is never acknowledged, so the platform keeps it. */
function refuseOtherSender(body: unknown, queue = 'of this consumer'): void {
  if ((body as Partial<Job> | null | undefined)?.format === 1) return
  const fix = 'If the Worker consumes several queues, choose the handler by batch.queue.'
  throw new WebhookError(
    'option_invalid',
    `A message of the queue ${queue} isn't a delivery of cloudflareQueueInbox. ${fix} See docs/inboxes/cloudflare-queue.md.`,
  )
}

function isInBucket(body: unknown): body is MessageInBucket {
  return typeof (body as Partial<MessageInBucket> | null)?.object === 'string'
}

async function readMessage(body: unknown, bucket: BucketBinding | undefined, last: boolean): Promise<AcceptedDelivery> {
  if (!isInBucket(body)) return fromJob(body)
  if (!bucket) {
    const message =
      'A body is stored in an R2 bucket. Pass the bucket to toQueueHandler as well. See docs/inboxes/cloudflare-queue.md.'
    throw new WebhookError('option_invalid', message)
  }
  const found = await bucket.get(body.object)
  // The bucket is another one, or its lifecycle rule deletes too early. On the last attempt, the receiver quarantines what remains.
  if (!found && !last) {
    const message = `The bucket has no ${body.object}. Pass the bucket of cloudflareQueueInbox to toQueueHandler. See docs/inboxes/cloudflare-queue.md.`
    throw new WebhookError('option_invalid', message)
  }
  const rawBody = found ? new Uint8Array(await found.arrayBuffer()) : new Uint8Array(0)
  return { ...fromJob({ ...body, body: '' }), rawBody }
}
