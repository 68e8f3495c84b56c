/**
 * A Worker of the proof: its own receiver in its own isolate, over the shared store. For each delivery it receives its share of the copies at
 * once and reports how many times its handler ran and the responses to the copies.
 */
import { toHandler, type WorkerHandler } from '../../../src/adapters/cloudflare.js'
import { createReceiver } from '../../../src/create-receiver.js'
import { type D1DatabaseBinding, d1Store } from '../../../src/stores/cloudflare/d1-store.js'
import { durableObjectStore, type IdempotencyNamespace } from '../../../src/stores/cloudflare/durable-object-store.js'
import type { Store } from '../../../src/stores/store.js'
import type { Findings, Share } from './messages.js'

export { IdempotencyObject } from '../../../src/stores/cloudflare/durable-object-store.js'

interface Env {
  readonly STORE: string
  readonly SECRET: string
  readonly DB: D1DatabaseBinding
  readonly IDEMPOTENCY: IdempotencyNamespace
  readonly KV: Namespace
}

/** The part of a Workers KV namespace that the control uses. */
interface Namespace {
  get(key: string): Promise<string | null>
  put(key: string, value: string): Promise<void>
}

type Handle = WorkerHandler<unknown>
type WorkerContext = Parameters<Handle>[2]

const STORES: Readonly<Record<string, (env: Env) => Store<never>>> = {
  d1: (env) => d1Store({ database: env.DB }) as unknown as Store<never>,
  'durable-object': (env) => durableObjectStore({ namespace: env.IDEMPOTENCY }),
  'get-then-put': (env) => getThenPutStore(env.KV),
}

let endpoint: { readonly handle: Handle; readonly calls: () => number } | undefined

function endpointOf(env: Env) {
  if (endpoint) return endpoint
  const open = STORES[env.STORE]
  if (!open) throw new Error(`the proof has no store ${env.STORE}`)
  let calls = 0
  const receiver = createReceiver({ secret: env.SECRET, store: open(env), onError: () => {} })
  receiver.on('qr.scanned', async () => {
    calls++
    // The handler takes as long as a small write, so that copies arrive before, during and after it.
    await new Promise((resolve) => setTimeout(resolve, 5))
  })
  endpoint = { handle: toHandler(receiver), calls: () => calls }
  return endpoint
}

async function receiveCopies(env: Env, ctx: WorkerContext, { body, signature, copies }: Share): Promise<Findings> {
  const { handle, calls } = endpointOf(env)
  const before = calls()
  const statuses: Record<string, number> = {}
  const receive = async () => {
    const headers = { 'x-govalid-signature': signature }
    const request = new Request('https://receiver.example/webhooks/govalid', { method: 'POST', headers, body })
    const response = await handle(request, env, ctx)
    const { status } = (await response.json()) as { status: string }
    statuses[`${response.status} ${status}`] = (statuses[`${response.status} ${status}`] ?? 0) + 1
  }
  await Promise.all(Array.from({ length: copies }, receive))
  return { calls: calls() - before, statuses }
}

/** The control: a store that reads before it writes, as many do with KV. The proof must catch it. */
function getThenPutStore(kv: Namespace): Store<never> {
  const put = async (key: string, state: string) => {
    await kv.put(key, state)
    return true
  }
  return {
    async claim({ key, leaseMs }) {
      const state = await kv.get(key)
      if (state === 'done') return { status: 'done' }
      if (state === 'processing') return { status: 'busy', until: Date.now() + leaseMs, attempt: 1 }
      await put(key, 'processing')
      return { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] }
    },
    renew: () => true,
    complete: ({ key }) => put(key, 'done'),
    release: ({ key }) => put(key, 'released'),
  }
}

export default {
  async fetch(request: Request, env: Env, ctx: WorkerContext): Promise<Response> {
    const share = (await request.json()) as Share
    return new Response(JSON.stringify(await receiveCopies(env, ctx, share)))
  },
}
