/**
 * The rules of the source tree and the check that applies them. Takes a map from path (from `src/`) to text, so that tests can plant
 * faults, and returns one sentence per fault.
 */
import ts from 'typescript'

/** Paths from `src/`, such as `delivery/signature.ts`, and their texts. */
export type Sources = ReadonlyMap<string, string>

/** The layers that each layer may import. Every other layer is forbidden. */
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
  'inbox driver': [
    ...['errors', 'clock', 'types', 'store contract', 'inbox contract', 'inbox driver', 'store part'],
    // A Worker's `queue` handler finds its receiver like its `fetch` handler.
    'receiver lookup',
  ],
  receiver: ['errors', 'clock', 'types', 'events', 'crypto', 'store contract', 'inbox contract', 'receiver'],
  delivery: [
    ...['errors', 'clock', 'types', 'events', 'crypto', 'store contract', 'inbox contract'],
    ...['receiver', 'delivery'],
  ],
  'create receiver': [
    ...['errors', 'clock', 'types', 'events', 'crypto', 'store contract', 'inbox contract'],
    ...['built-in store', 'receiver', 'delivery'],
  ],
  'receiver lookup': ['errors', 'receiver lookup'],
  'shared adapter': ['errors', 'clock', 'types', 'crypto', 'delivery', 'shared adapter'],
  adapter: ['errors', 'clock', 'types', 'crypto', 'delivery', 'create receiver', 'shared adapter', 'receiver lookup'],
  // Its module creates the receiver, and its decorator has the types of handlers.
  'NestJS adapter': [
    ...['errors', 'events', 'receiver', 'delivery', 'create receiver', 'shared adapter', 'NestJS adapter'],
  ],
  api: ['crypto', 'errors', 'clock', 'types', 'events', 'api'],
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

