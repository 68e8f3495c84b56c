/**
 * The rules of the source tree, and the checker that applies them. Sources come in as a map from path (from `src/`) to
 * text, so that the tests can feed it planted faults as well as the real tree; what goes out is one sentence per fault.
 */
import ts from 'typescript'

/** Paths from `src/`, such as `delivery/signature.ts`, and their texts. */
export type Sources = ReadonlyMap<string, string>

/** Which layer may import which. Who is missing from a row is forbidden to it. */
const MAY_IMPORT = {
  errors: [],
  clock: ['clock'],
  types: ['errors', 'events'],
  events: ['errors', 'events'],
  crypto: ['errors', 'clock', 'crypto'],
  'store contract': ['errors', 'clock', 'types'],
  'inbox contract': ['errors', 'clock', 'types', 'store contract'],
  'built-in store': ['errors', 'clock', 'store contract', 'built-in store'],
  'store part': ['errors', 'clock', 'store contract', 'store part'],
  'store driver': ['errors', 'clock', 'store contract', 'store part'],
  'inbox driver': ['errors', 'clock', 'types', 'store contract', 'inbox contract', 'inbox driver', 'store part'],
  receiver: ['errors', 'clock', 'types', 'events', 'crypto', 'store contract', 'inbox contract', 'receiver'],
  delivery: [
    ...['errors', 'clock', 'types', 'events', 'crypto', 'store contract', 'inbox contract'],
    ...['receiver', 'delivery'],
  ],
  'create receiver': [
    ...['errors', 'clock', 'types', 'events', 'crypto', 'store contract', 'inbox contract'],
    ...['built-in store', 'receiver', 'delivery'],
  ],
  'shared adapter': ['errors', 'clock', 'types', 'delivery'],
  adapter: ['errors', 'clock', 'types', 'delivery', 'create receiver', 'shared adapter'],
  api: ['errors', 'clock', 'types', 'events', 'api'],
  testing: [
    ...['errors', 'clock', 'types', 'events', 'crypto', 'store contract', 'inbox contract'],
    ...['delivery', 'receiver', 'create receiver', 'testing'],
  ],
  cli: [
    'errors',
    'clock',
    'types',
    'events',
    'crypto',
    'delivery',
    'receiver',
    'create receiver',
    'shared adapter',
    'api',
    'testing',
    'inspector page',
    'cli',
  ],
  'inspector page': ['inspector page'],
} satisfies Record<string, readonly string[]>

/** A layer of the source tree. */
export type Layer = keyof typeof MAY_IMPORT

