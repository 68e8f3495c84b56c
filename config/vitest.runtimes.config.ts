// The tests of `npm run test:runtimes`: D1, Durable Objects and KV in workerd, and the packed package on runtimes that aren't development
// dependencies. `next` needs `npm run next:install` (700 MB); `nestjs` installs its fixtures (80 MB) by itself; `runtimes` downloads other
// versions of Node, Bun, Deno and TypeScript from the npm registry.
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineLevel, WAITING } from './vitest-level.js'

export default defineLevel('runtimes', [
  {
    plugins: [cloudflareTest({ wrangler: { configPath: './test/runtime/workerd/wrangler.jsonc' } })],
    test: { name: 'workerd-stores', include: ['test/runtime/workerd/stores/*.test.ts'], ...WAITING },
  },
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
