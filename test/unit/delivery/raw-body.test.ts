/** Stage 1: which bytes come out, and which requests are refused. */
import { describe, expect, it, test, vi } from 'vitest'
import { readRawBody } from '../../../src/delivery/raw-body.js'
import type { BodySource, Delivery } from '../../../src/index.js'
import { fixedClock } from '../../../src/testing/index.js'
import { chunksOf, iterableOf, pushedBody, streamOf } from '../../support/bodies.js'
import { collectGarbage } from '../../support/garbage.js'

const BYTES = new TextEncoder().encode('{"event":"qr.scanned","data":{"qr_title":"Sertifikat é ☕"}}')

function read(body: unknown, headers: Readonly<Record<string, unknown>> = {}, limits: { maxBodyBytes?: number } = {}) {
  const clock = fixedClock(0)
  const delivery: Delivery = { method: 'POST', header: (name) => headers[name], body: body as BodySource }
  return {
    clock,
    result: Promise.resolve(readRawBody(delivery, { clock, maxBodyBytes: 1000, bodyDeadlineMs: 2500, ...limits })),
  }
}

describe('a body that is all there', () => {
  const padded = new Uint8Array(BYTES.length + 9)
  padded.set(BYTES, 5)
  it.each<[string, BodySource]>([
    ['text', new TextDecoder().decode(BYTES)],
    ['a Uint8Array', BYTES],
    ['an ArrayBuffer', BYTES.slice().buffer],
    ['a Buffer', Buffer.from(BYTES)],
    ['a view with an offset', new Uint8Array(padded.buffer, 5, BYTES.length)],
  ])('%s: its bytes', async (_, body) => {
    expect(await read(body).result).toEqual(expect.objectContaining({ length: BYTES.length }))
    expect(Buffer.from((await read(body).result) as Uint8Array).equals(BYTES)).toBe(true)
  })

  test('null: no bytes', async () => {
    expect(await read(null).result).toEqual(new Uint8Array(0))
  })

  test('bytes are handed on as they are, not copied; so is a body of one chunk', async () => {
    expect(await read(BYTES).result).toBe(BYTES)
    expect(await read(iterableOf([BYTES])).result).toBe(BYTES)
  })
})

describe('a body that comes in chunks', () => {
  describe.each<[string, (chunks: readonly Uint8Array[]) => BodySource]>([
    [
      'pushed',
      (chunks) =>
        pushedBody((consumer) => {
          for (const chunk of chunks) consumer.chunk(chunk)
          consumer.end()
        }),
    ],
    ['a ReadableStream', (chunks) => streamOf(chunks)],
    ['an async iterable', (chunks) => iterableOf(chunks)],
  ])('%s', (_, bodyOf) => {
    it.each([1, 2, 3, 7, 1000])('of %i bytes, splits inside characters included: its bytes', async (size) => {
      const { result, clock } = read(bodyOf(chunksOf(BYTES, size)))
      expect(await result).toEqual(BYTES)
      expect(clock.pendingTimers()).toBe(0)
    })

    it('of none: no bytes', async () => {
      expect(await read(bodyOf([])).result).toEqual(new Uint8Array(0))
    })
  })
})

describe('what is refused before a byte is read', () => {
  const never = () => pushedBody(() => expect.unreachable('the body must not be read'))

  it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'post', ''])('method %j', async (method) => {
    const delivery: Delivery = { method, header: () => undefined, body: never() }
    const limits = { clock: fixedClock(0), maxBodyBytes: 1000, bodyDeadlineMs: 2500 }
    expect(await readRawBody(delivery, limits)).toEqual({ refused: 'method_not_allowed' })
  })

  it.each(['gzip', 'br', 'deflate', 'zstd', 'gzip, gzip', 'identity, gzip', ' GZIP '])(
    'encoded as %j',
    async (coding) => {
      expect(await read(never(), { 'content-encoding': coding }).result).toEqual({ refused: 'body_encoded' })
    },
  )

  it.each(['identity', 'Identity', '', ' '])('but not encoded as %j', async (coding) => {
    expect(await read(BYTES, { 'content-encoding': coding }).result).toBe(BYTES)
  })

  it.each(['1001', '1000000000', '99999999999999999999'])('a declared length of %s', async (length) => {
    expect(await read(never(), { 'content-length': length }).result).toEqual({ refused: 'body_too_large' })
  })

  it.each(['1000', '-1', 'x', '1e9', undefined, 5000])('but not a declared length of %s', async (length) => {
    expect(await read(BYTES, { 'content-length': length }).result).toBe(BYTES)
  })
})

