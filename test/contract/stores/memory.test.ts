/** Runs the conformance suite on memoryStore. */
import { describe, test } from 'vitest'
import { memoryStore } from '../../../src/stores/memory/memory-store.js'
import type { Store } from '../../../src/stores/store.js'
import { fixedClock } from '../../../src/testing/fixed-clock.js'
import { testStore } from '../../../src/testing/test-store.js'

const clock = fixedClock()
const stores = new Map<string, Store>()

testStore(
  { describe, test },
  {
    name: 'memoryStore',
    open({ namespace }) {
      const store = stores.get(namespace) ?? memoryStore({ clock })
      stores.set(namespace, store)
      return store
    },
    advance: (ms) => clock.advance(ms),
    durable: false,
  },
)
