// One run, one project per kind of test. `unit` needs nothing; `contract` uses real services; `acceptance` uses real sockets and
// frameworks; `cli` starts the built command line; `browser` drives the inspector in Chromium; `workerd` and `edge` are real runtimes;
// `types` compiles; `package` looks at what would be published. For `cli`, `browser` and `package`, dist/ must be built.
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

const inCi = process.env['CI'] !== undefined

// Real sockets, services and runtimes, with limits of time: what a busy machine was too slow for is tried again. A fault fails every time.
const real = { testTimeout: 90_000, hookTimeout: 120_000, retry: 2 }

export default defineConfig({
  test: {
    reporters: inCi ? ['default', 'json'] : ['default'],
    outputFile: { json: '.reports/vitest.json' },
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'html', 'json-summary'],
    },
    projects: [
      {
        test: {
          name: 'unit',
          environment: 'node',
          include: ['test/{unit,flow,vectors,architecture,docs}/**/*.test.ts'],
          // Nothing here waits; some compute much, and a busy machine takes its time.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'contract',
          environment: 'node',
          include: ['test/contract/**/*.test.ts'],
          globalSetup: ['test/support/services-setup.ts'],
          ...real,
        },
      },
      {
        test: {
          name: 'acceptance',
          environment: 'node',
          include: ['test/acceptance/**/*.test.ts'],
          ...real,
        },
      },
      {
        test: {
          name: 'cli',
          environment: 'node',
          include: ['test/cli/**/*.test.ts'],
          globalSetup: ['test/support/package-setup.ts'],
          ...real,
        },
      },
      {
        test: {
          name: 'browser',
          environment: 'node',
          include: ['test/browser/**/*.test.ts'],
          globalSetup: ['test/support/package-setup.ts', 'test/support/chromium-setup.ts'],
          expect: { poll: { timeout: 15_000 } },
          ...real,
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: './test/runtime/workerd/wrangler.jsonc' } })],
        test: { name: 'workerd', include: ['test/runtime/workerd/**/*.test.ts'], ...real },
      },
      {
        test: { name: 'edge', environment: 'edge-runtime', include: ['test/runtime/edge/**/*.test.ts'] },
      },
      {
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            checker: 'tsc',
            tsconfig: './tsconfig.json',
            include: ['test/types/**/*.test-d.ts'],
          },
        },
      },
      {
        test: {
          name: 'package',
          environment: 'node',
          include: ['test/package/**/*.test.ts'],
          globalSetup: ['test/support/package-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
