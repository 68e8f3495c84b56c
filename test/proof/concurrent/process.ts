/**
 * One of the proof's processes: a receiver of its own over the shared store. For every delivery it is told of, it receives its share of the
 * copies at once, and says how often its handler was called and how the copies were answered.
 */
import { createReceiver, type Delivery } from '../../../src/index.js'
import { PROOF_STORES, type Services } from './stores.js'

/** What a process is told when it starts. */
export interface Setup {
  readonly store: string
  readonly scope: string
  readonly services: Services
  readonly secret: string
}

/** What a process is told for each delivery. */
export interface Share {
  readonly body: string
  readonly signature: string
  readonly copies: number
}

/** What a process says to that. */
export interface Findings {
  readonly calls: number
  /** How many copies ended with each status. */
  readonly statuses: Readonly<Record<string, number>>
}

/** Runs this process until it is told to end. */
export async function serveProcess(setup: Setup): Promise<void> {
  const { store, close } = await openStore(setup)
  let calls = 0
  const receiver = createReceiver({ secret: setup.secret, store, onError: () => {} }).on('qr.scanned', async () => {
    calls++
    // As long as a small write takes: copies come before, during and after it.
    await new Promise((resolve) => setTimeout(resolve, 5))
  })
  process.on('message', (message: Share | 'end') => {
    if (message === 'end')
      return void receiver
        .close()
        .then(close)
        .then(() => process.disconnect())
    calls = 0
    void receiveCopies((delivery) => receiver.receive(delivery), message).then((statuses) => {
      process.send?.({ calls, statuses } satisfies Findings)
    })
  })
  process.send?.('ready')
}

function openStore({ store, scope, services }: Setup) {
  const found = PROOF_STORES[store]
  if (!found) throw new Error(`there is no store ${store} in the proof`)
  return found.open(scope, services)
}

async function receiveCopies(
  receive: (delivery: Delivery) => Promise<{ readonly status: string }>,
  { body, signature, copies }: Share,
): Promise<Findings['statuses']> {
  const delivery: Delivery = {
    method: 'POST',
    header: (name) => (name === 'x-govalid-signature' ? signature : undefined),
    body,
  }
  const statuses: Record<string, number> = {}
  await Promise.all(
    Array.from({ length: copies }, async () => {
      const { status } = await receive(delivery)
      statuses[status] = (statuses[status] ?? 0) + 1
    }),
  )
  return statuses
}
