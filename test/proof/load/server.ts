/** The server of the proof, in its own process: the `node:http` adapter and one handler that counts. Reports its memory on request. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toHandler } from '../../../src/adapters/node.js'
import { createReceiver, memoryStore } from '../../../src/index.js'

/** The setup of the server. */
export interface LoadSetup {
  readonly secret: string
  /** The store's `maxKeys`, or `false` for no deduplication. */
  readonly store: false | number
}

/** The state of the server. */
export interface LoadState {
  readonly port: number
  readonly handled: number
  /** `heapUsed`, `external` and `arrayBuffers` after a collection, in bytes. */
  readonly memory: number
  readonly reports: number
}

/** Serves until its parent disconnects. Sends its state in reply to every message. */
export async function serveLoad({ secret, store }: LoadSetup): Promise<void> {
  let handled = 0
  let reports = 0
  const receiver = createReceiver({
    secret,
    store: store === false ? false : memoryStore({ maxKeys: store }),
    // A memory store past its cap reports `store_evicting`. Any other report is a fault.
    onError({ code }) {
      if (code !== 'store_evicting') reports++
    },
  }).on('qr.scanned', () => void handled++)
  const server = createServer(toHandler(receiver))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const sendState = () => process.send?.({ port, handled, memory: memoryNow(), reports } satisfies LoadState)
  process.on('message', sendState)
  process.on('disconnect', () => process.exit(0))
  sendState()
}

function memoryNow(): number {
  const { gc } = globalThis as { readonly gc?: () => void }
  if (!gc) throw new Error('the server must be started with --expose-gc')
  for (let round = 0; round < 3; round++) gc()
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return heapUsed + external + arrayBuffers
}
