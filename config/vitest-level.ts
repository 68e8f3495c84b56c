/** The settings that the levels of tests share. Each level is one npm script with its own vitest configuration; test/README.md lists them. */
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { defineConfig, type TestProjectConfiguration, type ViteUserConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { SkipsReporter } from './skips-reporter.js'

const inCi = process.env['CI'] !== undefined

/** Limits for tests with sockets, services and processes. Retries absorb the delays of a busy machine. A real fault fails every time. */
export const WAITING = { testTimeout: 90_000, hookTimeout: 120_000, retry: 2 }

/** Starts the files that mostly wait for sockets and timers first, so that the other files compute in the meantime. */
class WaitingFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const waits = ({ moduleId }: TestSpecification) => /\/test\/(acceptance|contract|cli|runtime)\//.test(moduleId)
    // The longest file starts in time to end with the others.
    const isLongest = ({ moduleId }: TestSpecification) => moduleId.endsWith('/flow/leaks.test.ts')
    return [
      ...sorted.filter(isLongest),
      ...sorted.filter(waits),
      ...sorted.filter((file) => !waits(file) && !isLongest(file)),
    ]
  }
}

/** Creates the configuration of a level. In CI it also writes `.reports/vitest-NAME.json`, which scripts/test-summary.mjs adds up. */
export function defineLevel(name: string, projects: TestProjectConfiguration[]): ViteUserConfig {
  return defineConfig({
    root: resolve(import.meta.dirname, '..'),
    test: {
      // Most files wait for sockets and timers, so two cores can run four files at once.
      maxWorkers: Math.max(4, availableParallelism()),
      sequence: { sequencer: WaitingFirst },
      // Prints what the code under test printed, such as the stack traces of frameworks, only for tests that fail.
      silent: 'passed-only',
      slowTestThreshold: 3000,
      reporters: ['default', new SkipsReporter(), ...(inCi ? ['json'] : [])],
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