/** The first matching pattern decides the layer of a file. The last pattern covers the other files at the root. */
const LAYERS: readonly (readonly [pattern: RegExp, layer: Layer])[] = [
  [/^(errors|types)\.ts$/, 'errors'],
  [/^(clock|maybe-promise)\.ts$/, 'clock'],
  [/^stores\/store\.ts$/, 'store contract'],
  [/^stores\/(memory\/|none\.ts$)/, 'built-in store'],
  [/^stores\/(lanes\.ts$|\w+\/(?!\w[\w-]*-store\.ts$))/, 'store part'],
  [/^stores\//, 'store driver'],
  [/^inboxes\/inbox\.ts$/, 'inbox contract'],
  [/^inboxes\//, 'inbox driver'],
  [/^adapters\/(require-receiver|receiver-per-env)\.ts$/, 'receiver lookup'],
  [/^adapters\/(web|node|misplaced)-request\.ts$/, 'shared adapter'],
  [/^adapters\/nestjs\//, 'NestJS adapter'],
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

/** The stages of a delivery, in order. A stage may import an earlier stage, for example for its result type, but never a later one. */
const STAGES: readonly string[] = [
  'raw-body',
  'signature',
  'envelope',
  'event',
  'claim',
  'dispatch',
  'completion',
  'response',
]

/** The files that connect stages. A stage may not import them. */
const CONNECTORS: readonly string[] = ['receive', 'accept', 'process', 'handler-run', 'finish']

/** The only packages that may be imported for their values, and the files that may do so. Every other package is imported with `import type` and injected. */
const VALUE_PACKAGES: Readonly<Record<string, RegExp>> = {
  zod: /^events\/schemas\.ts$/,
  commander: /^cli\//,
  'errors:sections': /^cli\/explain\/command\.ts$/,
  'inspector:page': /^cli\/listen\/command\.ts$/,
  'next/server.js': /^adapters\/next\.ts$/,
  '@nestjs/common': /^adapters\/nestjs\//,
  '@nestjs/core': /^adapters\/nestjs\//,
}

/** The only files that may import from Node. */
const NODE_ALLOWED =
  /^(adapters\/(node|node-request|express|fastify|aws-lambda)\.ts|adapters\/nestjs\/.*|testing\/.*|cli\/(?!inspector\/).*)$/

/** The only files that may read the machine's time without the injected clock. */
const TIME_ALLOWED =
  /^(clock\.ts|adapters\/(node-request|next)\.ts|inboxes\/bullmq\/job-processor\.ts|testing\/.*|cli\/.*)$/
const TIME = /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bset(Timeout|Interval)\(/

/** Files whose framework requires a default export. There are none yet. */
const DEFAULT_EXPORT_ALLOWED: readonly string[] = []

const MAX_LINES = 250
const VAGUE_NAME = /^(utils?|helpers?|common|shared|misc|means|work|run)$/

/** Returns one sentence per fault of the tree; an empty list if there is none. */
export function findFaults(sources: Sources): string[] {
  const perFile = [...sources].flatMap(([path, text]) => [
    ...fileFaults(path, text),
    ...importsOf(path, text).flatMap((found) => importFaults(path, found, sources)),
  ])
  return [...perFile, ...cycleFaults(sources)]
}

/** Returns the layer of a file, or `undefined` if its folder has no layer. */
export function layerOf(path: string): Layer | undefined {
  const layer = LAYERS.find(([pattern]) => pattern.test(path))?.[1]
  return layer === 'errors' ? (path.replace('.ts', '') as Layer) : layer
}

interface Import {
  readonly specifier: string
  readonly isTypeOnly: boolean
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
  const add = (specifier: ts.Node, isTypeOnly: boolean): void => {
    if (ts.isStringLiteralLike(specifier)) found.push({ specifier: specifier.text, isTypeOnly })
  }
  visit(parse(path, text))
  return found
}

function isLoader(callee: ts.Expression): boolean {
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require')
}

function importFaults(path: string, { specifier, isTypeOnly }: Import, sources: Sources): string[] {
  if (!specifier.startsWith('.')) return packageFaults(path, specifier, isTypeOnly)
  if (!specifier.endsWith('.js')) return [`${path} imports ${specifier} without its .js extension`]
  const target = resolve(path, specifier)
  if (!sources.has(target)) return [`${path} imports ${target}, which does not exist`]
  return layerFaults(path, target)
}

function layerFaults(path: string, target: string): string[] {
  const [from, to] = [layerOf(path), layerOf(target)]
  if (from === undefined || to === undefined) return []
  if (path === 'index.ts') return []
  if (target === 'index.ts') return [`${path} imports index.ts; import from the file that declares the name`]
  if (from === 'delivery' && to === 'delivery') return stageFaults(path, target)
  const allowed: readonly string[] = MAY_IMPORT[from]
  return allowed.includes(to) ? [] : [`${path} (${from}) may not import ${target} (${to})`]
}

function stageFaults(path: string, target: string): string[] {
  const [stage, name] = [path, target].map((file) => file.replace(/^delivery\/|\.ts$/g, '')) as [string, string]
  if (!STAGES.includes(stage)) return []
  if (CONNECTORS.includes(name)) return [`${path} imports ${target}, which connects stages`]
  return STAGES.indexOf(name) > STAGES.indexOf(stage) ? [`${path} imports a later stage, ${target}`] : []
}

function packageFaults(path: string, specifier: string, isTypeOnly: boolean): string[] {
  if (specifier.startsWith('node:')) return NODE_ALLOWED.test(path) ? [] : [`${path} may not import ${specifier}`]
  if (isTypeOnly || VALUE_PACKAGES[specifier]?.test(path)) return []
  return [`${path} imports ${specifier} for its value; use "import type" and inject the value`]
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
      .some((part) => VAGUE_NAME.test(part))
  )
    faults.push(`${path}: "${name}" is not a descriptive name`)
  if (lines >= MAX_LINES) faults.push(`${path} has ${lines} lines; split it into files of fewer than ${MAX_LINES}`)
  if (!/^(#!.*\n)?(\/\*\*|\/\/)/.test(text)) faults.push(`${path} does not start with a comment that states its job`)
  if (TIME.test(text) && !TIME_ALLOWED.test(path))
    faults.push(`${path} reads the machine's time; use the injected clock`)
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

/** Type imports count too: move the shared types of two such files into one of them or into a third file. */
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
