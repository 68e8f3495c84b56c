/**
 * A process of the proof: its own receiver over the shared store. For each delivery it receives its share of the copies at once and reports
 * how many times its handler ran and how the copies ended.
 */
import { createReceiver, type Delivery } from '../../../src/index.js'
import { PROOF_STORES, type Services } from './stores.js'

/** The setup of a process. */
export interface Setup {
  readonly store: string
  readonly scope: string
  readonly services: Services
  readonly secret: string
}

/** A process's share of the copies of a delivery. */
export interface Share {
  readonly body: string
  readonly signature: string
  readonly copies: number
}

/** The result of a share. */
export interface Findings {
  readonly calls: number
  /** The number of copies that ended with each status. */
  readonly statuses: Readonly<Record<string, number>>
}

/** Runs this process until it receives `end`. */
export async function serveProcess(setup: Setup): Promise<void> {
  const { store, close } = await openStore(setup)
  let calls = 0
  const receiver = createReceiver({ secret: setup.secret, store, onError: () => {} }).on('qr.scanned', async () => {
    calls++
    // The handler takes as long as a small write, so that copies arrive before, during and after it.
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
  if (!found) throw new Error(`the proof has no store ${store}`)
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
