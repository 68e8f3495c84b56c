// The tests of `npm run test:frameworks`: every example, installed from the packed package and built for production. The project `fast` is
// a part of `.ci/run`. The tests download the frameworks from the npm registry.
import { RecordReporter } from '../test/frameworks/record-reporter.js'
import { defineLevel } from './vitest-level.js'

const shared = {
  globalSetup: ['test/support/packed-repository-setup.ts'],
  // One framework at a time, because each fills the disk and both cores.
  fileParallelism: false,
  testTimeout: 60_000,
  hookTimeout: 600_000,
}

const level = defineLevel('frameworks', [
  { test: { name: 'fast', include: ['test/frameworks/fast.test.ts'], ...shared } },
  { test: { name: 'slow', include: ['test/frameworks/slow.test.ts'], ...shared } },
])

export default {
  ...level,
  test: { ...level.test, reporters: [...[level.test?.reporters ?? []].flat(), new RecordReporter()] },
}
