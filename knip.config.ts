// Finds files, exports and dependencies that nothing uses.
import type { KnipConfig } from 'knip'
import entries from './entries.json' with { type: 'json' }

const config: KnipConfig = {
  entry: [
    ...Object.values(entries),
    'scripts/*.mjs',
    'test/**/*.test.ts',
    'test/**/*.test-d.ts',
    'test/support/*-setup.ts',
    'test/runtime/workerd/*.ts',
  ],
  project: ['src/**/*.ts', 'test/**/*.ts', 'scripts/**/*.mjs'],
  // `node` is the runtime the scripts run on; wrangler is what the Workers plugin starts.
  ignoreDependencies: ['node', 'wrangler', '@changesets/config'],
  ignoreBinaries: ['apt-get'],
}

export default config
