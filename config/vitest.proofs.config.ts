// The tests of `npm run test:proofs`: a share of each proof that starts processes, over every store and inbox.
import { defineLevel, WAITING } from './vitest-level.js'

export default defineLevel('proofs', [
  {
    test: {
      name: 'proofs',
      include: ['test/proof/shares/**/*.test.ts'],
      globalSetup: ['test/support/services-setup.ts'],
      ...WAITING,
    },
  },
])
