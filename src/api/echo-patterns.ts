/** Finds a text in the response of a server, in every encoding that a server plausibly echoes it in. */

/** Creates expressions that match a text: plain, escaped (JSON, Python, HTML, URL, also twice), in base64, base64url and hex. */
export function echoPatterns(text: string): readonly RegExp[] {
  // Servers trim form fields, so a secret that ends with a newline comes back without it.
  const variants = [...new Set([text, text.trim()])].filter((variant) => variant !== '')
  // A whole request body in base64 or hex contains the text as JSON.
  const encoded = new Set(variants.flatMap((variant) => [variant, ...asJson(variant)]))
  const sources = [
    ...variants.map(escapedSource),
    ...[...encoded].flatMap((variant) => {
      const bytes = new TextEncoder().encode(variant)
      return [...hexSources(bytes), ...base64Sources(bytes)]
    }),
  ]
  // Longest first, so that no part of a longer form remains.
  return sources.sort((a, b) => b.length - a.length).map((source) => new RegExp(source, 'gi'))
}

function asJson(text: string): readonly string[] {
  const json = JSON.stringify(text).slice(1, -1)
  return [json, json.replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${hex(unit.charCodeAt(0), 4)}`)]
}

const HTML_NAMES: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' }
const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't' }

/** The backslashes of a text that was escaped up to four times. Without a limit, a long row of them would be searched from each of them. */
const SLASHES = '\\\\{1,16}'

/** Matches each character in any escaped form, so that mixed and repeated escaping is found too. */
function escapedSource(text: string): string {
  return [...text].map((character) => `(?:${escapesOf(character).join('|')})`).join('')
}

function escapesOf(character: string): readonly string[] {
  const point = character.codePointAt(0) as number
  const units = Array.from(character, (_, index) => character.charCodeAt(index))
  const bytes = [...new TextEncoder().encode(character)]
  const name = HTML_NAMES[character]
  const short = SHORT_ESCAPES[character]
  return [
    // An escaping backslash, for example `\/`. A backslash itself comes back as a row of backslashes.
    character === '\\'
      ? SLASHES
      : /[\p{P}\p{S}]/u.test(character)
        ? `(?:${SLASHES})?${literal(character)}`
        : literal(character),
    units.map((unit) => `${SLASHES}u${hex(unit, 4)}`).join(''),
    bytes.map((byte) => `%(?:25)*${hex(byte, 2)}`).join(''),
    `&(?:amp;)*#0*${point};`,
    `&(?:amp;)*#x0*${hex(point, 1)};`,
    ...(point < 256 ? [`${SLASHES}x${hex(point, 2)}`] : []),
    ...(character === ' ' ? ['\\+'] : []),
    ...(name === undefined ? [] : [`&(?:amp;)*${name};`]),
    ...(short === undefined ? [] : [`${SLASHES}${short}`]),
  ]
}

function literal(text: string): string {
  return Array.from({ length: text.length }, (_, index) => `\\u${hex(text.charCodeAt(index), 4)}`).join('')
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}

const MIN_BYTES = 4

/** The end of a line, also as an escape in a text. Several encoders write lines of 60 to 76 characters. */
const BREAK = `\\s|${SLASHES}[rn]`

/** Matches hex with and without separators. A very short text would match unrelated digits. */
function hexSources(bytes: Uint8Array): readonly string[] {
  return bytes.length < MIN_BYTES ? [] : [[...bytes].map((byte) => hex(byte, 2)).join(`(?:[:-]|${BREAK}){0,4}`)]
}

/**
 * Matches base64 of the text, alone or as a part of a longer text such as `user:key`. Other bytes before the text shift its base64 by a
 * third of a character group, so there are three forms.
 */
function base64Sources(bytes: Uint8Array): readonly string[] {
  if (bytes.length < MIN_BYTES) return []
  return [0, 1, 2].map((before) => {
    const encoded = btoa(String.fromCharCode(...new Uint8Array(before), ...bytes)).replace(/=+$/, '')
    const isPartial = (before + bytes.length) % 3 !== 0
    const own = encoded.slice(before === 0 ? 0 : before + 1, isPartial ? -1 : undefined)
    const forms = [...own].map((character) => (character === '+' ? PLUS : character === '/' ? SLASH : character))
    const inner = forms.join(`(?:${BREAK}){0,4}`)
    return `(?:${BASE64}){0,3}${inner}(?:${BASE64}){0,3}(?:=|%3d){0,2}`
  })
}

const PLUS = `(?:\\+|-|%2b|${SLASHES}u002b)`
const SLASH = `(?:(?:${SLASHES})?/|_|%2f)`
const BASE64 = `[a-z0-9]|${PLUS}|${SLASH}`
