// A Worker for tests of what ends with a request. Each path has its own receiver, and D1 records what has run.
import { toHandler, type WorkerContext } from '../../../../src/adapters/cloudflare.js'
import {
  createReceiver,
  type DeliveryContext,
  type EventOf,
  newestOnly,
  type ReceiverOptions,
} from '../../../../src/index.js'
import { d1Store } from '../../../../src/stores/cloudflare/d1-store.js'

interface Env {
  readonly GOVALID_WEBHOOK_SECRET: string
  readonly DB: D1Database
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const record = (env: Env, name: string) => env.DB.prepare('INSERT INTO recorded VALUES (?1)').bind(name).run()

const keyOf = (event: EventOf<'qr.created'>) => event.data.id
const handleNewest = newestOnly({ keyOf }, async (event: EventOf<'qr.created'>) => {
  if (event.data['hangs']) await new Promise(() => {})
})

/** Starts a handler that never settles, in a request that ends at once. */
function hang(): Response {
  const event = {
    event: 'qr.created',
    timestamp: '2025-01-29T12:00:00Z',
    webhook_id: 'wh-001',
    data: { id: 'qr-1', hangs: true },
  }
  void handleNewest(event as EventOf<'qr.created'>, { signal: new AbortController().signal } as DeliveryContext)
  return new Response('the handler never settles')
}

const handleDelivery = toHandler((env: Env) =>
  createReceiver({ secret: env.GOVALID_WEBHOOK_SECRET, store: d1Store({ database: env.DB }), maxAgeMs: false }).on(
    'qr.created',
    handleNewest,
  ),
)

/** Both hooks need longer than the response. */
const handleWithSlowHooks = toHandler((env: Env) => {
  const later = (name: string) => async () => {
    await pause(300)
    await record(env, name)
  }
  const hooks: Partial<ReceiverOptions> = { onOutcome: later('onOutcome'), onError: later('onError') }
  return createReceiver({ secret: env.GOVALID_WEBHOOK_SECRET, maxAgeMs: false, ...hooks }).on('qr.created', () => {
    throw new Error('reported')
  })
})

export default {
  async fetch(request: Request, env: Env, ctx: WorkerContext): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/hang') return hang()
    return pathname === '/slow-hooks' ? handleWithSlowHooks(request, env, ctx) : handleDelivery(request, env, ctx)
  },
}
