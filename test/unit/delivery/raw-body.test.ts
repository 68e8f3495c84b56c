/** Stage 1: the bytes that a body yields, and the requests that are refused. */
import { describe, expect, it, test, vi } from 'vitest'
import { type BodyLimits, readRawBody, refuseUnread } from '../../../src/delivery/raw-body.js'
import type { BodySource, Delivery } from '../../../src/index.js'
import { fixedClock } from '../../../src/testing/index.js'
import { chunksOf, iterableOf, pushedBody, streamOf } from '../../support/bodies.js'
import { collectGarbage } from '../../support/garbage.js'

const BYTES = new TextEncoder().encode('{"event":"qr.scanned","data":{"qr_title":"Sertifikat é ☕"}}')

const readOrRefuse = (delivery: Delivery, limits: BodyLimits) =>
  refuseUnread(delivery, limits) ?? readRawBody(delivery, limits)

function read(body: unknown, headers: Readonly<Record<string, unknown>> = {}, limits: { maxBodyBytes?: number } = {}) {
  const clock = fixedClock(0)
  const delivery: Delivery = { method: 'POST', header: (name) => headers[name], body: body as BodySource }
  return {
    clock,
    result: Promise.resolve(readOrRefuse(delivery, { clock, maxBodyBytes: 1000, bodyDeadlineMs: 2500, ...limits })),
  }
}

describe('a complete body yields its bytes', () => {
  const padded = new Uint8Array(BYTES.length + 9)
  padded.set(BYTES, 5)
  it.each<[string, BodySource]>([
    ['a string', new TextDecoder().decode(BYTES)],
    ['a Uint8Array', BYTES],
    ['an ArrayBuffer', BYTES.slice().buffer],
    ['a Buffer', Buffer.from(BYTES)],
    ['a view with an offset', new Uint8Array(padded.buffer, 5, BYTES.length)],
  ])('from %s', async (_, body) => {
    expect(await read(body).result).toEqual(expect.objectContaining({ length: BYTES.length }))
    expect(Buffer.from((await read(body).result) as Uint8Array).equals(BYTES)).toBe(true)
  })

  test('from null: no bytes', async () => {
    expect(await read(null).result).toEqual(new Uint8Array(0))
  })

  test('without a copy, even if it arrives as one chunk', async () => {
    expect(await read(BYTES).result).toBe(BYTES)
    expect(await read(iterableOf([BYTES])).result).toBe(BYTES)
  })
})

describe('a body in chunks', () => {
  describe.each<[string, (chunks: readonly Uint8Array[]) => BodySource]>([
    [
      'pushed chunks',
      (chunks) =>
        pushedBody((consumer) => {
          for (const chunk of chunks) consumer.chunk(chunk)
          consumer.end()
        }),
    ],
    ['a ReadableStream', (chunks) => streamOf(chunks)],
    ['an async iterable', (chunks) => iterableOf(chunks)],
  ])('from %s', (_, bodyOf) => {
    it.each([1, 2, 3, 7, 1000])(
      'of %i bytes yields its bytes, even if a chunk ends inside a character',
      async (size) => {
        const { result, clock } = read(bodyOf(chunksOf(BYTES, size)))
        expect(await result).toEqual(BYTES)
        expect(clock.pendingTimers()).toBe(0)
      },
    )

    it('yields no bytes without a chunk', async () => {
      expect(await read(bodyOf([])).result).toEqual(new Uint8Array(0))
    })
  })
})

describe('before reading the body, refuses', () => {
  const never = () => pushedBody(() => expect.unreachable('the body must not be read'))

  it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'post', ''])('the method %j', async (method) => {
    const delivery: Delivery = { method, header: () => undefined, body: never() }
    const limits = { clock: fixedClock(0), maxBodyBytes: 1000, bodyDeadlineMs: 2500 }
    expect(await readOrRefuse(delivery, limits)).toEqual({ refused: 'method_not_allowed' })
  })

  it.each(['gzip', 'br', 'deflate', 'zstd', 'gzip, gzip', 'identity, gzip', ' GZIP '])(
    'the content encoding %j',
    async (coding) => {
      expect(await read(never(), { 'content-encoding': coding }).result).toEqual({ refused: 'body_encoded' })
    },
  )

  it.each(['identity', 'Identity', '', ' '])('but not the content encoding %j', async (coding) => {
    expect(await read(BYTES, { 'content-encoding': coding }).result).toBe(BYTES)
  })

  it.each(['1001', '1000000000', '99999999999999999999'])('a declared length of %s', async (length) => {
    expect(await read(never(), { 'content-length': length }).result).toEqual({ refused: 'body_too_large' })
  })

  it.each(['1000', '-1', 'x', '1e9', undefined, 5000])('but not a declared length of %s', async (length) => {
    expect(await read(BYTES, { 'content-length': length }).result).toBe(BYTES)
  })
})

