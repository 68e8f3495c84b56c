// The Worker under test: accepts deliveries into a queue, processes them, and commits their effects with the completion in D1.
import { toHandler } from '../../../../src/adapters/cloudflare.js'
import {
  cloudflareQueueInbox,
  type QueueBatch,
  toQueueHandler,
} from '../../../../src/inboxes/cloudflare-queue/cloudflare-queue-inbox.js'
import { createReceiver } from '../../../../src/index.js'
import { type D1Store, d1Store } from '../../../../src/stores/cloudflare/d1-store.js'

interface Env {
  readonly GOVALID_WEBHOOK_SECRET: string
  readonly DELIVERIES: Queue
  readonly PATIENT: Queue
  readonly LATER: Queue
  readonly BODIES: R2Bucket
  readonly DB: D1Database
}

/** Creates one receiver per `env`. */
function onceForEach(queueOf: (env: Env) => Queue) {
  const created = new WeakMap<Env, ReturnType<typeof createEndpoint>>()
  return (env: Env) => {
    const known = created.get(env) ?? createEndpoint(env, queueOf(env))
    created.set(env, known)
    return known
  }
}

function createEndpoint(env: Env, queue: Queue) {
  const store = d1Store({ database: env.DB })
  const run = (sql: string, ...values: unknown[]) => env.DB.prepare(sql).bind(...values)
  const storeWithOutages: D1Store = {
    ...store,
    async claim(request) {
      if (await run('SELECT 1 FROM outages').first()) throw new Error('the store is unavailable')
      return store.claim(request)
    },
  }
  return createReceiver({
    secret: env.GOVALID_WEBHOOK_SECRET,
    inbox: cloudflareQueueInbox({ queue, bucket: env.BODIES }),
    store: storeWithOutages,
  }).on('qr.created', async (event, context) => {
    const { id } = event.data
    await run('INSERT INTO attempts VALUES (?1, ?2)', id, context.rawBody.byteLength).run()
    if (id?.startsWith('poison')) throw new Error('always fails')
    if (id?.startsWith('flaky') && !context.redelivery) throw new Error('fails once')
    await context.transaction((tx) => tx.add(run('INSERT INTO effects VALUES (?1)', id)))
  })
}

const endpoint = onceForEach((env) => env.DELIVERIES)
const patientEndpoint = onceForEach((env) => env.PATIENT)
const handleDelivery = toHandler(endpoint)
const handlePatiently = toHandler(patientEndpoint)
const consumeQueue = toQueueHandler(endpoint, { attempts: 3, firstPauseSeconds: 1, bucket: (env) => env.BODIES })

const consumePatiently = toQueueHandler(patientEndpoint, { attempts: 20 })

/** Removes the pause before a retry, because the pauses before twenty attempts take days. */
function withoutPauses(batch: MessageBatch): QueueBatch {
  return {
    messages: batch.messages.map((message) => ({
      body: message.body,
      attempts: message.attempts,
      ack: () => message.ack(),
      retry: () => message.retry({ delaySeconds: 0 }),
    })),
  }
}

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url)
    if (pathname === '/status') return Response.json(await endpoint(env).status())
    if (pathname === '/status-of-later') {
      const inbox = cloudflareQueueInbox({ queue: env.LATER, bucket: env.BODIES })
      return Response.json(await createReceiver({ secret: env.GOVALID_WEBHOOK_SECRET, inbox }).status())
    }
    if (pathname === '/without-bucket') {
      try {
        createReceiver({ secret: env.GOVALID_WEBHOOK_SECRET, inbox: cloudflareQueueInbox({ queue: env.DELIVERIES }) })
        return Response.json({ refused: false })
      } catch (error) {
        return Response.json({ refused: String(error) })
      }
    }
    return pathname === '/patient' ? handlePatiently(request, env, ctx) : handleDelivery(request, env, ctx)
  },
  async queue(batch, env, ctx) {
    if (batch.queue === 'deliveries') return consumeQueue(batch, env, ctx)
    if (batch.queue === 'patient') return consumePatiently(withoutPauses(batch), env, ctx)
    const insert = env.DB.prepare('INSERT INTO dead VALUES (?1)')
    await env.DB.batch(batch.messages.map(({ body }) => insert.bind(JSON.stringify(body))))
  },
} satisfies ExportedHandler<Env>
