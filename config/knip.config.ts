// Finds unused files, exports and dependencies.
import type { KnipConfig } from 'knip'
import entries from './entries.json' with { type: 'json' }

const config: KnipConfig = {
  entry: [
    ...Object.values(entries),
    'src/cli/inspector/main.ts',
    'scripts/*.mjs',
    // The other examples have their own dependencies.
    'examples/{express,fastify,node,hono,bun,deno,cloudflare-workers,demo,web-and-worker}/*.ts',
    'bench/*.ts',
    'test/**/*.test.ts',
    'test/**/*.test-d.ts',
    'test/proof/*.ts',
    'test/proof/workers/worker.ts',
    'test/proof/runtimes/serve-*.ts',
    'test/support/frozen/process.ts',
    'test/support/{idle-process,killed-in-group}.ts',
    'test/services/*/*-process.ts',
    'test/support/lambda-{function,runtime}.ts',
    'test/proof/mutation/*.config.ts',
    'test/support/*-setup.ts',
    'test/contract/demo-faults/*.ts',
    'test/runtime/workerd/**/*.ts',
    'test/acceptance/targets/workerd/worker.ts',
    'test/next/app/**/*.ts',
    'test/nestjs/app.ts',
  ],
  project: ['src/**/*.ts', 'test/**/*.ts', 'scripts/**/*.mjs', '!**/.acceptance/**'],
  vitest: { config: ['vitest.config.ts', 'config/vitest.*.config.ts'] },
  typedoc: { config: 'config/typedoc.config.mjs' },
  'size-limit': { config: 'config/size-limit.json' },
  // Exported types document the functions that use them, even if no other file imports them.
  rules: { types: 'off' },
  // cloudflare:workers is a module of the platform, and the Next.js adapter has its own types. Scripts start the other packages.
  ignoreDependencies: [
    '@stryker-mutator/vitest-runner',
    'cloudflare',
    // errors:sections is built by scripts/error-sections.mjs.
    'errors',
    'next',
    'publint',
    '@arethetypeswrong/cli',
    '@changesets/config',
    // Old clients, which tests import by a computed name.
    'bullmq4',
    'ioredis4',
    // Installed in the fixtures of test/nestjs.
    '@nestjs/common',
    '@nestjs/core',
    '@nestjs/platform-express',
    '@nestjs/platform-fastify',
    '@nestjs/testing',
    'reflect-metadata',
  ],
  ignoreBinaries: ['apt-get', 'openssl'],
}

export default config
