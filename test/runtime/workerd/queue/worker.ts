// The Worker under test: accepts into a queue, works what comes out of it, and writes its effects with the completion into D1.
import { toHandler } from '../../../../src/adapters/cloudflare.js'
import { cloudflareQueueInbox, toQueueHandler } from '../../../../src/inboxes/cloudflare-queue.js'
import { createReceiver } from '../../../../src/index.js'
import { d1Store } from '../../../../src/stores/d1.js'

interface Env {
  readonly GOVALID_WEBHOOK_SECRET: string
  readonly DELIVERIES: Queue
  readonly LATER: Queue
  readonly BODIES: R2Bucket
  readonly DB: D1Database
}

const created = new WeakMap<Env, ReturnType<typeof createEndpoint>>()

function endpoint(env: Env) {
  const known = created.get(env) ?? createEndpoint(env)
  created.set(env, known)
  return known
}

function createEndpoint(env: Env) {
  const { transaction, ...store } = d1Store({ database: env.DB })
  const run = (sql: string, ...values: unknown[]) => env.DB.prepare(sql).bind(...values)
  return createReceiver({
    secret: env.GOVALID_WEBHOOK_SECRET,
    inbox: cloudflareQueueInbox({ queue: env.DELIVERIES, bucket: env.BODIES }),
    store: {
      ...store,
      transaction,
      async claim(request) {
        if (await run('SELECT 1 FROM outages').first()) throw new Error('the store is away')
        return store.claim(request)
      },
    },
  }).on('qr.created', async (event, context) => {
    const { id } = event.data
    await run('INSERT INTO tries VALUES (?1, ?2)', id, context.rawBody.byteLength).run()
    if (id?.startsWith('poison')) throw new Error('never works')
    if (id?.startsWith('flaky') && !context.redelivery) throw new Error('not this time')
    await context.transaction((tx) => tx.add(run('INSERT INTO effects VALUES (?1)', id)))
  })
}

const handleDelivery = toHandler(endpoint)
const workQueue = toQueueHandler(endpoint, { tries: 3, firstPauseSeconds: 1, bucket: (env) => env.BODIES })

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
    return handleDelivery(request, env, ctx)
  },
  async queue(batch, env, ctx) {
    if (batch.queue === 'deliveries') return workQueue(batch, env, ctx)
    const insert = env.DB.prepare('INSERT INTO dead VALUES (?1)')
    await env.DB.batch(batch.messages.map(({ body }) => insert.bind(JSON.stringify(body))))
  },
} satisfies ExportedHandler<Env>
