/** Cutting the `signature` member out of a raw text, for the reading that the body is signed before that member is added. */
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { cutSignatureField } from '../../../src/delivery/signed-content.js'

const cut = (text: string) => new TextDecoder().decode(cutSignatureField(new TextEncoder().encode(text)))

describe('one signature at the top level is cut, with the comma that came with it', () => {
  it.each([
    ['last', '{"a":1,"signature":"s"}', '{"a":1}'],
    ['last, spaced as Python prints', '{"a": 1, "signature": "s"}', '{"a": 1}'],
    ['first', '{"signature":"s","a":1}', '{"a":1}'],
    ['first, spaced', '{"signature": "s", "a": 1}', '{"a": 1}'],
    ['in the middle', '{"a":1,"signature":"s","b":2}', '{"a":1,"b":2}'],
    ['in the middle, spaced', '{"a": 1, "signature": "s", "b": 2}', '{"a": 1, "b": 2}'],
    ['alone', '{"signature":"s"}', '{}'],
    ['indented, last', '{\n  "a": 1,\n  "signature": "s"\n}', '{\n  "a": 1\n}'],
    ['indented, first', '{\n  "signature": "s",\n  "a": 1\n}', '{\n  "a": 1\n}'],
    ['null', '{"a":1,"signature":null}', '{"a":1}'],
    ['empty', '{"a":1,"signature":""}', '{"a":1}'],
    ['with blanks all around', ' { "a" : 1 , "signature" : "s" } ', ' { "a" : 1 } '],
    ['with a newline behind the text', '{"a":1,"signature":"s"}\n', '{"a":1}\n'],
    ['with quotes, braces and commas in it', '{"a":1,"signature":"s\\"},{[,"}', '{"a":1}'],
    ['with a backslash at its end', '{"a":1,"signature":"s\\\\"}', '{"a":1}'],
    ['behind a text with braces and quotes', '{"a":"}],\\"{,\\\\","signature":"s"}', '{"a":"}],\\"{,\\\\"}'],
    ['behind an object that has one too', '{"data":{"signature":"x"},"signature":"s"}', '{"data":{"signature":"x"}}'],
    ['behind an array', '{"a":[1,{"b":[]}],"signature":"s"}', '{"a":[1,{"b":[]}]}'],
    ['behind text beyond ASCII', '{"a":"é☕","signature":"s"}', '{"a":"é☕"}'],
  ])('%s', (_, text, rest) => {
    expect(cut(text)).toBe(rest)
  })
})

describe('anything else stays whole', () => {
  it.each([
    ['none', '{"a":1}'],
    ['one in data only', '{"data":{"signature":"s"}}'],
    ['one in an array only', '{"a":[{"signature":"s"}]}'],
    ['two', '{"signature":"s","a":1,"signature":"t"}'],
    ['a number', '{"a":1,"signature":1}'],
    ['an object', '{"a":1,"signature":{"v":"s"}}'],
    ['an array', '{"a":1,"signature":["s"]}'],
    ['a boolean', '{"a":1,"signature":true}'],
    ['a longer name', '{"a":1,"signature2":"s"}'],
    ['another case', '{"a":1,"Signature":"s"}'],
    ['a name spelt with an escape', '{"a":1,"sign\\u0061ture":"s"}'],
    ['a value that is the name', '{"a":"signature"}'],
    ['text that looks like one', '{"a":"\\"signature\\":\\"s\\""}'],
    ['no object', '"signature"'],
    ['nothing', ''],
    ['a text that never ends', '{"a":1,"signature":"s'],
    ['junk before the name', '{"a":1,x"signature":"s"}'],
    ['junk behind the value', '{"a":1,"signature":"s"x}'],
    ['a value of more than 4 KB', `{"a":1,"signature":"${'s'.repeat(5000)}"}`],
  ])('%s', (_, text) => {
    expect(cut(text)).toBe(text)
  })

  test('it is then the very same bytes', () => {
    const bytes = new TextEncoder().encode('{"a":1}')
    expect(cutSignatureField(bytes)).toBe(bytes)
  })
})

describe('whatever the object, what was signed before the member was added comes back byte for byte', () => {
  const fields = fc
    .dictionary(fc.oneof(fc.string(), fc.constantFrom('data', 'event', '__proto__')), fc.jsonValue({ maxDepth: 3 }))
    .map((object) => Object.entries(object).filter(([name]) => name !== 'signature'))
  const signature = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }),
    fc.constant('sha256=a1b2c3d4...'),
    fc.constant(null),
  )

  /** Prints an object as a sender would: compact, as Python's json.dumps does, or over lines. */
  const printers: Record<string, (fields: readonly (readonly [string, unknown])[]) => string> = {
    compact: (list) => `{${list.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`,
    'as Python prints': (list) =>
      `{${list.map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`).join(', ')}}`,
    indented: (list) =>
      list.length === 0
        ? '{}'
        : `{\n${list.map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`).join(',\n')}\n}`,
  }

  it.each(Object.keys(printers).filter((name) => name !== 'indented'))('%s, at any place', (name) => {
    const print = printers[name] as (fields: readonly (readonly [string, unknown])[]) => string
    fc.assert(
      fc.property(fields, signature, fc.nat(), (list, value, at) => {
        const withField = [...list]
        withField.splice(at % (list.length + 1), 0, ['signature', value])
        expect(cut(print(withField))).toBe(print(list))
      }),
      { numRuns: 2000 },
    )
  })

  it('indented, at any place among others', () => {
    const print = printers['indented'] as (fields: readonly (readonly [string, unknown])[]) => string
    fc.assert(
      fc.property(fields, signature, fc.nat(), (list, value, at) => {
        fc.pre(list.length > 0)
        const withField = [...list]
        withField.splice(at % (list.length + 1), 0, ['signature', value])
        expect(cut(print(withField))).toBe(print(list))
      }),
      { numRuns: 1000 },
    )
  })
})

test('no bytes make it throw, and nothing it gives back is longer', () => {
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
