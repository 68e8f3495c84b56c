/**
 * A webhook endpoint as a Worker has it: a receiver behind the adapter, real requests in, responses out, and the work that
 * `ctx.waitUntil` keeps alive. What the receiver reports is kept to be looked at.
 */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { toHandler } from '../../../../src/adapters/cloudflare.js'
import { createReceiver, type Receiver } from '../../../../src/create-receiver.js'
import type { ReceiverOptions } from '../../../../src/receiver/options.js'
import type { Store } from '../../../../src/stores/store.js'
import { signDelivery } from '../../../../src/testing/sign-delivery.js'

const SECRET = 'a secret of these tests'
let deliveries = 0

/** An HTTP answer, as far as the sender looks at it. */
interface SeenResponse {
  readonly httpStatus: number
  /** The `status` in the body: the outcome's. */
  readonly status: string
  readonly retryAfter: string | null
  /** Resolves once the work behind the answer is done. */
  settled(): Promise<void>
}

/** An endpoint. */
export interface Endpoint<Transaction> {
  readonly receiver: Receiver<Record<never, never>, Transaction>
  /** The codes of what was reported, in order. */
  readonly reported: string[]
  /** Sends a body, signed; the same body again is a retry. */
  send(body: string): Promise<SeenResponse>
}

/** Makes an endpoint on a store. */
export function createEndpoint<Transaction>(
  store: Store<Transaction>,
  options: Partial<ReceiverOptions> = {},
): Endpoint<Transaction> {
  const reported: string[] = []
  const onError: ReceiverOptions['onError'] = ({ code }) => void reported.push(code)
  const receiver = createReceiver({ secret: SECRET, onError, ...options, store })
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

/** The body of a delivery that nobody has seen. */
export function newBody(): string {
  deliveries += 1
  const data = { qr_id: `qr-${deliveries}-${crypto.randomUUID()}`, scan_count: 1 }
  return JSON.stringify({ event: 'qr.scanned', timestamp: new Date().toISOString(), webhook_id: 'wh-001', data })
}

/** A gate that a handler waits at. */
export function createGate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}
