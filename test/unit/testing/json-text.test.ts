/** Tests of `readJson` and `printJson` against JSON.parse and JSON.stringify, and of the printings of a body. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { printJson, readJson } from '../../../src/testing/explain/json-text.js'
import { printingsOf } from '../../../src/testing/explain/printings.js'

const print = (text: string, style = {}) => {
  const tree = readJson(text)
  return tree && printJson(tree, { colon: ':', comma: ',', ...style })
}

describe('readJson and printJson', () => {
  it('print like JSON.stringify', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2, 4), (value, indent) => {
        const text = JSON.stringify(value, undefined, 3)
        const style = indent === 0 ? {} : { colon: ': ', indent: ' '.repeat(indent) }
        expect(print(text, style)).toBe(JSON.stringify(value, undefined, indent))
      }),
    )
  })

  it('keep the spelling of numbers, repeated fields and the order of fields', () => {
    const text = '{"b": 10.0, "10": 1e2, "a": -0.50, "a": "\\u00e9\\/"}'
    expect(print(text)).toBe('{"b":10.0,"10":1e2,"a":-0.50,"a":"\\u00e9\\/"}')
  })

  it('return the position of each value', () => {
    const text = ' {"data" : [1, {"x":null}] , "b":true}\n'
    const tree = readJson(text)
    const spans = tree?.kind === 'object' ? tree.fields.map(({ value }) => text.slice(value.start, value.end)) : []
    expect([text.slice(tree?.start, tree?.end), ...spans]).toEqual([
      '{"data" : [1, {"x":null}] , "b":true}',
      '[1, {"x":null}]',
      'true',
    ])
  })

  it.each(['', '{', '{"a":1,}', '[1 2]', 'nul', "{'a':1}"])('reject %j', (text) => {
    expect(readJson(text)).toBeUndefined()
  })
})

describe('the printings of a body', () => {
  const text = '{"title":"<Kopi/café>","n":10.0}'
  const printed = printingsOf(text).map(({ bytes, name }) => [name, new TextDecoder().decode(bytes)])

  it.each([
    ['compact JSON', '{"title":"<Kopi/café>","n":10.0}'],
    ['JSON with a space after each comma and colon', '{"title": "<Kopi/café>", "n": 10.0}'],
    [
      'JSON with a space after each comma and colon, non-ASCII characters as \\u escapes',
      '{"title": "<Kopi/caf\\u00e9>", "n": 10.0}',
    ],
    ['compact JSON, non-ASCII characters as \\u escapes and / as \\/', '{"title":"<Kopi\\/caf\\u00e9>","n":10.0}'],
    ['compact JSON, < > & as \\u escapes', '{"title":"\\u003cKopi/café\\u003e","n":10.0}'],
    ['JSON indented by tabs', '{\n\t"title": "<Kopi/café>",\n\t"n": 10.0\n}'],
    ['compact JSON', '{"title":"<Kopi/café>","n":10}'],
    ['compact JSON, sorted fields', '{"n":10.0,"title":"<Kopi/café>"}'],
  ])('include %s', (name, expected) => {
    expect(printed).toContainEqual([name, expected])
  })

  it('are empty for a text that is not JSON', () => {
    expect(printingsOf('title=Kopi')).toEqual([])
  })
})