describe('the size limit', () => {
  const full = new Uint8Array(1000)
  const over = new Uint8Array(1001)

  it('accepts a body of exactly this size', async () => {
    expect(await read(full).result).toBe(full)
    expect(await read(streamOf(chunksOf(full, 100))).result).toEqual(full)
  })

  it('refuses a complete body with one byte more', async () => {
    expect(await read(over).result).toEqual({ refused: 'body_too_large' })
    expect(await read('x'.repeat(1001)).result).toEqual({ refused: 'body_too_large' })
  })

  it('refuses a body at the chunk that exceeds it, and stops reading', async () => {
    const body = pushedBody()
    const { result, clock } = read(body)
    body.consumer.chunk(full)
    expect(body.stops).toBe(0)
    body.consumer.chunk(new Uint8Array(1))
    expect(await result).toEqual({ refused: 'body_too_large' })
    expect(body.stops).toBe(1)
    expect(clock.pendingTimers()).toBe(0)
    body.consumer.chunk(full)
    body.consumer.end()
    expect(body.stops).toBe(1)
  })

  it('uses no memory for chunks that arrive after the refusal', async () => {
    const body = pushedBody()
    const { result } = read(body)
    const megabyte = new Uint8Array(2 ** 20)
    const before = process.memoryUsage().arrayBuffers
    for (let count = 0; count < 16; count++) body.consumer.chunk(megabyte)
    body.consumer.end()
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20)
    expect(await result).toEqual({ refused: 'body_too_large' })
  })

  it('copies the bytes of small chunks only when the buffer doubles, not with every chunk', async () => {
    const count = 2000
    let copied = 0
    const typedArrays = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array
    const { set } = typedArrays
    const spy = vi.spyOn(typedArrays, 'set').mockImplementation(function (this: Uint8Array, source, offset) {
      copied += source.length
      set.call(this, source, offset)
    })
    const body = pushedBody((consumer) => {
      for (let index = 0; index < count; index++) consumer.chunk(Uint8Array.of(index % 251))
      consumer.end()
    })
    const { result } = read(body, {}, { maxBodyBytes: count })
    spy.mockRestore()
    expect(await result).toEqual(Uint8Array.from({ length: count }, (_, index) => index % 251))
    // Each byte is copied once when it arrives, and again whenever the buffer doubles.
    expect(copied).toBeGreaterThan(count)
    expect(copied).toBeLessThan(4 * count)
  })

  // An array object takes about a hundred bytes, however small its content is.
  it('keeps the bytes of small chunks instead of the chunk objects', async () => {
    const count = 200_000
    const body = pushedBody()
    const { result } = read(body, {}, { maxBodyBytes: count })
    collectGarbage()
    const before = process.memoryUsage()
    for (let index = 0; index < count; index++) body.consumer.chunk(Uint8Array.of(index % 251))
    collectGarbage()
    const after = process.memoryUsage()
    body.consumer.end()
    const whole = (await result) as Uint8Array
    expect(whole.length).toBe(count)
    expect(whole.every((byte, index) => byte === index % 251)).toBe(true)
    expect(whole.buffer.byteLength).toBe(count)
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(10 * count)
  })

  it('stops reading an iterator that can’t be canceled', async () => {
    let reads = 0
    const endless = {
      [Symbol.asyncIterator]: () => ({
        next: async () => (++reads < 10 ? { done: false, value: full } : { done: true, value: undefined }),
      }),
    }
    expect(await read(endless).result).toEqual({ refused: 'body_too_large' })
    await new Promise((resolve) => setImmediate(resolve))
    // The second chunk exceeds the limit, and one more may already be requested.
    expect(reads).toBeLessThanOrEqual(3)
  })

  it.each([
    ['a ReadableStream', (onCancel: () => void) => streamOf([full, full, full], onCancel)],
    ['an async iterable', (onCancel: () => void) => iterableOf([full, full, full], onCancel)],
  ])('cancels %s', async (_, bodyOf) => {
    let canceled = 0
    expect(await read(bodyOf(() => void canceled++)).result).toEqual({ refused: 'body_too_large' })
    await new Promise((resolve) => setImmediate(resolve))
    expect(canceled).toBe(1)
  })
})

