// The reference, written to docs/api (not kept in git). An undocumented export or a dead link fails the run;
// the members of interfaces are looked at by test/architecture/tsdoc.test.ts.
import entries from './entries.json' with { type: 'json' }

/** @type {Partial<import('typedoc').TypeDocOptions> & Record<string, unknown>} */
export default {
  entryPoints: Object.values(entries),
  plugin: ['typedoc-plugin-markdown'],
  out: 'docs/api',
  readme: 'none',
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  // What a Durable Object inherits from the platform is the platform's to document.
  excludeProtected: true,
  treatWarningsAsErrors: true,
  // Not what is referred to and not exported: the constructor of a Durable Object names a type of the platform's.
  validation: { notExported: false, invalidLink: true, notDocumented: true },
  requiredToBeDocumented: ['Variable', 'Function', 'Class', 'Interface', 'TypeAlias'],
}
