/**
 * Stage 1 of 8, raw body: reads the request body's bytes as they were sent. In: a delivery. Out: its bytes.
 * Refuses methods other than POST, compressed bodies, and bodies that are too large, too slow, incomplete or already parsed. A parsed body
 * is never serialized again, because that yields different bytes.
 */
import type { Clock } from '../clock.js'
import { encodeUtf8, isBytes } from '../crypto/encoding.js'
import { isPromiseLike } from '../maybe-promise.js'
import type { BodyConsumer, BodySource, BodyStream, Delivery, ParsedBody, Refusal } from '../types.js'

/** The limits of reading a body. */
export interface BodyLimits {
  readonly clock: Clock
  readonly maxBodyBytes: number
  readonly bodyDeadlineMs: number
}

const NOT_RAW =
  'The body must be raw bytes, and is something else. Pass the bytes from the socket, before anything parses them.'

/** Refuses a request whose body doesn't have to be read for that; `undefined` if nothing speaks against reading it. */
export function refuseUnread(delivery: Delivery, { maxBodyBytes }: BodyLimits): Refusal | undefined {
  if (delivery.method !== 'POST') return { refused: 'method_not_allowed' }
  if (isEncoded(delivery.header('content-encoding'))) return { refused: 'body_encoded' }
  if (declaredLength(delivery.header('content-length')) > maxBodyBytes) return { refused: 'body_too_large' }
  const { body } = delivery
  return isParsed(body) ? { refused: 'body_already_parsed', hint: body.alreadyParsed } : undefined
}

/** Reads the raw body of a delivery that {@link refuseUnread} doesn't refuse. */
export function readRawBody(
  { body }: Delivery,
  limits: BodyLimits,
): Uint8Array | Refusal | Promise<Uint8Array | Refusal> {
  const bytes = completeBytes(body)
  if (bytes) return bytes.byteLength > limits.maxBodyBytes ? { refused: 'body_too_large' } : bytes
  const stream = toStream(body)
  return stream ? collect(stream, limits) : { refused: 'body_already_parsed', hint: NOT_RAW }
}

/** Returns the bytes of a body that is already complete; `undefined` for a stream or anything that isn't raw. */
export function completeBytes(body: unknown): Uint8Array | undefined {
  if (isBytes(body)) return body
  if (typeof body === 'string') return encodeUtf8(body)
  if (body === null) return new Uint8Array(0)
  // A copy, because the application may use the buffer again.
  return Object.prototype.toString.call(body) === '[object ArrayBuffer]'
    ? new Uint8Array((body as ArrayBuffer).slice(0))
    : undefined
}

function isEncoded(contentEncoding: unknown): boolean {
  if (typeof contentEncoding !== 'string') return false
  const coding = contentEncoding.trim().toLowerCase()
  return coding !== '' && coding !== 'identity'
}

function declaredLength(contentLength: unknown): number {
  return typeof contentLength === 'string' && /^\d+$/.test(contentLength) ? Number(contentLength) : 0
}

function isParsed(body: BodySource): body is ParsedBody {
  return typeof (body as Partial<ParsedBody> | undefined)?.alreadyParsed === 'string'
}

function toStream(body: BodySource): BodyStream | undefined {
  const source = body as Partial<BodyStream & ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>> | undefined
  if (typeof source?.getReader === 'function') {
    return source.locked ? undefined : pump(() => readChunks(source.getReader?.() as unknown as ChunkReader))
  }
  if (typeof source?.[Symbol.asyncIterator] === 'function') {
    return pump(() => (source as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]())
  }
  return typeof source?.read === 'function' ? (source as BodyStream) : undefined
}

interface Chunks {
  next(): Promise<IteratorResult<Uint8Array>>
  return?(): Promise<unknown>
}

interface ChunkReader {
  read(): Promise<IteratorResult<Uint8Array>>
  cancel(): Promise<void>
}

function readChunks(reader: ChunkReader): Chunks {
  return { next: () => reader.read(), return: () => reader.cancel() }
}

/** Turns a pull source into a push source. */
function pump(open: () => Chunks): BodyStream {
  return {
    read(consumer) {
      let stopped = false
      const chunks = open()
      const pull = async (): Promise<void> => {
        try {
          for (;;) {
            const next = await chunks.next()
            if (stopped) return
            if (next.done) return consumer.end()
            consumer.chunk(next.value)
          }
        } catch (error) {
          if (!stopped) consumer.fail(error)
        }
      }
      void pull()
      return () => {
        stopped = true
        void release(chunks)
      }
    },
  }
}

async function release(chunks: Chunks): Promise<void> {
  try {
    await chunks.return?.()
  } catch {
    // Cancelling may fail if the peer has closed the connection. Nothing needs to be saved then.
  }
}

function collect(stream: BodyStream, limits: BodyLimits): Promise<Uint8Array | Refusal> {
  return new Promise((resolve) => {
    const gathered = createGathering()
    let hasEnded = false
    let isRefused = false
    let stop: (() => void) | undefined
    let cancel: (() => void) | undefined
    const finish = (result: Uint8Array | Refusal) => {
      hasEnded = true
      cancel?.()
      resolve(result)
    }
    const refuse = (refusal: Refusal) => {
      if (hasEnded) return
      isRefused = true
      finish(refusal)
      try {
        stop?.()
      } catch {
        // A stream of the application may return anything. An error in a timer would end the process.
      }
    }
    // Most bodies arrive together with their headers, and setting a timer takes longer than checking a signature. So the timer is set later.
    void Promise.resolve().then(() => {
      if (!hasEnded) cancel = limits.clock.setTimer(limits.bodyDeadlineMs, () => refuse({ refused: 'body_timeout' }))
    })
    const consumer: BodyConsumer = {
      chunk(bytes) {
        if (!isBytes(bytes)) return refuse({ refused: 'body_already_parsed', hint: NOT_RAW })
        if (gathered.byteLength() + bytes.byteLength > limits.maxBodyBytes) return refuse({ refused: 'body_too_large' })
        gathered.add(bytes)
      },
      end() {
        if (!hasEnded) finish(gathered.join())
      },
      fail: (error) => refuse({ refused: 'body_read_failed', error }),
    }
    try {
      stop = stream.read(consumer)
      // An async function isn't supported. Its rejection must not end the process.
      if (isPromiseLike(stop)) stop.then(undefined, consumer.fail)
      // The body may be refused within `read`, before there is anything to stop.
      if (isRefused) stop()
    } catch (error) {
      consumer.fail(error)
    }
  })
}

/** Collects chunks. */
interface Gathering {
  byteLength(): number
  add(bytes: Uint8Array): void
  join(): Uint8Array
}

/** The number of chunks that are kept as they are. A sender can choose chunks of one byte, and keeping each would take 100 bytes. */
const KEPT_CHUNKS = 32

function createGathering(): Gathering {
  const chunks: Uint8Array[] = []
  let total = 0
  let buffer: Uint8Array | undefined
  return {
    byteLength: () => total,
    add(bytes) {
      const needed = total + bytes.byteLength
      if (chunks.length < KEPT_CHUNKS) {
        chunks.push(bytes)
      } else {
        if (!buffer || buffer.length < needed) buffer = join(buffer ? [buffer] : chunks, 2 * needed)
        buffer.set(bytes, total)
      }
      total = needed
    },
    join: () =>
      buffer ? buffer.slice(0, total) : chunks.length === 1 ? (chunks[0] as Uint8Array) : join(chunks, total),
  }
}

/** Concatenates the chunks into a buffer of `size` bytes. */
function join(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.byteLength
  }
  return whole
}
