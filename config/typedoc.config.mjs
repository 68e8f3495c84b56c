// Builds the API reference of the site from the sources, with a page per import path. An undocumented export or a dead link fails the run.
// test/architecture/tsdoc.test.ts checks the fields of interfaces.
import { resolve } from 'node:path'
import { Converter, ReflectionKind } from 'typedoc'
import entries from './entries.json' with { type: 'json' }

const root = resolve(import.meta.dirname, '..')
const importPaths = new Map(
  Object.entries(entries).map(([subpath, file]) => [resolve(root, file), `govalid-webhooks${subpath.slice(1)}`]),
)

/** Names each module after its import path, which also names its page. @param {import('typedoc').Application} app */
function nameByImportPath(app) {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, ({ project }, reflection) => {
    if (reflection.kind !== ReflectionKind.Module) return
    const name = importPaths.get(project.files.getReflectionPath(reflection) ?? '')
    if (name === undefined) throw new Error(`${reflection.name} isn't an entry of config/entries.json`)
    reflection.name = name
  })
}

/** @type {Partial<import('typedoc').TypeDocOptions> & Record<string, unknown>} */
export default {
  entryPoints: Object.values(entries).map((file) => `../${file}`),
  tsconfig: './tsconfig.docs.json',
  plugin: ['typedoc-plugin-markdown', nameByImportPath],
  name: 'API by import path',
  out: '../site/.pages/reference/api',
  readme: 'none',
  entryFileName: 'index.md',
  outputFileStrategy: 'modules',
  hideBreadcrumbs: true,
  hidePageHeader: true,
  useCodeBlocks: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  // The platform documents what a Durable Object inherits from it.
  excludeProtected: true,
  treatWarningsAsErrors: true,
  // `notExported` is off because the constructor of a Durable Object names a type of the platform.
  validation: { notExported: false, invalidLink: true, notDocumented: true },
  // A type that TypeScript infers from the decorated method.
  intentionallyNotDocumented: ['govalid-webhooks/nestjs.OnGoValid.__type.Method'],
  requiredToBeDocumented: ['Variable', 'Function', 'Class', 'Interface', 'TypeAlias'],
}
