// The tests of `npm run test:services`: stores and inboxes on real Redis and Postgres, and the inspector in Chromium.
import { defineLevel, WAITING } from './vitest-level.js'

export default defineLevel('services', [
  {
    test: {
      name: 'services',
      include: ['test/services/**/*.test.ts'],
      globalSetup: ['test/support/services-setup.ts'],
      ...WAITING,
    },
  },
  {
    test: {
      name: 'browser',
      include: ['test/browser/**/*.test.ts'],
      globalSetup: ['test/support/package-setup.ts', 'test/support/chromium-setup.ts'],
      expect: { poll: { timeout: 15_000 } },
      ...WAITING,
    },
  },
])