describe('the body deadline', () => {
  it('refuses a body that isn’t complete in time, and stops reading', async () => {
    const body = pushedBody()
    const { result, clock } = read(body)
    body.consumer.chunk(BYTES)
    await clock.advance(2499)
    expect(body.stops).toBe(0)
    await clock.advance(1)
    expect(await result).toEqual({ refused: 'body_timeout' })
    expect(body.stops).toBe(1)
    body.consumer.end()
  })

  it('cancels a stream that never yields a byte', async () => {
    let canceled = 0
    const silent = new ReadableStream<Uint8Array>({ cancel: () => void canceled++ })
    const { result, clock } = read(silent)
    await clock.advance(2500)
    expect(await result).toEqual({ refused: 'body_timeout' })
    expect(canceled).toBe(1)
  })

  it('ignores an iterator that throws when it is canceled', async () => {
    const stubborn = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        return: () => {
          throw new Error('no')
        },
      }),
    }
    const { result, clock } = read(stubborn)
    await clock.advance(2500)
    expect(await result).toEqual({ refused: 'body_timeout' })
  })
})

describe('a stream of the application that can’t be stopped:', () => {
  it.each<[string, () => unknown]>([
    [
      'stopping throws',
      () => () => {
        throw new Error('no')
      },
    ],
    ['read returns a text', () => 'stop'],
    ['read is an async function', async () => {}],
  ])('%s', async (_, readBody) => {
    const { result, clock } = read({ read: readBody })
    await clock.advance(2500)
    expect(await result).toEqual({ refused: 'body_timeout' })
  })
})

describe('refuses a body that fails while it is read', () => {
  const broken = async function* () {
    yield BYTES
    throw new Error('the peer closed the connection')
  }
  it.each<[string, unknown]>([
    [
      'from pushed chunks',
      pushedBody((consumer) => {
        consumer.chunk(BYTES)
        consumer.fail(new Error('reset'))
      }),
    ],
    [
      'before the first chunk',
      {
        read: () => {
          throw new Error('reset')
        },
      },
    ],
    [
      'in an async function',
      {
        async read() {
          throw new Error('reset')
        },
      },
    ],
    ['from a ReadableStream', new ReadableStream({ start: (controller) => controller.error(new Error('reset')) })],
    ['from an async iterable', broken()],
    [
      'from a reader that throws',
      {
        getReader: () => {
          throw new Error('reset')
        },
      },
    ],
  ])('%s', async (_, body) => {
    const { result, clock } = read(body)
    expect(await result).toMatchObject({ refused: 'body_read_failed' })
    expect(clock.pendingTimers()).toBe(0)
  })
})

describe('trap: refuses a body that something has already parsed, and never serializes it again', () => {
  it('with the adapter’s fix', async () => {
    const fix = 'mount the handler before express.json()'
    expect(await read({ alreadyParsed: fix }).result).toEqual({ refused: 'body_already_parsed', hint: fix })
  })

  it.each<[string, unknown]>([
    ['a parsed object', { event: 'qr.scanned' }],
    ['an array', [1]],
    ['a number', 12],
    ['true', true],
    ['undefined', undefined],
    ['a function', () => BYTES],
  ])('that is %s', async (_, body) => {
    expect(await read(body).result).toMatchObject({
      refused: 'body_already_parsed',
      hint: expect.stringContaining('must be raw bytes'),
    })
  })

  it('that is a stream with another reader', async () => {
    const stream = streamOf([BYTES])
    stream.getReader()
    expect(await read(stream).result).toMatchObject({ refused: 'body_already_parsed' })
  })

  it.each<[string, unknown]>([
    ['strings', 'text'],
    ['objects', { a: 1 }],
    ['undefined', undefined],
  ])('whose chunks are %s instead of bytes, and stops reading', async (_, chunk) => {
    const later = pushedBody()
    const { result } = read(later)
    later.consumer.chunk(chunk as Uint8Array)
    expect(await result).toMatchObject({ refused: 'body_already_parsed' })
    expect(later.stops).toBe(1)
    const atOnce = pushedBody((consumer) => consumer.chunk(chunk as Uint8Array))
    expect(await read(atOnce).result).toMatchObject({ refused: 'body_already_parsed' })
    expect(atOnce.stops).toBe(1)
  })
})
