/**
 * The process that is killed: a real server that accepts into an inbox and processes its jobs. When it reaches its point for the n-th time,
 * it ends by SIGKILL, without any cleanup and without another response.
 */
import { createServer } from 'node:http'
import { toHandler } from '../../../src/adapters/node.js'
import { createReceiver, type Inbox, type Store } from '../../../src/index.js'
import { KILL_STORES } from '../kill/stores.js'
import { ENGINES, type Services } from './engines.js'

/** The points where a process can die, in the order of a delivery. */
export const POINTS = [
  'before accept',
  'after accept',
  'before claim',
  'after claim',
  'before commit',
  'after effect',
  'after complete',
  'after process',
] as const

/** A point where a process can die. */
export type Point = (typeof POINTS)[number]

/** The setup of a process. */
export interface ProcessSetup {
  readonly engine: string
  readonly scope: string
  readonly services: Services
  readonly secret: string
  /** Whether the handler writes in the store's transaction or with a separate statement. */
  readonly transactional: boolean
  /** The point where it dies, and at which time it is reached. Default: it lives. */
  readonly death?: { readonly point: Point; readonly time: number }
}

/** A message of a process. */
export type Message =
  | { readonly port: number }
  | { readonly key: string | undefined; readonly status: string }
  | { readonly drained: boolean }

/** Serves until it is killed or its parent disconnects. */
export async function serveProcess(setup: ProcessSetup): Promise<void> {
  const engine = ENGINES[setup.engine]
  const opened = engine && KILL_STORES[engine.store]?.open(setup.scope, setup.services)
  if (!engine || !opened) throw new Error(`the proof has no inbox ${setup.engine}`)
  const tell = (message: Message) => process.send?.(message, () => {})
  const reach = createReach(setup.death)
  const receiver = createReceiver({
    secret: setup.secret,
    store: watchedStore(opened.store, reach),
    inbox: watchedInbox(engine.open(setup.scope, setup.services), reach),
    onOutcome: ({ status, idempotencyKey }) => void tell({ key: idempotencyKey, status }),
    onError: () => {},
  }).on('qr.created', async (event, context) => {
    const effect = String(event.data['delivery'])
    if (effect.startsWith('poison')) throw new Error('always fails')
    const { transaction } = context as { transaction?: unknown }
    if (setup.transactional) await opened.writeWithin(transaction, effect, () => reach('before commit'))
    else await opened.writeAlone(effect)
    reach('after effect')
  })
  const server = createServer(toHandler(receiver)).listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (typeof address === 'object' && address) tell({ port: address.port })
  })
  process.on('message', () => {
    receiver.status().then(
      ({ drained }) => tell({ drained: drained === true }),
      () => tell({ drained: false }),
    )
  })
  process.on('disconnect', () => process.exit())
}

function createReach(death: ProcessSetup['death']): (point: Point) => void {
  let times = 0
  return function reach(point) {
    if (point !== death?.point || ++times !== death.time) return
    process.kill(process.pid, 'SIGKILL')
    // The loop blocks the thread, so that the receiver runs no further instruction.
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  }
}

function watchedInbox(inbox: Inbox, reach: (point: Point) => void): Inbox {
  return {
    ...inbox,
    async accept(delivery) {
      reach('before accept')
      await inbox.accept(delivery)
      reach('after accept')
    },
    start: (processJob) =>
      inbox.start?.(async (delivery, attempt) => {
        const outcome = await processJob(delivery, attempt)
        reach('after process')
        return outcome
      }),
  }
}

function watchedStore(store: Store<unknown>, reach: (point: Point) => void): Store<unknown> {
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
    transaction: (request) => store.transaction?.(request),
  }
}