/** The layer a file belongs to: the first pattern that fits. Every other file at the root tells the receiver's story. */
const LAYERS: readonly (readonly [pattern: RegExp, layer: Layer])[] = [
  [/^(errors|types)\.ts$/, 'errors'],
  [/^(clock|maybe-promise)\.ts$/, 'clock'],
  [/^stores\/store\.ts$/, 'store contract'],
  [/^stores\/(memory\/|none\.ts$)/, 'built-in store'],
  [/^stores\/\w+\/(?!\w[\w-]*-store\.ts$)/, 'store part'],
  [/^stores\//, 'store driver'],
  [/^inboxes\/inbox\.ts$/, 'inbox contract'],
  [/^inboxes\//, 'inbox driver'],
  [/^adapters\/(web|node)-request\.ts$/, 'shared adapter'],
  [/^adapters\//, 'adapter'],
  [/^events\//, 'events'],
  [/^crypto\//, 'crypto'],
  [/^delivery\//, 'delivery'],
  [/^api\//, 'api'],
  [/^testing\//, 'testing'],
  [/^cli\/inspector\//, 'inspector page'],
  [/^cli\//, 'cli'],
  [/^receiver\//, 'receiver'],
  [/^[^/]+\.ts$/, 'create receiver'],
]

/** The stages of a delivery. Other files of `delivery/` are parts of a stage: stages import them, they import no stage. */
const STAGE = /^delivery\/(raw-body|signature|envelope|event|claim|dispatch|completion|response)\.ts$/

/** The only packages imported for their values, and from where. Every other one is `import type`, and is injected. */
const VALUE_PACKAGES: Readonly<Record<string, RegExp>> = {
  zod: /^events\/schemas\.ts$/,
  commander: /^cli\//,
  'inspector:page': /^cli\/listen\/command\.ts$/,
  'next/server.js': /^adapters\/next\.ts$/,
  'cloudflare:workers': /^stores\/cloudflare\/idempotency-object\.ts$/,
}

/** The only places that know Node. */
const NODE_ALLOWED = /^(adapters\/(node|node-request|express|fastify)\.ts|testing\/.*|cli\/(?!inspector\/).*)$/

/** The only places that know the machine's time otherwise than by the injected clock. */
const TIME_ALLOWED = /^(clock\.ts|adapters\/(node-request|next)\.ts|inboxes\/bullmq-inbox\.ts|testing\/.*|cli\/.*)$/
const TIME = /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bset(Timeout|Interval)\(/

/** Files that a framework obliges to a default export. None so far. */
const DEFAULT_EXPORT_ALLOWED: readonly string[] = []

const MAX_LINES = 250
const EMPTY_NAME = /^(utils?|helpers?|common|shared|misc)$/

/** Everything wrong with the tree, one sentence each; empty when nothing is. */
export function findFaults(sources: Sources): string[] {
  const perFile = [...sources].flatMap(([path, text]) => [
    ...fileFaults(path, text),
    ...importsOf(path, text).flatMap((found) => importFaults(path, found, sources)),
  ])
  return [...perFile, ...cycleFaults(sources)]
}

/** The layer of a file, or `undefined` where the tree has no such place. */
export function layerOf(path: string): Layer | undefined {
  const layer = LAYERS.find(([pattern]) => pattern.test(path))?.[1]
  return layer === 'errors' ? (path.replace('.ts', '') as Layer) : layer
}

interface Import {
  readonly specifier: string
  readonly typeOnly: boolean
}

function importsOf(path: string, text: string): Import[] {
  const found: Import[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node))
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword)
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier) add(node.moduleSpecifier, node.isTypeOnly)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true)
    else if (ts.isCallExpression(node) && isLoader(node.expression) && node.arguments[0]) add(node.arguments[0], false)
    ts.forEachChild(node, visit)
  }
  const add = (specifier: ts.Node, typeOnly: boolean): void => {
    if (ts.isStringLiteralLike(specifier)) found.push({ specifier: specifier.text, typeOnly })
  }
  visit(parse(path, text))
  return found
}

function isLoader(callee: ts.Expression): boolean {
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require')
}

function importFaults(path: string, { specifier, typeOnly }: Import, sources: Sources): string[] {
  if (!specifier.startsWith('.')) return packageFaults(path, specifier, typeOnly)
  if (!specifier.endsWith('.js')) return [`${path} imports ${specifier} without its .js extension`]
  const target = resolve(path, specifier)
  if (!sources.has(target)) return [`${path} imports ${target}, which does not exist`]
  return layerFaults(path, target)
}

function layerFaults(path: string, target: string): string[] {
  const [from, to] = [layerOf(path), layerOf(target)]
  if (from === undefined || to === undefined) return []
  if (path === 'index.ts') return []
  if (target === 'index.ts') return [`${path} imports the public door; import from the file that has it`]
  if (from === 'delivery' && to === 'delivery') {
    return STAGE.test(target) ? [`${path} imports another stage, ${target}`] : []
  }
  const allowed: readonly string[] = MAY_IMPORT[from]
  return allowed.includes(to) ? [] : [`${path} (${from}) may not import ${target} (${to})`]
}

function packageFaults(path: string, specifier: string, typeOnly: boolean): string[] {
  if (specifier.startsWith('node:')) return NODE_ALLOWED.test(path) ? [] : [`${path} may not import ${specifier}`]
  if (typeOnly || VALUE_PACKAGES[specifier]?.test(path)) return []
  return [`${path} imports ${specifier} for its value; use import type and have it injected`]
}

function fileFaults(path: string, text: string): string[] {
  const faults: string[] = []
  const name = path.split('/').at(-1)?.replace(/\.ts$/, '') ?? ''
  const lines = text.trimEnd().split('\n').length
  if (layerOf(path) === undefined) faults.push(`${path} is in a folder that has no layer`)
  if (
    path
      .replace(/\.ts$/, '')
      .split('/')
      .some((part) => EMPTY_NAME.test(part))
  )
    faults.push(`${path}: "${name}" says nothing`)
  if (lines >= MAX_LINES) faults.push(`${path} has ${lines} lines; split it below ${MAX_LINES}`)
  if (!/^(#!.*\n)?(\/\*\*|\/\/)/.test(text)) faults.push(`${path} does not open with a comment that states its job`)
  if (TIME.test(text) && !TIME_ALLOWED.test(path))
    faults.push(`${path} has a time of its own; take the clock it is given`)
  return [...faults, ...exportFaults(path, text)]
}

function exportFaults(path: string, text: string): string[] {
  const { statements } = parse(path, text)
  const star = statements.some((statement) => ts.isExportDeclaration(statement) && !isNamed(statement))
  const hasDefault = statements.some(isDefaultExport) && !DEFAULT_EXPORT_ALLOWED.includes(path)
  return [...(star ? [`${path} has an export *`] : []), ...(hasDefault ? [`${path} has a default export`] : [])]
}

function isNamed(statement: ts.ExportDeclaration): boolean {
  return statement.exportClause !== undefined && ts.isNamedExports(statement.exportClause)
}

function isDefaultExport(statement: ts.Statement): boolean {
  if (ts.isExportAssignment(statement)) return true
  if (ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause)) {
    return statement.exportClause.elements.some((element) => element.name.text === 'default')
  }
  return ts.canHaveModifiers(statement) && (ts.getModifiers(statement) ?? []).some(isDefaultKeyword)
}

function isDefaultKeyword(modifier: ts.Modifier): boolean {
  return modifier.kind === ts.SyntaxKind.DefaultKeyword
}

/** Type imports count as well: two files that need each other's words are one file, or three. */
function cycleFaults(sources: Sources): string[] {
  const faults: string[] = []
  const done = new Set<string>()
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start >= 0) faults.push(`cycle: ${[...trail.slice(start), path].join(' → ')}`)
    if (start >= 0 || done.has(path)) return
    for (const target of localImports(path, sources)) walk(target, [...trail, path])
    done.add(path)
  }
  for (const path of sources.keys()) walk(path, [])
  return faults
}

function localImports(path: string, sources: Sources): string[] {
  const found = importsOf(path, sources.get(path) ?? '').filter(({ specifier }) => specifier.startsWith('.'))
  return [...new Set(found.map(({ specifier }) => resolve(path, specifier)))].filter((target) => sources.has(target))
}

function resolve(path: string, specifier: string): string {
  return new URL(specifier, `file:///${path}`).pathname.slice(1).replace(/\.js$/, '.ts')
}

function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.ES2022)
}
