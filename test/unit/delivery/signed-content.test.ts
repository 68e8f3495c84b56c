/** Part of stage 2: cuts the `signature` field out of a raw body, in case GoValid adds that field after it has signed the body. */
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { cutSignatureField } from '../../../src/delivery/signed-content.js'

const cut = (text: string) => new TextDecoder().decode(cutSignatureField(new TextEncoder().encode(text)))

describe('cuts one top-level signature and its comma', () => {
  it.each([
    ['last', '{"a":1,"signature":"s"}', '{"a":1}'],
    ['last, spaced like Python’s json.dumps', '{"a": 1, "signature": "s"}', '{"a": 1}'],
    ['first', '{"signature":"s","a":1}', '{"a":1}'],
    ['first, spaced', '{"signature": "s", "a": 1}', '{"a": 1}'],
    ['in the middle', '{"a":1,"signature":"s","b":2}', '{"a":1,"b":2}'],
    ['in the middle, spaced', '{"a": 1, "signature": "s", "b": 2}', '{"a": 1, "b": 2}'],
    ['alone', '{"signature":"s"}', '{}'],
    ['indented, last', '{\n  "a": 1,\n  "signature": "s"\n}', '{\n  "a": 1\n}'],
    ['indented, first', '{\n  "signature": "s",\n  "a": 1\n}', '{\n  "a": 1\n}'],
    ['null', '{"a":1,"signature":null}', '{"a":1}'],
    ['empty', '{"a":1,"signature":""}', '{"a":1}'],
    ['with spaces everywhere', ' { "a" : 1 , "signature" : "s" } ', ' { "a" : 1 } '],
    ['before a newline at the end', '{"a":1,"signature":"s"}\n', '{"a":1}\n'],
    ['with quotes, braces and commas in it', '{"a":1,"signature":"s\\"},{[,"}', '{"a":1}'],
    ['with a backslash at its end', '{"a":1,"signature":"s\\\\"}', '{"a":1}'],
    ['after a string with braces and quotes', '{"a":"}],\\"{,\\\\","signature":"s"}', '{"a":"}],\\"{,\\\\"}'],
    [
      'after an object that contains one too',
      '{"data":{"signature":"x"},"signature":"s"}',
      '{"data":{"signature":"x"}}',
    ],
    ['after an array', '{"a":[1,{"b":[]}],"signature":"s"}', '{"a":[1,{"b":[]}]}'],
    ['after characters beyond ASCII', '{"a":"é☕","signature":"s"}', '{"a":"é☕"}'],
  ])('%s', (_, text, rest) => {
    expect(cut(text)).toBe(rest)
  })
})

describe('cuts nothing from a body with', () => {
  it.each([
    ['no signature', '{"a":1}'],
    ['a signature in data only', '{"data":{"signature":"s"}}'],
    ['a signature in an array only', '{"a":[{"signature":"s"}]}'],
    ['two signatures', '{"signature":"s","a":1,"signature":"t"}'],
    ['a signature that is a number', '{"a":1,"signature":1}'],
    ['a signature that is an object', '{"a":1,"signature":{"v":"s"}}'],
    ['a signature that is an array', '{"a":1,"signature":["s"]}'],
    ['a signature that is a boolean', '{"a":1,"signature":true}'],
    ['a longer name', '{"a":1,"signature2":"s"}'],
    ['a name in another case', '{"a":1,"Signature":"s"}'],
    ['a name written with an escape', '{"a":1,"sign\\u0061ture":"s"}'],
    ['the name as a value', '{"a":"signature"}'],
    ['a string that looks like a signature', '{"a":"\\"signature\\":\\"s\\""}'],
    ['a string instead of an object', '"signature"'],
    ['no bytes', ''],
    ['a string without its end', '{"a":1,"signature":"s'],
    ['junk before the name', '{"a":1,x"signature":"s"}'],
    ['junk after the value', '{"a":1,"signature":"s"x}'],
    ['a value of more than 4 KB', `{"a":1,"signature":"${'s'.repeat(5000)}"}`],
  ])('%s', (_, text) => {
    expect(cut(text)).toBe(text)
  })

  test('no signature, and returns the same array of bytes', () => {
    const bytes = new TextEncoder().encode('{"a":1}')
    expect(cutSignatureField(bytes)).toBe(bytes)
  })
})

describe('restores the body as it was before the field was added, byte for byte', () => {
  const fields = fc
    .dictionary(fc.oneof(fc.string(), fc.constantFrom('data', 'event', '__proto__')), fc.jsonValue({ maxDepth: 3 }))
    .map((object) => Object.entries(object).filter(([name]) => name !== 'signature'))
  const signature = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }),
    fc.constant('sha256=a1b2c3d4...'),
    fc.constant(null),
  )

  /** Serializes an object as a sender could: compact, like Python's json.dumps, or indented. */
  const printers: Record<string, (fields: readonly (readonly [string, unknown])[]) => string> = {
    compact: (list) => `{${list.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`,
    'spaced like Python’s json.dumps': (list) =>
      `{${list.map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`).join(', ')}}`,
    indented: (list) =>
      list.length === 0
        ? '{}'
        : `{\n${list.map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`).join(',\n')}\n}`,
  }

  it.each(Object.keys(printers).filter((name) => name !== 'indented'))('%s, with the field in any place', (name) => {
    const print = printers[name] as (fields: readonly (readonly [string, unknown])[]) => string
    fc.assert(
      fc.property(fields, signature, fc.nat(), (list, value, position) => {
        const withField = [...list]
        withField.splice(position % (list.length + 1), 0, ['signature', value])
        expect(cut(print(withField))).toBe(print(list))
      }),
      { numRuns: 2000 },
    )
  })

  it('indented, with the field in any place next to other fields', () => {
    const print = printers['indented'] as (fields: readonly (readonly [string, unknown])[]) => string
    fc.assert(
      fc.property(fields, signature, fc.nat(), (list, value, position) => {
        fc.pre(list.length > 0)
        const withField = [...list]
        withField.splice(position % (list.length + 1), 0, ['signature', value])
        expect(cut(print(withField))).toBe(print(list))
      }),
      { numRuns: 1000 },
    )
  })
})

test('never throws and never returns more bytes than it received', () => {
  const near = fc.array(
    fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', ' ', '"signature":"s"', 'null', 'a', 'é'),
  )
  fc.assert(
    fc.property(near, (parts) => {
      const bytes = new TextEncoder().encode(parts.join(''))
      expect(cutSignatureField(bytes).length).toBeLessThanOrEqual(bytes.length)
    }),
    { numRuns: 3000, examples: [[['{', '"signature":"s"', ',', '}']]] },
  )
})
