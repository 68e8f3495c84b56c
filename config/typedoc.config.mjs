// Builds the API reference in docs/api (not in git) from the sources. An undocumented export or a dead link fails the run.
// test/architecture/tsdoc.test.ts checks the fields of interfaces.
import entries from './entries.json' with { type: 'json' }

/** @type {Partial<import('typedoc').TypeDocOptions> & Record<string, unknown>} */
export default {
  entryPoints: Object.values(entries).map((file) => `../${file}`),
  tsconfig: './tsconfig.docs.json',
  plugin: ['typedoc-plugin-markdown'],
  out: '../docs/api',
  readme: 'none',
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  // The platform documents what a Durable Object inherits from it.
  excludeProtected: true,
  treatWarningsAsErrors: true,
  // `notExported` is off because the constructor of a Durable Object names a type of the platform.
  validation: { notExported: false, invalidLink: true, notDocumented: true },
  requiredToBeDocumented: ['Variable', 'Function', 'Class', 'Interface', 'TypeAlias'],
}
