/** JSON as a text: what is read and printed is what the language itself reads and prints. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { printJson, readJson } from '../../../src/testing/explain/json-text.js'
import { printingsOf } from '../../../src/testing/explain/printings.js'

const print = (text: string, style = {}) => {
  const tree = readJson(text)
  return tree && printJson(tree, { colon: ':', comma: ',', ...style })
}

describe('JSON as a text', () => {
  it('is printed as JSON.stringify prints it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2, 4), (value, indent) => {
        const text = JSON.stringify(value, undefined, 3)
        const style = indent === 0 ? {} : { colon: ': ', indent: ' '.repeat(indent) }
        expect(print(text, style)).toBe(JSON.stringify(value, undefined, indent))
      }),
    )
  })

  it('keeps how numbers are written, what is there twice, and the order', () => {
    const text = '{"b": 10.0, "10": 1e2, "a": -0.50, "a": "\\u00e9\\/"}'
    expect(print(text)).toBe('{"b":10.0,"10":1e2,"a":-0.50,"a":"\\u00e9\\/"}')
  })

  it('knows where each value stands', () => {
    const text = ' {"data" : [1, {"x":null}] , "b":true}\n'
    const tree = readJson(text)
    const spans = tree?.kind === 'object' ? tree.fields.map(({ value }) => text.slice(value.start, value.end)) : []
    expect([text.slice(tree?.start, tree?.end), ...spans]).toEqual([
      '{"data" : [1, {"x":null}] , "b":true}',
      '[1, {"x":null}]',
      'true',
    ])
  })

  it.each(['', '{', '{"a":1,}', '[1 2]', 'nul', "{'a':1}"])('does not read %j', (text) => {
    expect(readJson(text)).toBeUndefined()
  })
})

describe('the printings of a body', () => {
  const text = '{"title":"<Kopi/café>","n":10.0}'
  const printed = printingsOf(text).map(({ bytes, name }) => [name, new TextDecoder().decode(bytes)])

  it.each([
    ['compact JSON', '{"title":"<Kopi/café>","n":10.0}'],
    ['JSON with a blank after each comma and colon', '{"title": "<Kopi/café>", "n": 10.0}'],
    [
      'JSON with a blank after each comma and colon, other than ASCII as \\u escapes',
      '{"title": "<Kopi/caf\\u00e9>", "n": 10.0}',
    ],
    ['compact JSON, other than ASCII as \\u escapes and / as \\/', '{"title":"<Kopi\\/caf\\u00e9>","n":10.0}'],
    ['compact JSON, < > & as \\u escapes', '{"title":"\\u003cKopi/café\\u003e","n":10.0}'],
    ['JSON indented by tabs', '{\n\t"title": "<Kopi/café>",\n\t"n": 10.0\n}'],
    ['compact JSON', '{"title":"<Kopi/café>","n":10}'],
    ['compact JSON, members sorted by name', '{"n":10.0,"title":"<Kopi/café>"}'],
  ])('hold %s', (name, expected) => {
    expect(printed).toContainEqual([name, expected])
  })

  it('are none of what is not JSON', () => {
    expect(printingsOf('title=Kopi')).toEqual([])
  })
})
