/** Prints JSON in the styles of common programs, to find the style that was signed. */
import { encodeUtf8 } from '../../crypto/encoding.js'
import { type JsonNode, type PrintStyle, printJson, readJson, rewriteScalars } from './json-text.js'

/** The same JSON in another style. */
export interface Printing {
  readonly bytes: Uint8Array
  /** The name of the style in a sentence, such as `compact JSON`. */
  readonly name: string
}

type Layout = readonly [name: string, style: PrintStyle]

const LAYOUTS: readonly Layout[] = [
  ['compact JSON', { colon: ':', comma: ',' }],
  ['JSON with a space after each comma and colon', { colon: ': ', comma: ', ' }],
  ['JSON indented by 2 spaces', { colon: ': ', comma: ',', indent: '  ' }],
  ['JSON indented by 4 spaces', { colon: ': ', comma: ',', indent: '    ' }],
  ['JSON indented by tabs', { colon: ': ', comma: ',', indent: '\t' }],
  ['JSON with a space after each colon', { colon: ': ', comma: ',' }],
]

const SCALARS: readonly (readonly [name: string, scalar: (raw: string) => string])[] = [
  ['', (raw) => raw],
  ['', (raw) => JSON.stringify(JSON.parse(raw))],
  [', non-ASCII characters as \\u escapes', (raw) => escapeNonAscii(decodeString(raw))],
  [
    ', non-ASCII characters as \\u escapes and / as \\/',
    (raw) => escapeNonAscii(decodeString(raw)).replaceAll('/', '\\/'),
  ],
  [', < > & as \\u escapes', (raw) => decodeString(raw).replaceAll(/[<>&\u2028\u2029]/g, toEscape)],
]

/** Returns a string with the fewest escapes; other scalars keep their spelling. */
function decodeString(raw: string): string {
  return raw.startsWith('"') ? JSON.stringify(JSON.parse(raw)) : raw
}

function escapeNonAscii(text: string): string {
  return text.replaceAll(/[\u007f-\uffff]/g, toEscape)
}

function toEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Below this length, a text is printed in every layout; from it on, only in the two usual layouts. */
const ALL_LAYOUTS_BELOW = 64 * 1024

/** A printing may be this long, in characters, and always twice as long as the received text. */
const MIN_PRINTED = 128 * 1024

/** Returns the printings of a JSON text, or an empty list if it isn't JSON. The content of a JSON string is a printing too. */
export function printingsOf(text: string): readonly Printing[] {
  const tree = readJson(text)
  if (!tree) return []
  const content = stringContent(tree)
  const unwrapped =
    content === undefined ? [] : [{ bytes: encodeUtf8(content), name: 'the text inside the JSON string' }]
  const layouts = text.length < ALL_LAYOUTS_BELOW ? [...LAYOUTS, ...LAYOUTS.map(toSorted)] : LAYOUTS.slice(0, 2)
  const maxLength = Math.max(MIN_PRINTED, 2 * text.length)
  const printed = SCALARS.flatMap(([name, scalar]) => printTree(rewriteScalars(tree, scalar), name, layouts, maxLength))
  return [...unwrapped, ...printed]
}

function toSorted([name, style]: Layout): Layout {
  return [`${name}, sorted fields`, { ...style, isSorted: true }]
}

function printTree(
  tree: JsonNode,
  scalars: string,
  layouts: readonly Layout[],
  maxLength: number,
): readonly Printing[] {
  return layouts.flatMap(([layout, style]) => {
    const text = printJson(tree, style, maxLength)
    return text === undefined ? [] : [{ bytes: encodeUtf8(text), name: layout + scalars }]
  })
}

function stringContent(tree: JsonNode): string | undefined {
  const value: unknown = tree.kind === 'scalar' ? JSON.parse(tree.raw) : undefined
  return typeof value === 'string' ? value : undefined
}
