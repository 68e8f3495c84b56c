/**
 * Plants a fault in a source tree: finds the declaration by its name, wherever the file is, and replaces a part of it. A fault that isn't
 * found, or is found twice, throws, so that a rename or a change of the code is noticed at once.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

/** @typedef {import('../planted-faults.mjs').Fault} Fault */
/** @typedef {{ readonly name: string, readonly source: ts.SourceFile, readonly node: ts.Node }} Declaration */
/** @typedef {{ readonly path: string, readonly original: string, readonly planted: string }} Planted a file, and its text before and after */

/**
 * Reads every source below a folder. Returns a function that plants a fault in one of them and writes nothing.
 * @param {string} folder
 * @returns {(fault: Fault) => Planted}
 */
export function createPlanter(folder) {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))
  const declarations = paths.flatMap((path) => declarationsOf(join(folder, path)))
  return function plantFault(fault) {
    const { source, node } = find(declarations, fault)
    const start = node.getStart(source)
    const own = source.text.slice(start, node.end)
    const changed = fault.body === undefined ? replaceOnce(own, fault) : replaceBody(source, node, fault)
    const planted = source.text.slice(0, start) + changed + source.text.slice(node.end)
    refuseSyntaxError(planted, fault)
    return { path: source.fileName, original: source.text, planted }
  }
}

/** @param {readonly Declaration[]} declarations @param {Fault} fault */
function find(declarations, { at, file }) {
  const inFile = declarations.filter(({ source }) => file === undefined || source.fileName.endsWith(`/${file}.ts`))
  const found = inFile.filter(({ name }) => `.${name}`.endsWith(`.${at}`))
  const exact = found.filter(({ name }) => name === at)
  const candidates = exact.length > 0 ? exact : found
  const [declaration, ...others] = candidates
  if (declaration && others.length === 0) return declaration
  const places = candidates.map(({ name, source }) => `${name} in ${source.fileName}`).join(', ')
  throw new Error(
    declaration
      ? `${at} must be declared once: name its file or its outer function. Found ${places}`
      : `${at} must be declared${file === undefined ? '' : ` in ${file}.ts`}, and isn't. Was it renamed?`,
  )
}

/**
 * Returns the functions, methods and module constants of a file. The name of an inner function starts with the names of the functions around
 * it.
 * @param {string} path
 */
function declarationsOf(path) {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true)
  /** @type {Declaration[]} */
  const found = []
  /** @param {ts.Node} node @param {string} outer */
  const visit = (node, outer) => {
    const own = declaredName(node)
    const name = own === undefined || outer === '' ? (own ?? outer) : `${outer}.${own}`
    if (own !== undefined) found.push({ name, source, node })
    ts.forEachChild(node, (child) => visit(child, name))
  }
  visit(source, '')
  return found
}

/** @param {ts.Node} node */
function declaredName(node) {
  if (ts.isFunctionDeclaration(node) || ts.isFunctionExpression(node)) return node.name?.text
  if (ts.isMethodDeclaration(node)) return node.name.getText()
  if (!ts.isVariableDeclaration(node) && !ts.isPropertyAssignment(node)) return undefined
  return isFunction(node.initializer) || ts.isSourceFile(node.parent.parent.parent) ? node.name.getText() : undefined
}

/** @param {ts.Node | undefined} node @returns {node is ts.ArrowFunction | ts.FunctionExpression} */
function isFunction(node) {
  return node !== undefined && (ts.isArrowFunction(node) || ts.isFunctionExpression(node))
}

/** @param {string} text @param {Fault} fault */
function replaceOnce(text, { at, find = '', replace = '' }) {
  const pattern = typeof find === 'string' ? new RegExp(escapePattern(find), 'g') : new RegExp(find, `${find.flags}g`)
  const count = text.match(pattern)?.length ?? 0
  if (count !== 1) throw new Error(`${at} must contain ${find} once, and contains it ${count} times. Was it changed?`)
  return text.replace(pattern, () => replace)
}

/** @param {string} text */
function escapePattern(text) {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

/** @param {ts.SourceFile} source @param {ts.Node} node @param {Fault} fault */
function replaceBody(source, node, { at, body }) {
  const holder = 'initializer' in node ? /** @type {ts.VariableDeclaration} */ (node).initializer : node
  const inner = holder && 'body' in holder ? /** @type {ts.FunctionLikeDeclaration} */ (holder).body : undefined
  if (!inner) throw new Error(`${at} must be a function with a body, and isn't`)
  return `${source.text.slice(node.getStart(source), inner.getStart(source))}{ ${body} }${source.text.slice(inner.end, node.end)}`
}

/** A file that can't be loaded fails every test, so it would hide the fault. @param {string} text @param {Fault} fault */
function refuseSyntaxError(text, { at }) {
  const mistake = ts.transpileModule(text, { reportDiagnostics: true }).diagnostics?.[0]
  if (!mistake) return
  throw new Error(
    `${at} must have valid syntax once it is changed: ${ts.flattenDiagnosticMessageText(mistake.messageText, ' ')}`,
  )
}
