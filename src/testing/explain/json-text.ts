/**
 * Parses JSON into a tree that keeps the spelling of numbers and strings, repeated fields and the order of fields, and prints the tree in
 * the styles of other programs.
 */

/** A JSON value with its position in the text. Strings and other scalars keep their spelling. */
export type JsonNode = { readonly start: number; readonly end: number } & (
  | { readonly kind: 'scalar'; readonly raw: string }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'object'; readonly fields: readonly JsonField[] }
)

/** A field of an object. The name keeps its spelling, including the quotes. */
export interface JsonField {
  readonly name: string
  readonly value: JsonNode
}

const TOKEN = /[ \t\n\r]*([{}[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}[\],:"]+)/gsy
const MAX_DEPTH = 200

/** Parses a text; returns `undefined` if it isn't JSON or is nested deeper than 200 levels. */
export function readJson(text: string): JsonNode | undefined {
  try {
    JSON.parse(text)
  } catch {
    return undefined
  }
  // JSON.parse has checked the grammar, so only the depth can stop the code below.
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
    next() // skips the colon
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

/** Returns the tree with every scalar and field name rewritten by `rewrite`. */
export function rewriteScalars(node: JsonNode, rewrite: (raw: string) => string): JsonNode {
  if (node.kind === 'scalar') return { ...node, raw: rewrite(node.raw) }
  if (node.kind === 'array') return { ...node, items: node.items.map((item) => rewriteScalars(item, rewrite)) }
  const fields = node.fields.map(({ name, value }) => ({
    name: rewrite(name),
    value: rewriteScalars(value, rewrite),
  }))
  return { ...node, fields }
}

/** The layout of printed JSON. */
export interface PrintStyle {
  /** The text between a name and its value. */
  readonly colon: string
  /** The text between two fields or items, before a line break. */
  readonly comma: string
  /** The indentation per level. Default: everything on one line. */
  readonly indent?: string
  /** Whether fields are sorted. Default: their order in the tree. */
  readonly isSorted?: boolean
}

/** Prints a tree. Scalars and names keep their spelling. */
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

function orderOf(fields: readonly JsonField[], { isSorted }: PrintStyle): readonly JsonField[] {
  if (!isSorted) return fields
  return [...fields].sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)))
}
