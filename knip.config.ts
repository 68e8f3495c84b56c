// Finds files, exports and dependencies that nothing uses.
import type { KnipConfig } from 'knip'
import entries from './entries.json' with { type: 'json' }

const config: KnipConfig = {
  entry: [
    ...Object.values(entries),
    'src/cli/cli.ts',
    'scripts/*.mjs',
    'examples/**/*.{ts,mts,js,mjs}',
    'bench/**/*.{ts,mjs}',
    'test/**/*.test.ts',
    'test/**/*.test-d.ts',
    'test/proof/*.ts',
    'test/proof/workers/worker.ts',
    'test/support/*-setup.ts',
    'test/contract/demo-faults/*.ts',
    'test/runtime/workerd/*.ts',
    'test/acceptance/targets/workerd/worker.ts',
    'test/next/app/**/*.ts',
  ],
  project: ['src/**/*.ts', 'test/**/*.ts', 'scripts/**/*.mjs'],
  // cloudflare:workers is a module of the platform. wrangler is what the Workers plugin starts; the other two are started by
  // scripts/pack-check.mjs.
  ignoreDependencies: ['cloudflare', 'wrangler', 'publint', '@arethetypeswrong/cli', '@changesets/config'],
  ignoreBinaries: ['apt-get'],
}

export default config
