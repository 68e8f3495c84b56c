/** The `queue` handler with the runtime's own batches: mistakes of the configuration, other queues' messages, and wrapped environments. */
import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test'
import { env as bindings } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import {
  type QueueHandlerOptions,
  toQueueHandler,
} from '../../../src/inboxes/cloudflare-queue/cloudflare-queue-inbox.js'
import { toJob } from '../../../src/inboxes/inbox.js'
import { createReceiver, type QuarantineEntry } from '../../../src/index.js'
import { signDelivery } from '../../../src/testing/index.js'
import { SECRET, scan } from '../receiving.js'
import { instrument } from './instrument.js'

interface Env {
  readonly GOVALID_WEBHOOK_SECRET?: string
}

const ENV: Env = { GOVALID_WEBHOOK_SECRET: SECRET }
const MINUTE_S = 60
const HOUR_S = 3600
let messages = 0

/** Returns an accepted delivery as a message. */
async function accepted(body = scan()): Promise<unknown> {
  const { rawBody, headers } = await signDelivery(body, { secret: SECRET })
  return toJob({ key: 'a'.repeat(64), rawBody, headers, receivedAt: Date.now() })
}

type Handler = ReturnType<typeof toQueueHandler<Env>>

/** Passes one message to a handler and returns its end: acknowledged, or the delay of its retry. */
async function consume(handle: Handler, body: unknown, { env = ENV, attempts = 1, queue = 'deliveries' } = {}) {
  const id = `message-${++messages}`
  const batch = createMessageBatch(queue, [{ id, timestamp: Date.now(), attempts, body }])
  const ctx = createExecutionContext()
  // The runtime's result doesn't contain the delay.
  const retry = vi.spyOn(batch.messages[0] as Message, 'retry')
  await handle(batch, env, ctx)
  const { explicitAcks, retryMessages } = await getQueueResult(batch, ctx)
  if (explicitAcks.includes(id)) return 'acknowledged'
  return retryMessages.some(({ msgId }) => msgId === id) ? retry.mock.lastCall?.[0]?.delaySeconds : 'neither'
}

function createConsumer(options: QueueHandlerOptions<Env> = {}) {
  const errors: string[] = []
  const handled: unknown[] = []
  const create = (env: Env) =>
    createReceiver({ secret: env.GOVALID_WEBHOOK_SECRET }).on('qr.scanned', (event) => void handled.push(event))
  const handle = toQueueHandler(create, { onError: (error) => errors.push(String(error)), ...options })
  return { handle, errors, handled }
}

describe('a mistake of the configuration', () => {
  it('without a secret in env keeps a message for hours, and processes it once the secret is there', async () => {
    const { handle, errors, handled } = createConsumer()
    const message = await accepted()
    const delays: unknown[] = []
    for (const attempts of [1, 2, 3, 4, 5]) delays.push(await consume(handle, message, { env: {}, attempts }))
    expect(delays).toEqual([15 * MINUTE_S, HOUR_S, 4 * HOUR_S, 12 * HOUR_S, 12 * HOUR_S])
    expect(errors).toHaveLength(5)
    expect(errors[0]).toMatch(/secret is undefined.*GOVALID_WEBHOOK_SECRET.*explain secret_missing/)
    expect(await consume(handle, message)).toBe('acknowledged')
    expect(handled).toHaveLength(1)
  })

  it.each<[string, () => never]>([
    [
      'throws another error',
      () => {
        throw new TypeError('no such binding')
      },
    ],
    ['returns a promise', (async () => createReceiver({ secret: SECRET })) as never],
  ])('in a function that %s keeps the message', async (_, create) => {
    const errors: unknown[] = []
    const handle = toQueueHandler(create, { onError: (error) => errors.push(error) })
    expect(await consume(handle, await accepted())).toBe(15 * MINUTE_S)
    expect(errors).toHaveLength(1)
  })

  it('in a secret function keeps the message', async () => {
    const handle = toQueueHandler(createReceiver({ secret: () => undefined, onError: () => {} }).on('*', () => {}))
    expect(await consume(handle, await accepted())).toBe(15 * MINUTE_S)
  })

  it.each<[string, QueueHandlerOptions<Env>]>([
    [
      'throws',
      {
        bucket: () => {
          throw new TypeError('no BODIES')
        },
      },
    ],
    ['is missing', {}],
    ['is a KV namespace', { bucket: () => bindings.KV as never }],
  ])('with a bucket that %s keeps a message whose body is in the bucket', async (_, options) => {
    const { handle, errors } = createConsumer(options)
    await bindings.KV.put('large', 'the body')
    const { body, ...job } = (await accepted()) as { body: string }
    expect(await consume(handle, { ...job, object: 'large' })).toBe(15 * MINUTE_S)
    expect(errors).toHaveLength(1)
  })

  it('with an onError that throws keeps the message too', async () => {
    const onError = () => {
      throw new Error('the hook is broken')
    }
    expect(await consume(createConsumer({ onError }).handle, await accepted(), { env: {} })).toBe(15 * MINUTE_S)
  })

  it('is refused at creation if the argument has no process method', () => {
    expect(() => toQueueHandler({} as never)).toThrow(/toQueueHandler.*explain option_invalid/)
    expect(() => toQueueHandler(undefined as never)).toThrow(/explain option_invalid/)
  })
})

describe('a message of another queue', () => {
  it.each([
    ['JSON', { order: 17 }],
    ['text', 'an order'],
    ['bytes', new Uint8Array([1, 2, 3])],
    ['nothing', null],
  ])('with %s stays in the queue, and the report names batch.queue', async (_, body) => {
    const kept: QuarantineEntry[] = []
    const errors: string[] = []
    const receiver = createReceiver({ secret: SECRET, quarantine: async (entry) => void kept.push(entry) })
    const handle = toQueueHandler(receiver, { onError: (error) => errors.push(String(error)) })
    for (const attempts of [1, 4]) {
      expect(await consume(handle, body, { attempts, queue: 'orders' })).toBeGreaterThanOrEqual(15 * MINUTE_S)
    }
    expect(kept).toEqual([])
    expect(errors[0]).toMatch(/queue orders.*batch\.queue/)
  })
})

describe('an instrumented env', () => {
  it('keeps one receiver, so an accepted delivery is processed once', async () => {
    const { handle, handled } = createConsumer()
    const message = await accepted()
    const env = { ...ENV, DB: bindings.DB }
    expect(await consume(handle, message, { env: instrument(env) })).toBe('acknowledged')
    expect(await consume(handle, message, { env: instrument(env) })).toBe('acknowledged')
    expect(handled).toHaveLength(1)
  })
})
