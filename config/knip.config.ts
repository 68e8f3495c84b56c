// Finds files, exports and dependencies that nothing uses.
import type { KnipConfig } from 'knip'
import entries from '../entries.json' with { type: 'json' }

const config: KnipConfig = {
  entry: [
    ...Object.values(entries),
    'src/cli/inspector/main.ts',
    'scripts/*.mjs',
    'examples/*/*.{ts,mts,js,mjs}',
    'examples/nextjs/app/**/*.ts',
    'bench/*.ts',
    'test/**/*.test.ts',
    'test/**/*.test-d.ts',
    'test/proof/*.ts',
    'test/proof/workers/worker.ts',
    'test/proof/runtimes/serve-*.ts',
    'test/support/frozen/process.ts',
    'test/support/{idle-process,killed-in-group}.ts',
    'test/services/*/*-process.ts',
    'test/proof/mutation/*.config.ts',
    'test/support/*-setup.ts',
    'test/contract/demo-faults/*.ts',
    'test/runtime/workerd/**/*.ts',
    'test/acceptance/targets/workerd/worker.ts',
    'test/next/app/**/*.ts',
  ],
  project: ['src/**/*.ts', 'test/**/*.ts', 'scripts/**/*.mjs', '!**/.acceptance/**'],
  vitest: { config: ['vitest.config.ts', 'config/vitest.*.config.ts'] },
  typedoc: { config: 'config/typedoc.config.mjs' },
  'size-limit': { config: 'config/size-limit.json' },
  // Named types of a module's own functions are documentation, whoever imports them.
  rules: { types: 'off' },
  // cloudflare:workers is a module of the platform. The adapter of Next.js is typed without it; the other two are started by
  // scripts/pack-check.mjs.
  ignoreDependencies: [
    '@stryker-mutator/vitest-runner',
    'cloudflare',
    'next',
    'publint',
    '@arethetypeswrong/cli',
    '@changesets/config',
    // Old clients, which tests import by a computed name.
    'bullmq4',
    'ioredis4',
    'redis4',
  ],
  ignoreBinaries: ['apt-get', 'openssl'],
}

export default config
