// One run, one project per kind of test. `unit` needs nothing; `contract` uses real services; `acceptance` uses real sockets and
// frameworks; `workerd` and `edge` are real runtimes; `types` compiles; `package` looks at what would be published (dist/ must be built).
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

const inCi = process.env['CI'] !== undefined

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
        },
      },
      {
        test: {
          name: 'contract',
          environment: 'node',
          include: ['test/contract/**/*.test.ts'],
          globalSetup: ['test/support/services-setup.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'acceptance',
          environment: 'node',
          include: ['test/acceptance/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: './test/runtime/workerd/wrangler.jsonc' } })],
        test: { name: 'workerd', include: ['test/runtime/workerd/**/*.test.ts'], testTimeout: 30_000 },
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