describe('the limit', () => {
  const full = new Uint8Array(1000)
  const over = new Uint8Array(1001)

  it('lets through a body of exactly its size', async () => {
    expect(await read(full).result).toBe(full)
    expect(await read(streamOf(chunksOf(full, 100))).result).toEqual(full)
  })

  it('refuses one byte more, all there', async () => {
    expect(await read(over).result).toEqual({ refused: 'body_too_large' })
    expect(await read('x'.repeat(1001)).result).toEqual({ refused: 'body_too_large' })
  })

  it('refuses at the chunk that passes it, and stops reading', async () => {
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

  it('takes no memory for what comes all the same', async () => {
    const body = pushedBody()
    const { result } = read(body)
    const megabyte = new Uint8Array(2 ** 20)
    const before = process.memoryUsage().arrayBuffers
    for (let count = 0; count < 16; count++) body.consumer.chunk(megabyte)
    body.consumer.end()
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20)
    expect(await result).toEqual({ refused: 'body_too_large' })
  })

  it('copies the bytes of small chunks a few times in all, and not all of them for each', async () => {
    const count = 2000
    let copied = 0
    const typedArrays = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array
    const { set } = typedArrays
    const spy = vi.spyOn(typedArrays, 'set').mockImplementation(function (this: Uint8Array, source, offset) {
      copied += source.length
      set.call(this, source, offset)
    })
    const body = pushedBody((consumer) => {
      for (let at = 0; at < count; at++) consumer.chunk(Uint8Array.of(at % 251))
      consumer.end()
    })
    const { result } = read(body, {}, { maxBodyBytes: count })
    spy.mockRestore()
    expect(await result).toEqual(Uint8Array.from({ length: count }, (_, at) => at % 251))
    // Each byte once when it comes; and whenever the room doubles, all that were there.
    expect(copied).toBeGreaterThan(count)
    expect(copied).toBeLessThan(4 * count)
  })

  it('keeps the bytes of small chunks, and not the chunks: each takes a hundred to be kept', async () => {
    const count = 200_000
    const body = pushedBody()
    const { result } = read(body, {}, { maxBodyBytes: count })
    collectGarbage()
    const before = process.memoryUsage()
    for (let at = 0; at < count; at++) body.consumer.chunk(Uint8Array.of(at % 251))
    collectGarbage()
    const after = process.memoryUsage()
    body.consumer.end()
    const whole = (await result) as Uint8Array
    expect(whole.length).toBe(count)
    expect(whole.every((byte, at) => byte === at % 251)).toBe(true)
    expect(whole.buffer.byteLength).toBe(count)
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(10 * count)
  })

  it('asks no more of an iterator that cannot be let go', async () => {
    let asked = 0
    const endless = {
      [Symbol.asyncIterator]: () => ({
        next: async () => (++asked < 10 ? { done: false, value: full } : { done: true, value: undefined }),
      }),
    }
    expect(await read(endless).result).toEqual({ refused: 'body_too_large' })
    await new Promise((resolve) => setImmediate(resolve))
    // The second chunk was too much; one more may be on its way.
    expect(asked).toBeLessThanOrEqual(3)
  })

  it.each([
    ['a ReadableStream', (gaveUp: () => void) => streamOf([full, full, full], gaveUp)],
    ['an async iterable', (gaveUp: () => void) => iterableOf([full, full, full], gaveUp)],
  ])('gives up %s', async (_, bodyOf) => {
    let gaveUp = 0
    expect(await read(bodyOf(() => void gaveUp++)).result).toEqual({ refused: 'body_too_large' })
    await new Promise((resolve) => setImmediate(resolve))
    expect(gaveUp).toBe(1)
  })
})

describe('the deadline', () => {
  it('refuses a body that is not complete in time, and stops reading', async () => {
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

  it('lets go of a stream that never gives a byte', async () => {
    let cancelled = 0
    const silent = new ReadableStream<Uint8Array>({ cancel: () => void cancelled++ })
    const { result, clock } = read(silent)
    await clock.advance(2500)
    expect(await result).toEqual({ refused: 'body_timeout' })
    expect(cancelled).toBe(1)
  })

  it('survives an iterator that throws when it is let go', async () => {
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

describe('a body that breaks off', () => {
  const broken = async function* () {
    yield BYTES
    throw new Error('the peer is gone')
  }
  it.each<[string, unknown]>([
    [
      'pushed',
      pushedBody((consumer) => {
        consumer.chunk(BYTES)
        consumer.fail(new Error('reset'))
      }),
    ],
    [
      'pushed, failing at once',
      {
        read: () => {
          throw new Error('reset')
        },
      },
    ],
    ['a ReadableStream', new ReadableStream({ start: (controller) => controller.error(new Error('reset')) })],
    ['an async iterable', broken()],
    [
      'a reader that throws',
      {
        getReader: () => {
          throw new Error('gone')
        },
      },
    ],
  ])('%s', async (_, body) => {
    const { result, clock } = read(body)
    expect(await result).toEqual({ refused: 'body_read_failed' })
    expect(clock.pendingTimers()).toBe(0)
  })
})

describe('trap: a body that something parsed first is refused at once, never printed again', () => {
  it('says the fix of the adapter', async () => {
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
  ])('%s', async (_, body) => {
    expect(await read(body).result).toMatchObject({
      refused: 'body_already_parsed',
      hint: expect.stringContaining('not raw bytes'),
    })
  })

  it('a stream that somebody else reads', async () => {
    const stream = streamOf([BYTES])
    stream.getReader()
    expect(await read(stream).result).toMatchObject({ refused: 'body_already_parsed' })
  })

  it.each<[string, unknown]>([
    ['text', 'text'],
    ['an object', { a: 1 }],
    ['undefined', undefined],
  ])('chunks that are %s, not bytes; reading stops', async (_, chunk) => {
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
