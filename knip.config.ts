// Finds files, exports and dependencies that nothing uses.
import type { KnipConfig } from 'knip'
import entries from './entries.json' with { type: 'json' }

const config: KnipConfig = {
  entry: [
    ...Object.values(entries),
    'scripts/*.mjs',
    'test/**/*.test.ts',
    'test/**/*.test-d.ts',
    'test/runtime/workerd/*.ts',
  ],
  project: ['src/**/*.ts', 'test/**/*.ts', 'scripts/**/*.mjs'],
  ignoreDependencies: ['node'],
}

export default config
