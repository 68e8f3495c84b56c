// The Worker that a test kills: accepts deliveries into a queue and processes them. The local queue is only in memory, so D1 stands in for
// the platform's guarantee: a message is recorded before `send` resolves and until it is acknowledged. `/redeliver` sends recorded messages
// again.
import { toHandler } from '../../../../src/adapters/cloudflare.js'
import {
  cloudflareQueueInbox,
  type QueueBatch,
  toQueueHandler,
} from '../../../../src/inboxes/cloudflare-queue/cloudflare-queue-inbox.js'
import { createReceiver } from '../../../../src/index.js'
import { d1Store } from '../../../../src/stores/cloudflare/d1-store.js'

interface Env {
  readonly GOVALID_WEBHOOK_SECRET: string
  readonly DELIVERIES: Queue
  readonly BODIES: R2Bucket
  readonly DB: D1Database
}

interface Sent {
  readonly id: string
  readonly message: unknown
}

const TABLES = [
  'sent (id TEXT PRIMARY KEY, message TEXT)',
  'effects (id TEXT)',
  'hold (point TEXT)',
  'held (point TEXT)',
]

const run = (env: Env, sql: string, ...values: unknown[]) => env.DB.prepare(sql).bind(...values)

/** At the point that the test selects, the Worker reports the point and stops. Then the test kills it. */
async function reach(env: Env, point: string): Promise<void> {
  const chosen = await run(env, 'SELECT 1 FROM hold WHERE point = ?1', point).first()
  if (!chosen) return
  await run(env, 'INSERT INTO held VALUES (?1)', point).run()
  await new Promise(() => {})
}

/** The queue. Records every message. */
function recordedQueue(env: Env) {
  return {
    async send(message: unknown) {
      const sent: Sent = { id: crypto.randomUUID(), message }
      await run(env, 'INSERT INTO sent VALUES (?1, ?2)', sent.id, JSON.stringify(message)).run()
      await env.DELIVERIES.send(sent)
    },
  }
}

function createEndpoint(env: Env) {
  const inbox = cloudflareQueueInbox({ queue: recordedQueue(env), bucket: env.BODIES })
  const store = d1Store({ database: env.DB })
  return createReceiver({ secret: env.GOVALID_WEBHOOK_SECRET, inbox, store })
    .on('qr.created', async (event, { transaction }) => {
      await reach(env, 'in the handler')
      await transaction((tx) => tx.add(run(env, 'INSERT INTO effects VALUES (?1)', event.data.id)))
      await reach(env, 'after the effect')
    })
    .on('qr.transferred', async (event) => {
      await run(env, 'INSERT INTO effects VALUES (?1)', event.data.id).run()
      await reach(env, 'after the effect')
    })
}

const created = new WeakMap<Env, ReturnType<typeof createEndpoint>>()

function endpoint(env: Env) {
  const known = created.get(env) ?? createEndpoint(env)
  created.set(env, known)
  return known
}

const handleDelivery = toHandler(endpoint)
const consumeQueue = toQueueHandler(endpoint, { attempts: 21, firstPauseSeconds: 1, bucket: (env: Env) => env.BODIES })

/** Consumes a batch, then removes the records of acknowledged messages, as the platform does. */
async function consumeRecorded(batch: MessageBatch, env: Env, ctx: ExecutionContext): Promise<void> {
  await reach(env, 'before processing')
  const acknowledged: string[] = []
  const messages = batch.messages.map((message) => {
    const { id, message: body } = message.body as Sent
    const ack = () => {
      acknowledged.push(id)
      message.ack()
    }
    return { body, attempts: message.attempts, ack, retry: message.retry.bind(message) }
  })
  await consumeQueue({ messages } satisfies QueueBatch, env, ctx)
  await reach(env, 'before the acknowledgement')
  for (const id of acknowledged) await run(env, 'DELETE FROM sent WHERE id = ?1', id).run()
}

async function readState(env: Env): Promise<Response> {
  const list = async (sql: string) => (await run(env, sql).raw<[string]>()).map(([value]) => value)
  return Response.json({
    sent: await list('SELECT id FROM sent'),
    effects: await list('SELECT id FROM effects'),
    held: await list('SELECT point FROM held'),
    objects: (await env.BODIES.list()).objects.length,
  })
}

export default {
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/webhooks/govalid') return handleDelivery(request, env, ctx)
    if (pathname === '/state') return readState(env)
    if (pathname === '/set-up') for (const table of TABLES) await run(env, `CREATE TABLE IF NOT EXISTS ${table}`).run()
    if (pathname === '/hold') await run(env, 'INSERT INTO hold VALUES (?1)', searchParams.get('point')).run()
    if (pathname === '/redeliver') {
      // By the time the platform redelivers, the lease of the killed process has expired.
      await run(env, 'UPDATE govalid_deliveries SET lease_until = 1 WHERE lease_until > 0')
        .run()
        .catch(() => {})
      await env.DB.batch([run(env, 'DELETE FROM hold'), run(env, 'DELETE FROM held')])
      const { results } = await run(env, 'SELECT id, message FROM sent').all<{ id: string; message: string }>()
      for (const { id, message } of results) await env.DELIVERIES.send({ id, message: JSON.parse(message) })
    }
    return new Response('ok')
  },
  queue: consumeRecorded,
} satisfies ExportedHandler<Env>
