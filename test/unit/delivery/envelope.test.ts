/** Stage 3: which verified bodies are read as events, and which are quarantined. */
import { describe, expect, it, test } from 'vitest'
import { readEnvelope } from '../../../src/delivery/envelope.js'

const bytes = (text: string) => new TextEncoder().encode(text)
const read = (text: string) => readEnvelope(bytes(text))
const EVENT = '{"event":"qr.scanned"}'

describe('reads an event', () => {
  it.each([
    ['as compact JSON', EVENT],
    ['after a BOM', `\ufeff${EVENT}`],
    ['with a newline and spaces after it', `${EVENT}\n  `],
    [
      'whose field appears twice: the last value wins, as with JSON.parse',
      '{"event":"qr.created","event":"qr.scanned"}',
    ],
  ])('%s', (_, text) => {
    expect(read(text)).toMatchObject({ type: 'qr.scanned', payload: { event: 'qr.scanned' } })
  })

  it('with any non-empty name', () => {
    expect(read('{"event":"\\u001b\\r\\n"}')).toMatchObject({ type: '\u001b\r\n' })
    expect(read(JSON.stringify({ event: 'x'.repeat(10_240) }))).toMatchObject({ type: 'x'.repeat(10_240) })
  })
})

describe('keeps in the payload', () => {
  const dataOf = (data: string) => {
    const envelope = read(`{"event":"e","data":${data}}`)
    return 'payload' in envelope ? (envelope.payload['data'] as Record<string, unknown>) : undefined
  }

  test('escaped lone surrogates', () => {
    expect(dataOf('{"a":"\\ud800","b":"\\udfff"}')).toEqual({ a: '\ud800', b: '\udfff' })
  })

  test('an escaped NUL', () => {
    expect(dataOf('{"a":"x\\u0000y"}')).toEqual({ a: 'x\0y' })
  })

  test('numbers beyond the range of a double, and minus zero', () => {
    expect(dataOf('[1e400,-1e400,1e-400,-0]')).toEqual([Infinity, -Infinity, 0, -0])
  })

  test('__proto__, as an ordinary field', () => {
    const data = dataOf('{"__proto__":{"polluted":true},"nested":{"__proto__":null}}')
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype)
    expect(Object.keys(data ?? {})).toEqual(['__proto__', 'nested'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('fields with names that every object inherits', () => {
    const envelope = read('{"event":"e","constructor":1,"toString":2,"hasOwnProperty":3,"prototype":4}')
    expect(envelope).toMatchObject({
      type: 'e',
      payload: { constructor: 1, toString: 2, hasOwnProperty: 3, prototype: 4 },
    })
  })

  test('a nesting of 100,000 levels', () => {
    expect(read(`{"event":"e","data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)).toMatchObject({ type: 'e' })
  })
})

describe('quarantines as not_utf8', () => {
  it.each<[string, readonly number[]]>([
    ['the byte 0xFF', [0xff]],
    ['a lone continuation byte', [0x80]],
    ['an overlong sequence', [0xc0, 0xaf]],
    ['a truncated sequence', [0xe2, 0x98]],
    ['a surrogate as raw bytes', [0xed, 0xa0, 0x80]],
    ['a code point beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ])('%s, which is never silently replaced', (_, bad) => {
    expect(readEnvelope(new Uint8Array([...bytes('{"event":"'), ...bad, ...bytes('"}')]))).toEqual({
      unprocessable: 'not_utf8',
    })
  })

  it('UTF-16 with a BOM', () => {
    expect(readEnvelope(new Uint8Array(Buffer.from(`\ufeff${EVENT}`, 'utf16le')))).toEqual({
      unprocessable: 'not_utf8',
    })
    expect(readEnvelope(new Uint8Array(Buffer.from(`\ufeff${EVENT}`, 'utf16le').swap16()))).toEqual({
      unprocessable: 'not_utf8',
    })
  })

  it('a body without any effect on the next body', () => {
    readEnvelope(new Uint8Array([0xe2, 0x98]))
    expect(read(EVENT)).toMatchObject({ type: 'qr.scanned' })
  })
})

describe('quarantines as not_json', () => {
  it.each([
    ['an empty body', ''],
    ['plain text', '} not json'],
    ['UTF-16 without a BOM', Buffer.from(EVENT, 'utf16le').toString('latin1')],
    ['raw control characters in a string', '{"event":"a\u0001"}'],
    ['a comment', `/* */${EVENT}`],
    ['a trailing comma', '{"event":"e",}'],
    ['NaN', '{"event":"e","data":NaN}'],
    ['single quotes', "{'event':'e'}"],
    ['two BOMs', `\ufeff\ufeff${EVENT}`],
    ['1 MiB of opening brackets', '['.repeat(2 ** 20)],
    ['1 MiB of opening objects', '{"":'.repeat(2 ** 18)],
  ])('%s', (_, text) => {
    expect(read(text)).toEqual({ unprocessable: 'not_json' })
  })
})

describe('quarantines as not_an_event', () => {
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
    expect(read(text)).toEqual({ unprocessable: 'not_an_event' })
  })
})
