// The tests of `npm run test:runtimes`: the packed package on runtimes that aren't development dependencies. `next` needs
// `npm run next:install` (700 MB); `nestjs` installs its fixtures (80 MB) by itself; `runtimes` downloads other versions of Node, Bun and Deno from the npm registry.
import { defineLevel, WAITING } from './vitest-level.js'

export default defineLevel('runtimes', [
  {
    test: {
      name: 'next',
      include: ['test/next/**/*.test.ts'],
      globalSetup: ['test/support/next-setup.ts'],
      // Each file starts servers and measures times.
      fileParallelism: false,
      ...WAITING,
    },
  },
  {
    test: {
      name: 'nestjs',
      include: ['test/nestjs/**/*.test.ts'],
      globalSetup: ['test/support/nestjs-setup.ts'],
      fileParallelism: false,
      ...WAITING,
    },
  },
  {
    test: {
      name: 'runtimes',
      include: ['test/package/runtimes/**/*.test.ts'],
      globalSetup: ['test/support/package-setup.ts', 'test/support/compilers-setup.ts'],
      testTimeout: 300_000,
      hookTimeout: 300_000,
    },
  },
])
