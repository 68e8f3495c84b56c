/** Bodies in every shape in which an adapter may hand one over. */
import type { BodyConsumer, BodyStream } from '../../src/index.js'

/** A body that is pushed when the test says so; counts how often it was stopped. */
export interface PushedBody extends BodyStream {
  /** What the receiver listens with, once it reads. */
  readonly consumer: BodyConsumer
  /** How often reading was stopped. */
  readonly stops: number
}

/** Makes a body that the test pushes; `atOnce` pushes within `read`, as a body that is all there would. */
export function pushedBody(atOnce?: (consumer: BodyConsumer) => void): PushedBody {
  let reading: BodyConsumer | undefined
  let stops = 0
  return {
    read(consumer) {
      reading = consumer
      atOnce?.(consumer)
      return () => void stops++
    },
    get consumer() {
      if (!reading) throw new Error('nobody reads yet')
      return reading
    },
    get stops() {
      return stops
    },
  }
}

/** Splits bytes into chunks of a size. */
export function chunksOf(bytes: Uint8Array, size: number): readonly Uint8Array[] {
  const count = Math.ceil(bytes.length / size)
  return Array.from({ length: count }, (_, index) => bytes.slice(index * size, index * size + size))
}

/** A `ReadableStream` of chunks; `onCancel` hears that the reader gave up. */
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

/** An async iterable of chunks; `onReturn` hears that the reader gave up. */
export async function* iterableOf(
  chunks: readonly Uint8Array[],
  onReturn: () => void = () => {},
): AsyncIterable<Uint8Array> {
  let finished = false
  try {
    for (const chunk of chunks) yield await Promise.resolve(chunk)
    finished = true
  } finally {
    if (!finished) onReturn()
  }
}
