/** Request bodies in every shape that an adapter can pass to the core. */
import type { BodyConsumer, BodyStream } from '../../src/index.js'

/** A body that a test pushes chunk by chunk. It counts how many times it was stopped. */
export interface PushedBody extends BodyStream {
  /** The receiver's consumer. Throws until the receiver starts to read. */
  readonly consumer: BodyConsumer
  /** How many times the receiver stopped reading. */
  readonly stops: number
}

/** Makes a body that the test pushes. `onRead` is called within `read`, as for a body that has already arrived. */
export function pushedBody(onRead?: (consumer: BodyConsumer) => void): PushedBody {
  let reading: BodyConsumer | undefined
  let stops = 0
  return {
    read(consumer) {
      reading = consumer
      onRead?.(consumer)
      return () => void stops++
    },
    get consumer() {
      if (!reading) throw new Error('the receiver has not started to read this body')
      return reading
    },
    get stops() {
      return stops
    },
  }
}

/** Splits bytes into chunks of `size` bytes. */
export function chunksOf(bytes: Uint8Array, size: number): readonly Uint8Array[] {
  const count = Math.ceil(bytes.length / size)
  return Array.from({ length: count }, (_, index) => bytes.slice(index * size, index * size + size))
}

/** A `ReadableStream` of chunks. `onCancel` is called when the reader cancels it. */
export function streamOf(chunks: readonly Uint8Array[], onCancel: () => void = () => {}): ReadableStream<Uint8Array> {
  const rest = [...chunks]
  return new ReadableStream({
    pull(controller) {
      const next = rest.shift()
      if (next) controller.enqueue(next)
      else controller.close()
    },
    cancel: onCancel,
  })
}

/** An async iterable of chunks. `onReturn` is called when the reader stops before the end. */
export async function* iterableOf(
  chunks: readonly Uint8Array[],
  onReturn: () => void = () => {},
): AsyncIterable<Uint8Array> {
  let isFinished = false
  try {
    for (const chunk of chunks) yield await Promise.resolve(chunk)
    isFinished = true
  } finally {
    if (!isFinished) onReturn()
  }
}
