// The tests of `npm test`. They need no service and no network. Except for `unit`, `edge` and `types`, they need the build in dist/.
// The other levels have their configurations in config/; test/README.md lists them all.
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import type { Plugin } from 'vitest/config'
import { defineLevel, WAITING } from './config/vitest-level.js'
import manifest from './package.json' with { type: 'json' }
import { sectionsModule } from './scripts/error-sections.mjs'
import { pageModule } from './scripts/inspector-page.mjs'

const BUILT = new Map<string, () => string | Promise<string>>([
  ['inspector:page', pageModule],
  ['errors:sections', sectionsModule],
])

const builtModules: Plugin = {
  name: 'built-modules',
  resolveId: (id) => (BUILT.has(id) ? `\0${id}` : undefined),
  load: (id) => BUILT.get(id.slice(1))?.(),
}

/** The files with upper limits on real time. They run alone, one after another, because a busy machine would break the limits. */
const TIMING = [
  'test/acceptance/left-unread.test.ts',
  'test/acceptance/responses.test.ts',
  'test/contract/simulate-sender.test.ts',
]
const ALONE = { fileParallelism: false, sequence: { groupOrder: 1 } }

export default defineLevel('core', [
  {
    test: {
      name: 'unit',
      include: ['test/{unit,flow,vectors,architecture,docs}/**/*.test.ts'],
      // No test leaves anything behind, so the files can share their modules, which saves a quarter of the time.
      isolate: false,
      // No test waits, but some compute for seconds on a busy machine.
      testTimeout: 60_000,
    },
  },
  { test: { name: 'contract', include: ['test/contract/**/*.test.ts'], exclude: TIMING, ...WAITING } },
  { test: { name: 'acceptance', include: ['test/acceptance/**/*.test.ts'], exclude: TIMING, ...WAITING } },
  { test: { name: 'timing', include: TIMING, ...ALONE, ...WAITING } },
  {
    // The command line runs in this process, so Vite provides what the build provides: the inspector's page, the errors and the version.
    plugins: [builtModules],
    define: { PACKAGE_VERSION: JSON.stringify(manifest.version) },
    test: {
      name: 'cli',
      include: ['test/cli/**/*.test.ts'],
      globalSetup: ['test/support/cli-setup.ts'],
      ...WAITING,
    },
  },
  {
    test: {
      name: 'package',
      include: ['test/package/*.test.ts'],
      globalSetup: ['test/support/package-setup.ts'],
      testTimeout: 120_000,
      hookTimeout: 120_000,
    },
  },
  {
    plugins: [cloudflareTest({ wrangler: { configPath: './test/runtime/workerd/wrangler.jsonc' } })],
    // The stores of Cloudflare are in config/vitest.runtimes.config.ts.
    test: {
      name: 'workerd',
      include: ['test/runtime/workerd/**/*.test.ts'],
      exclude: ['test/runtime/workerd/stores/**'],
      ...WAITING,
    },
  },
  {
    test: {
      name: 'edge',
      environment: 'edge-runtime',
      include: ['test/runtime/edge/**/*.test.ts'],
      ...ALONE,
      ...WAITING,
    },
  },
  {
    test: {
      name: 'types',
      include: [],
      typecheck: {
        enabled: true,
        only: true,
        checker: 'tsc',
        tsconfig: './config/tsconfig.types.json',
        include: ['test/types/**/*.test-d.ts'],
      },
    },
  },
])
