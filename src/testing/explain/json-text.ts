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

/** The printed pieces, and how many more characters may be printed. */
interface Output {
  readonly pieces: string[]
  left: number
}

/**
 * Prints a tree. Scalars and names keep their spelling. Returns `undefined` if the text would be longer than `maxLength`, because indentation
 * makes deeply nested JSON hundreds of times longer.
 */
export function printJson(node: JsonNode, style: PrintStyle, maxLength = Number.POSITIVE_INFINITY): string | undefined {
  const output: Output = { pieces: [], left: maxLength }
  printNode(node, style, '\n', output)
  return output.left < 0 ? undefined : output.pieces.join('')
}

function printNode(node: JsonNode, style: PrintStyle, margin: string, output: Output): void {
  if (node.kind === 'scalar') return void print(output, node.raw)
  const isArray = node.kind === 'array'
  const children = isArray ? node.items : orderOf(node.fields, style)
  const inner = style.indent === undefined ? '' : margin + style.indent
  print(output, isArray ? '[' : '{')
  for (const [index, child] of children.entries()) {
    if (output.left < 0) return
    print(output, index === 0 ? inner : style.comma + inner)
    if ('name' in child) print(output, child.name + style.colon)
    printNode('name' in child ? child.value : child, style, inner, output)
  }
  if (children.length > 0 && style.indent !== undefined) print(output, margin)
  print(output, isArray ? ']' : '}')
}

function print(output: Output, piece: string): void {
  output.left -= piece.length
  if (output.left >= 0) output.pieces.push(piece)
}

function orderOf(fields: readonly JsonField[], { isSorted }: PrintStyle): readonly JsonField[] {
  if (!isSorted) return fields
  return [...fields].sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)))
}
