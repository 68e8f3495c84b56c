/** Opens and closes the queues and workers of BullMQ together with their connections. */
import type * as BullMq from 'bullmq'
import { openConnection } from './connection.js'

/** A queue or a worker, and its connection. */
export interface Opened<Engine> {
  readonly engine: Engine
  close(): Promise<void>
}

type Engine = Pick<BullMq.Queue, 'close'> & { on(event: 'error', listener: (error: Error) => void): unknown }

/** Creates a queue or a worker on its own connection. */
export function openEngine<Created extends Engine>(
  connection: BullMq.ConnectionOptions,
  create: (own: BullMq.ConnectionOptions) => Created,
  onError: (error: Error) => void,
): Opened<Created> {
  const own = openConnection(connection)
  try {
    const engine = create(own.connection)
    // Without a listener, Node ends the process when the connection fails.
    engine.on('error', onError)
    return { engine, close: () => engine.close().finally(own.end) }
  } catch (error) {
    own.end()
    throw error
  }
}

/** Keeps one queue open while the inbox runs. */
export interface QueueKeeper<Queue> {
  use<Result>(call: (queue: Queue) => Promise<Result>): Promise<Result>
  /** From now on the queue is kept open. */
  keep(): void
  /** Closes the queue. A later call opens a queue for itself, because a kept connection would keep the process alive. */
  release(): Promise<void>
}

/** Creates a keeper that opens the queue with the first call. */
export function createQueueKeeper<Queue extends Pick<BullMq.Queue, 'waitUntilReady'>>(
  open: () => Opened<Queue>,
): QueueKeeper<Queue> {
  let kept: Opened<Queue> | undefined
  let isKept = true
  const openKept = (): Opened<Queue> => {
    const opened = open()
    // BullMQ never repairs a queue whose first connection failed, so the next call opens another one.
    opened.engine.waitUntilReady().catch(() => {
      if (kept === opened) kept = undefined
      opened.close().catch(() => {})
    })
    return opened
  }
  return {
    async use(call) {
      if (isKept) {
        kept ??= openKept()
        return call(kept.engine)
      }
      const temporary = open()
      try {
        return await call(temporary.engine)
      } finally {
        await temporary.close()
      }
    },
    keep() {
      isKept = true
    },
    async release() {
      isKept = false
      const closing = kept
      kept = undefined
      await closing?.close()
    },
  }
}
