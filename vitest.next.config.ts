// The tests of Next.js, apart from the others: they need a third of a gigabyte that `npm run next:install` fetches, and a build.
import { defineConfig } from 'vitest/config'

const inCi = process.env['CI'] !== undefined

export default defineConfig({
  test: {
    name: 'next',
    environment: 'node',
    include: ['test/next/**/*.test.ts'],
    // Each file starts servers and measures times.
    fileParallelism: false,
    globalSetup: ['test/support/next-setup.ts'],
    testTimeout: 90_000,
    hookTimeout: 120_000,
    // What a busy machine was too slow for is tried again; a fault fails every time.
    retry: 2,
    reporters: inCi ? ['default', 'json'] : ['default'],
    outputFile: { json: '.reports/vitest-next.json' },
  },
})
