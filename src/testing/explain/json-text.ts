/**
 * JSON as a text: read without losing how its numbers are written, which members repeat and in which order they stand, and printed again
 * the ways other programs print it. In: a text. Out: a tree, or `undefined` when it is not JSON.
 */

/** A JSON value with its place in the text. Strings and other scalars are kept as written. */
export type JsonNode = { readonly start: number; readonly end: number } & (
  | { readonly kind: 'scalar'; readonly raw: string }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'object'; readonly fields: readonly JsonField[] }
)

/** A member of an object: its name as written, quotes included. */
export interface JsonField {
  readonly name: string
  readonly value: JsonNode
}

const TOKEN = /[ \t\n\r]*([{}[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}[\],:"]+)/gsy
const MAX_DEPTH = 200

/** Reads a text; `undefined` when it is not JSON, or nested deeper than anybody writes by hand. */
export function readJson(text: string): JsonNode | undefined {
  try {
    JSON.parse(text)
  } catch {
    return undefined
  }
  // From here on the grammar is known to hold: only the depth can stop the reading.
  const token = new RegExp(TOKEN)
  const next = (): { readonly raw: string; readonly end: number } => {
    const raw = token.exec(text)?.[1] ?? ''
    return { raw, end: token.lastIndex }
  }
  return readValue(next, next(), 0)
}

type Next = () => { readonly raw: string; readonly end: number }

function readValue(next: Next, first: ReturnType<Next>, depth: number): JsonNode | undefined {
  const start = first.end - first.raw.length
  if (depth > MAX_DEPTH) return undefined
  if (first.raw === '{') return readObject(next, start, depth)
  if (first.raw === '[') return readArray(next, start, depth)
  return { kind: 'scalar', raw: first.raw, start, end: first.end }
}

function readObject(next: Next, start: number, depth: number): JsonNode | undefined {
  const fields: JsonField[] = []
  for (let token = next(); ; token = next()) {
    if (token.raw === ',') continue
    if (token.raw === '}' || token.raw === '') return { kind: 'object', fields, start, end: token.end }
    next() // the colon
    const value = readValue(next, next(), depth + 1)
    if (!value) return undefined
    fields.push({ name: token.raw, value })
  }
}

function readArray(next: Next, start: number, depth: number): JsonNode | undefined {
  const items: JsonNode[] = []
  for (let token = next(); ; token = next()) {
    if (token.raw === ',') continue
    if (token.raw === ']' || token.raw === '') return { kind: 'array', items, start, end: token.end }
    const item = readValue(next, token, depth + 1)
    if (!item) return undefined
    items.push(item)
  }
}

/** The same tree with every scalar and name written another way. */
export function rewriteScalars(node: JsonNode, rewrite: (raw: string) => string): JsonNode {
  if (node.kind === 'scalar') return { ...node, raw: rewrite(node.raw) }
  if (node.kind === 'array') return { ...node, items: node.items.map((item) => rewriteScalars(item, rewrite)) }
  const fields = node.fields.map(({ name, value }) => ({
    name: rewrite(name),
    value: rewriteScalars(value, rewrite),
  }))
  return { ...node, fields }
}

/** How a program lays out JSON. */
export interface PrintStyle {
  /** Between a name and its value. */
  readonly colon: string
  /** Between members, before the line break where there is one. */
  readonly comma: string
  /** One step of indentation; absent: all on one line. */
  readonly indent?: string
  /** Whether members are sorted by name. */
  readonly sorted?: boolean
}

/** Prints a tree; scalars and names as they are written in it. */
export function printJson(node: JsonNode, style: PrintStyle): string {
  const pieces: string[] = []
  printNode(node, style, '\n', pieces)
  return pieces.join('')
}

function printNode(node: JsonNode, style: PrintStyle, margin: string, pieces: string[]): void {
  if (node.kind === 'scalar') return void pieces.push(node.raw)
  const isArray = node.kind === 'array'
  const children = isArray ? node.items : orderOf(node.fields, style)
  const inner = style.indent === undefined ? '' : margin + style.indent
  pieces.push(isArray ? '[' : '{')
  for (const [index, child] of children.entries()) {
    pieces.push(index === 0 ? inner : style.comma + inner)
    if ('name' in child) pieces.push(child.name, style.colon)
    printNode('name' in child ? child.value : child, style, inner, pieces)
  }
  if (children.length > 0 && style.indent !== undefined) pieces.push(margin)
  pieces.push(isArray ? ']' : '}')
}

function orderOf(fields: readonly JsonField[], { sorted }: PrintStyle): readonly JsonField[] {
  if (!sorted) return fields
  return [...fields].sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)))
}
