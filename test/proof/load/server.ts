// The server of the proof, a process of its own: the adapter for `node:http`, one handler that counts, and the memory it takes when asked.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toHandler } from '../../../src/adapters/node.js'
import { createReceiver, memoryStore } from '../../../src/index.js'

/** What the server is made with. */
export interface LoadSetup {
  readonly secret: string
  /** `false`: no deduplication. Else the store's `maxKeys`. */
  readonly store: false | number
}

/** What it says about itself. */
export interface LoadState {
  readonly port: number
  readonly handled: number
  /** `heapUsed`, `external` and `arrayBuffers` after a collection, in bytes. */
  readonly memory: number
  readonly reports: number
}

/** Serves until its parent is gone; answers every message with its state. */
export async function serveLoad({ secret, store }: LoadSetup): Promise<void> {
  let handled = 0
  let reports = 0
  const receiver = createReceiver({
    secret,
    store: store === false ? false : memoryStore({ maxKeys: store }),
    // A memory store past its cap says so now and then; nothing else may be told.
    onError({ code }) {
      if (code !== 'store_evicting') reports++
    },
  }).on('qr.scanned', () => void handled++)
  const server = createServer(toHandler(receiver))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const tell = () => process.send?.({ port, handled, memory: memoryNow(), reports } satisfies LoadState)
  process.on('message', tell)
  process.on('disconnect', () => process.exit(0))
  tell()
}

function memoryNow(): number {
  const { gc } = globalThis as { readonly gc?: () => void }
  if (!gc) throw new Error('the server must be started with --expose-gc')
  for (let round = 0; round < 3; round++) gc()
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return heapUsed + external + arrayBuffers
}
