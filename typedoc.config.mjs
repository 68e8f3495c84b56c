// The reference, written to docs/api (not kept in git). Anything undocumented fails the run.
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
  treatWarningsAsErrors: true,
  validation: { notExported: true, invalidLink: true, notDocumented: true },
  requiredToBeDocumented: ['Variable', 'Function', 'Class', 'Interface', 'Property', 'Method', 'TypeAlias'],
}
