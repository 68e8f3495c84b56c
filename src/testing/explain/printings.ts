/** The ways in which programs print JSON, for finding out which one signed. In: a body. Out: every other printing of it, with its name. */
import { encodeUtf8 } from '../../crypto/encoding.js'
import { type JsonNode, type PrintStyle, printJson, readJson, rewriteScalars } from './json-text.js'

/** Another printing of the same JSON. */
export interface Printing {
  readonly bytes: Uint8Array
  /** What it is called in a sentence: `compact JSON`. */
  readonly name: string
}

type Layout = readonly [name: string, style: PrintStyle]

const LAYOUTS: readonly Layout[] = [
  ['compact JSON', { colon: ':', comma: ',' }],
  ['JSON with a blank after each comma and colon', { colon: ': ', comma: ', ' }],
  ['JSON indented by 2', { colon: ': ', comma: ',', indent: '  ' }],
  ['JSON indented by 4', { colon: ': ', comma: ',', indent: '    ' }],
  ['JSON indented by tabs', { colon: ': ', comma: ',', indent: '\t' }],
  ['JSON with a blank after each colon', { colon: ': ', comma: ',' }],
]

const SCALARS: readonly (readonly [name: string, scalar: (raw: string) => string])[] = [
  ['', (raw) => raw],
  ['', (raw) => JSON.stringify(JSON.parse(raw))],
  [', other than ASCII as \\u escapes', (raw) => escapeNonAscii(decodeString(raw))],
  [', other than ASCII as \\u escapes and / as \\/', (raw) => escapeNonAscii(decodeString(raw)).replaceAll('/', '\\/')],
  [', < > & as \\u escapes', (raw) => decodeString(raw).replaceAll(/[<>&\u2028\u2029]/g, toEscape)],
]

/** A string in its plainest form; any other scalar as it is written. */
function decodeString(raw: string): string {
  return raw.startsWith('"') ? JSON.stringify(JSON.parse(raw)) : raw
}

function escapeNonAscii(text: string): string {
  return text.replaceAll(/[\u007f-\uffff]/g, toEscape)
}

function toEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

const ALL_BELOW = 64 * 1024

/**
 * Every way to print a text's JSON, and of a large one the usual ways; none when it is not JSON. A JSON string that holds JSON is also
 * read as what it holds.
 */
export function printingsOf(text: string): readonly Printing[] {
  const tree = readJson(text)
  if (!tree) return []
  const held = textHeld(tree)
  const unwrapped = held === undefined ? [] : [{ bytes: encodeUtf8(held), name: 'the JSON inside the JSON string' }]
  const layouts = text.length < ALL_BELOW ? [...LAYOUTS, ...LAYOUTS.map(toSorted)] : LAYOUTS.slice(0, 2)
  return [...unwrapped, ...SCALARS.flatMap(([name, scalar]) => printTree(rewriteScalars(tree, scalar), name, layouts))]
}

function toSorted([name, style]: Layout): Layout {
  return [`${name}, members sorted by name`, { ...style, sorted: true }]
}

function printTree(tree: JsonNode, scalars: string, layouts: readonly Layout[]): readonly Printing[] {
  return layouts.map(([layout, style]) => ({ bytes: encodeUtf8(printJson(tree, style)), name: layout + scalars }))
}

function textHeld(tree: JsonNode): string | undefined {
  const value: unknown = tree.kind === 'scalar' ? JSON.parse(tree.raw) : undefined
  return typeof value === 'string' ? value : undefined
}
