/** Stage 3: which verified bodies are events. */
import { describe, expect, it, test } from 'vitest'
import { readEnvelope } from '../../../src/delivery/envelope.js'

const bytes = (text: string) => new TextEncoder().encode(text)
const read = (text: string) => readEnvelope(bytes(text))
const EVENT = '{"event":"qr.scanned"}'

describe('an envelope', () => {
  it.each([
    ['as compact JSON', EVENT],
    ['86: behind a BOM', `\ufeff${EVENT}`],
    ['103: with a newline and blanks behind', `${EVENT}\n  `],
    ['100: with a member twice: the last wins, as JSON.parse reads it', '{"event":"qr.created","event":"qr.scanned"}'],
  ])('%s', (_, text) => {
    expect(read(text)).toMatchObject({ type: 'qr.scanned', payload: { event: 'qr.scanned' } })
  })

  it('101: of any non-empty name', () => {
    expect(read('{"event":"\\u001b\\r\\n"}')).toMatchObject({ type: '\u001b\r\n' })
    expect(read(JSON.stringify({ event: 'x'.repeat(10_240) }))).toMatchObject({ type: 'x'.repeat(10_240) })
  })
})

describe('what is in the payload stays as it was sent', () => {
  const dataOf = (data: string) => {
    const envelope = read(`{"event":"e","data":${data}}`)
    return 'payload' in envelope ? (envelope.payload['data'] as Record<string, unknown>) : undefined
  }

  test('89: lone surrogates, escaped', () => {
    expect(dataOf('{"a":"\\ud800","b":"\\udfff"}')).toEqual({ a: '\ud800', b: '\udfff' })
  })

  test('91: NUL, escaped', () => {
    expect(dataOf('{"a":"x\\u0000y"}')).toEqual({ a: 'x\0y' })
  })

  test('96: numbers beyond the range of a double, and minus zero', () => {
    expect(dataOf('[1e400,-1e400,1e-400,-0]')).toEqual([Infinity, -Infinity, 0, -0])
  })

  test('98: __proto__ is a member like any other', () => {
    const data = dataOf('{"__proto__":{"polluted":true},"nested":{"__proto__":null}}')
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype)
    expect(Object.keys(data ?? {})).toEqual(['__proto__', 'nested'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('99: names that objects inherit', () => {
    const envelope = read('{"event":"e","constructor":1,"toString":2,"hasOwnProperty":3,"prototype":4}')
    expect(envelope).toMatchObject({
      type: 'e',
      payload: { constructor: 1, toString: 2, hasOwnProperty: 3, prototype: 4 },
    })
  })

  test('93: 100,000 levels deep', () => {
    expect(read(`{"event":"e","data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)).toMatchObject({ type: 'e' })
  })
})

describe('is not UTF-8', () => {
  it.each<[string, readonly number[]]>([
    ['87: 0xFF', [0xff]],
    ['87: a lone continuation', [0x80]],
    ['87: overlong', [0xc0, 0xaf]],
    ['87: truncated', [0xe2, 0x98]],
    ['90: a surrogate as raw bytes', [0xed, 0xa0, 0x80]],
    ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ])('%s: never quietly replaced', (_, bad) => {
    expect(readEnvelope(new Uint8Array([...bytes('{"event":"'), ...bad, ...bytes('"}')]))).toEqual({
      unworkable: 'not_utf8',
    })
  })

  it('88: UTF-16 with its mark', () => {
    expect(readEnvelope(new Uint8Array(Buffer.from(`\ufeff${EVENT}`, 'utf16le')))).toEqual({ unworkable: 'not_utf8' })
    expect(readEnvelope(new Uint8Array(Buffer.from(`\ufeff${EVENT}`, 'utf16le').swap16()))).toEqual({
      unworkable: 'not_utf8',
    })
  })

  it('and the next body is read as if nothing had been', () => {
    readEnvelope(new Uint8Array([0xe2, 0x98]))
    expect(read(EVENT)).toMatchObject({ type: 'qr.scanned' })
  })
})

describe('is not JSON', () => {
  it.each([
    ['46: nothing', ''],
    ['81: text', '} not json'],
    ['88: UTF-16 without a mark', Buffer.from(EVENT, 'utf16le').toString('latin1')],
    ['92: raw control characters in a text', '{"event":"a\u0001"}'],
    ['102: a comment', `/* */${EVENT}`],
    ['102: a trailing comma', '{"event":"e",}'],
    ['102: NaN', '{"event":"e","data":NaN}'],
    ['102: single quotes', "{'event':'e'}"],
    ['two BOMs', `\ufeff\ufeff${EVENT}`],
    ['94: 1 MiB of opened brackets', '['.repeat(2 ** 20)],
    ['94: 1 MiB of opened objects', '{"":'.repeat(2 ** 18)],
  ])('%s', (_, text) => {
    expect(read(text)).toEqual({ unworkable: 'not_json' })
  })
})

describe('is not an event', () => {
  it.each([
    ...[
      'null',
      'true',
      '12',
      '"x"',
      '[]',
      `[${EVENT}]`,
      '{}',
      '{"event":null}',
      '{"event":1}',
      '{"event":["qr.scanned"]}',
    ],
    ...['{"event":{}}', '{"event":""}', '{"Event":"qr.scanned"}', '{"__proto__":{"event":"qr.scanned"}}'],
  ])('%s', (text) => {
    expect(read(text)).toEqual({ unworkable: 'not_an_event' })
  })
})
