/**
 * Registers the conformance suite of the store contract for any test runner and any driver.
 */
import { attempts } from './store-suite/attempts.js'
import { checkpoints } from './store-suite/checkpoints.js'
import { claiming } from './store-suite/claiming.js'
import type { StoreDriver } from './store-suite/driver.js'
import { fencing } from './store-suite/fencing.js'
import { groups } from './store-suite/groups.js'
import { lease } from './store-suite/lease.js'
import { quarantine } from './store-suite/quarantine.js'
import { reprocess } from './store-suite/reprocess.js'
import { retention } from './store-suite/retention.js'
import { type Need, runStoreTest, type StoreTest } from './store-suite/store-test.js'
import { together } from './store-suite/together.js'
import { transaction } from './store-suite/transaction.js'
import type { TestRunner } from './test-runner.js'

const CONCERNS: Readonly<Record<string, readonly StoreTest[]>> = {
  claiming,
  fencing,
  lease,
  retention,
  attempts,
  checkpoints,
  reprocess,
  groups,
  together,
  transaction,
  quarantine,
}

/**
 * Registers the tests that a store must pass, grouped by concern. Tests of a capability that the driver lacks are registered as skipped,
 * with the reason in their title.
 *
 * @example
 * ```ts
 * import { memoryStore } from 'govalid-webhooks'
 * import { fixedClock, testStore } from 'govalid-webhooks/testing'
 * import { describe, test } from 'vitest'
 *
 * const clock = fixedClock()
 * const stores = new Map<string, ReturnType<typeof memoryStore>>()
 * testStore({ describe, test }, {
 *   name: 'memoryStore',
 *   open({ namespace }) {
 *     const store = stores.get(namespace) ?? memoryStore({ clock })
 *     stores.set(namespace, store)
 *     return store
 *   },
 *   advance: (ms) => clock.advance(ms),
 *   durable: false,
 * })
 * ```
 */
export function testStore(runner: TestRunner, driver: StoreDriver): void {
  runner.describe(`${driver.name} keeps the store contract`, () => {
    for (const [concern, tests] of Object.entries(CONCERNS)) {
      runner.describe(concern, () => {
        for (const test of tests) register(runner, driver, test)
      })
    }
  })
}

function register({ test: runTest }: TestRunner, driver: StoreDriver, test: StoreTest): void {
  const run = () => runStoreTest(driver, test)
  const reason = skipReason(driver, test)
  if (reason === undefined) runTest(test.name, run)
  else runTest.skip?.(`${test.name} (skipped: ${reason})`, run)
}

/** Returns why a driver can't run a test, or `undefined` if it can. */
function skipReason(driver: StoreDriver, { needs = [] }: StoreTest): string | undefined {
  const reasons: Readonly<Record<Need, string | false>> = {
    durable: driver.durable === false && 'the store is not durable',
    ownClock: driver.ownClock === false && 'the store uses the clock of the calling process',
    quarantine: !driver.quarantine && 'the store has no quarantine',
    transaction: !driver.transaction && 'the store has no transactions',
    loseResponses: !driver.loseResponses && 'the driver does not lose responses',
  }
  return needs.map((need) => reasons[need]).find((reason) => reason !== false) || undefined
}
