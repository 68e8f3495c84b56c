/**
 * A webhook endpoint like in a Worker: a receiver behind the adapter, with real requests and responses, and with background
 * work that `ctx.waitUntil` keeps alive. It records the codes of the receiver's reports.
 */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { toHandler } from '../../../../src/adapters/cloudflare.js'
import { createReceiver, type Receiver } from '../../../../src/create-receiver.js'
import type { ReceiverOptions } from '../../../../src/receiver/options.js'
import type { Store } from '../../../../src/stores/store.js'
import { signDelivery } from '../../../../src/testing/sign-delivery.js'

const SECRET = 'a secret of these tests'
let deliveries = 0

/** The parts of an HTTP response that the sender sees. */
interface SeenResponse {
  readonly httpStatus: number
  /** The outcome `status` in the body. */
  readonly status: string
  readonly retryAfter: string | null
  /** Resolves once the background work is done. */
  settled(): Promise<void>
}

/** A webhook endpoint. */
export interface Endpoint<Transaction> {
  readonly receiver: Receiver<Record<never, never>, Transaction>
  /** The codes of the reports, in order. */
  readonly reported: string[]
  /** Signs and sends a body. Sending the same body again is a retry. */
  send(body: string): Promise<SeenResponse>
}

/** Creates an endpoint with a store. */
export function createEndpoint<Transaction>(
  store: Store<Transaction>,
  options: Partial<ReceiverOptions> = {},
): Endpoint<Transaction> {
  const reported: string[] = []
  const onError: ReceiverOptions['onError'] = ({ code }) => void reported.push(code)
  // The options have no schemas, which their type doesn't say.
  const created = createReceiver({ secret: SECRET, onError, ...options, store })
  const receiver = created as unknown as Receiver<Record<never, never>, Transaction>
  const handle = toHandler(receiver)
  return {
    receiver,
    reported,
    async send(body) {
      const signed = await signDelivery(body, { secret: SECRET })
      const ctx = createExecutionContext()
      const response = await handle(signed.request('https://receiver.example/webhooks/govalid'), {}, ctx)
      const { status } = await response.json<{ status: string }>()
      const settled = () => waitOnExecutionContext(ctx)
      return { httpStatus: response.status, status, retryAfter: response.headers.get('retry-after'), settled }
    },
  }
}

/** Returns the body of a new delivery. */
export function newBody(): string {
  deliveries += 1
  const data = { qr_id: `qr-${deliveries}-${crypto.randomUUID()}`, scan_count: 1 }
  return JSON.stringify({ event: 'qr.scanned', timestamp: new Date().toISOString(), webhook_id: 'wh-001', data })
}

/** Creates a gate that a handler waits for. */
export function createGate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}
