// A Worker with a Durable Object store, for configurations that are old or wrong. It returns the reports with each response.
import { DurableObject } from 'cloudflare:workers'
import { toHandler, type WorkerContext } from '../../../../src/adapters/cloudflare.js'
import { createReceiver } from '../../../../src/index.js'
import {
  durableObjectStore,
  type IdempotencyNamespace,
} from '../../../../src/stores/cloudflare/durable-object-store.js'

export { IdempotencyObject } from '../../../../src/stores/cloudflare/durable-object-store.js'

/** Another class, which the binding may name by mistake. */
export class Counter extends DurableObject {
  increment(): number {
    return 1
  }
}

interface Env {
  readonly GOVALID_WEBHOOK_SECRET: string
  readonly IDEMPOTENCY: IdempotencyNamespace
}

const reported: string[] = []
const handle = toHandler((env: Env) =>
  createReceiver({
    secret: env.GOVALID_WEBHOOK_SECRET,
    store: durableObjectStore({ namespace: env.IDEMPOTENCY }),
    onError: ({ error }) => void reported.push(String(error)),
  }).on('qr.scanned', () => {}),
)

export default {
  async fetch(request: Request, env: Env, ctx: WorkerContext): Promise<Response> {
    const { status } = (await (await handle(request, env, ctx)).json()) as { status: string }
    return Response.json({ status, reported })
  },
}
