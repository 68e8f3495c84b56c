/** Passes the same bytes in every way a body can arrive: whole, as text, as a view into other bytes, or pushed or pulled in chunks. */
import type { BodySource, BodyStream } from '../../../src/index.js'
import type { Random } from '../random.js'

type Make = (random: Random, bytes: Uint8Array) => BodySource

const SOURCES: readonly Make[] = [
  (_, bytes) => bytes,
  (_, bytes) => Buffer.from(bytes),
  (_, bytes) => new Uint8Array(bytes).buffer,
  (_, bytes) => viewOf(bytes),
  (_, bytes) => textOf(bytes) ?? bytes,
  (random, bytes) => pushed(cut(random, bytes), true),
  (random, bytes) => pushed(cut(random, bytes), false),
  (random, bytes) => pulled(cut(random, bytes)),
  (random, bytes) => webStream(cut(random, bytes)),
]

/** Makes a random source of the bytes. */
export function bodySource(random: Random, bytes: Uint8Array): BodySource {
  return random.pick(SOURCES)(random, bytes)
}

/** Makes a body that breaks off. */
export function brokenSource(random: Random, bytes: Uint8Array): BodySource {
  const [first = bytes] = cut(random, bytes)
  if (random.chance(0.5)) return failing(first)
  return {
    read(consumer) {
      consumer.chunk(first)
      consumer.fail(new Error('the connection was reset'))
      return () => {}
    },
  }
}

async function* failing(first: Uint8Array): AsyncGenerator<Uint8Array> {
  yield first
  throw new Error('the connection was reset')
}

/** Cuts bytes into chunks anywhere, even inside characters. Some chunks are single bytes or empty. */
function cut(random: Random, bytes: Uint8Array): readonly Uint8Array[] {
  const maxSize = random.pick([1, 7, 64, 4096])
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.byteLength; ) {
    const size = random.chance(0.02) ? 0 : 1 + random.below(maxSize)
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

function pushed(pieces: readonly Uint8Array[], isSynchronous: boolean): BodyStream {
  return {
    read(consumer) {
      let isStopped = false
      const push = () => {
        for (const piece of pieces) if (!isStopped) consumer.chunk(piece)
        if (!isStopped) consumer.end()
      }
      if (isSynchronous) push()
      else queueMicrotask(push)
      return () => {
        isStopped = true
      }
    },
  }
}

async function* pulled(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces
}

function webStream(pieces: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece)
      controller.close()
    },
  })
}

/** A view with an offset, as Node returns from its buffer pool. */
function viewOf(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(bytes.byteLength + 16).fill(0x7b)
  whole.set(bytes, 8)
  return whole.subarray(8, 8 + bytes.byteLength)
}

function textOf(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes).toString()
  return Buffer.from(text).equals(bytes) ? text : undefined
}
