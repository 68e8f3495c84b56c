/** The settings that the levels of tests share. Each level is one npm script with its own vitest configuration; test/README.md lists them. */
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { defineConfig, type TestProjectConfiguration, type ViteUserConfig } from 'vitest/config'

const inCi = process.env['CI'] !== undefined

/** Limits for tests with sockets, services and processes. Retries absorb the delays of a busy machine. A real fault fails every time. */
export const WAITING = { testTimeout: 90_000, hookTimeout: 120_000, retry: 2 }

/** Creates the configuration of a level. In CI it also writes `.reports/vitest-NAME.json`, which scripts/test-summary.mjs adds up. */
export function defineLevel(name: string, projects: TestProjectConfiguration[]): ViteUserConfig {
  return defineConfig({
    root: resolve(import.meta.dirname, '..'),
    test: {
      // Most files wait for sockets and timers, so two cores can run four files at once.
      maxWorkers: Math.max(4, availableParallelism()),
      reporters: inCi ? ['default', 'json'] : ['default'],
      outputFile: { json: `.reports/vitest-${name}.json` },
      coverage: {
        provider: 'v8',
        include: ['src/**/*.ts'],
        reporter: ['text-summary', 'html', 'json-summary'],
      },
      projects,
    },
  })
}
