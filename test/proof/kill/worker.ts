/**
 * The process that is killed: a real server with a receiver over a durable store. When it reaches its point for the n-th time, it ends by
 * SIGKILL, without any cleanup and without another response.
 */
import { createServer } from 'node:http'
import { toHandler } from '../../../src/adapters/node.js'
import { createReceiver, type Store } from '../../../src/index.js'
import type { TransactionRequest } from '../../../src/stores/store.js'
import { KILL_STORES, type Services } from './stores.js'

/** The points where a process can die, in the order of a delivery. */
export const POINTS = [
  'before claim',
  'in a group',
  'after claim',
  'before commit',
  'after effect',
  'after complete',
  'before the response',
] as const

/** A point where a process can die. */
export type Point = (typeof POINTS)[number]

/** The setup of a worker. */
export interface WorkerSetup {
  readonly store: string
  readonly scope: string
  readonly services: Services
  readonly secret: string
  /** Whether the handler writes in the store's transaction or with a separate statement. */
  readonly transactional: boolean
  /** The point where it dies, and at which time it is reached. Default: it lives. */
  readonly death?: { readonly point: Point; readonly time: number }
  /** How long its handler waits before it writes, after it has reported that it runs. */
  readonly pauseMs?: number
}

/** Serves until it is killed or its parent disconnects. */
export async function serveWorker(setup: WorkerSetup): Promise<void> {
  const found = KILL_STORES[setup.store]
  if (!found) throw new Error(`the proof has no store ${setup.store}`)
  const reach = createReach(setup.death)
  const { store, writeWithin, writeAlone } = found.open(setup.scope, setup.services, () => reach('in a group'))
  const receiver = createReceiver({
    secret: setup.secret,
    store: watched(store, reach),
    onOutcome: ({ status }) => status === 'processed' && reach('before the response'),
    onError: () => {},
  }).on('qr.created', async (event, context) => {
    const effect = String(event.data['delivery'])
    if (setup.pauseMs !== undefined) await pause(setup.pauseMs)
    const { transaction } = context as { transaction?: unknown }
    if (setup.transactional) await writeWithin(transaction, effect, () => reach('before commit'))
    else await writeAlone(effect)
    reach('after effect')
  })
  const handle = toHandler(receiver)
  const server = createServer((request, response) => void handle(request, response))
  server.listen(0, '127.0.0.1', () => process.send?.(server.address()))
  process.on('disconnect', () => process.exit())
}

async function pause(ms: number): Promise<void> {
  process.send?.('in the handler')
  await new Promise((resolve) => setTimeout(resolve, ms))
}

function createReach(death: WorkerSetup['death']): (point: Point) => void {
  let times = 0
  return function reach(point) {
    if (point !== death?.point || ++times !== death.time) return
    process.kill(process.pid, 'SIGKILL')
    // The loop blocks the thread, so that the receiver runs no further instruction.
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  }
}

/** Wraps a store with the points before and after its calls. */
function watched(store: Store<unknown>, reach: (point: Point) => void): Store<unknown> {
  return {
    ...store,
    async claim(request) {
      reach('before claim')
      const result = await store.claim(request)
      if (result.status === 'claimed') reach('after claim')
      return result
    },
    async complete(request) {
      const completed = await store.complete(request)
      reach('after complete')
      return completed
    },
    transaction: (request: TransactionRequest) => store.transaction?.(request),
  }
}
