/**
 * The conformance suite of the store contract, the same for every driver. It is given a test runner and a driver, and registers its tests.
 */

import { attempts } from './store-suite/attempts.js'
import { type Need, runAtBench, type StoreTest } from './store-suite/bench.js'
import { checkpoints } from './store-suite/checkpoints.js'
import { claiming } from './store-suite/claiming.js'
import type { StoreDriver, TestRunner } from './store-suite/driver.js'
import { fencing } from './store-suite/fencing.js'
import { lease } from './store-suite/lease.js'
import { quarantine } from './store-suite/quarantine.js'
import { reprocess } from './store-suite/reprocess.js'
import { retention } from './store-suite/retention.js'
import { together } from './store-suite/together.js'
import { transaction } from './store-suite/transaction.js'

const CONCERNS: Readonly<Record<string, readonly StoreTest[]>> = {
  claiming,
  fencing,
  lease,
  retention,
  attempts,
  checkpoints,
  reprocess,
  together,
  transaction,
  quarantine,
}

/**
 * Registers the tests that a store must pass, grouped by concern. What a driver says it does not have is registered as skipped, with
 * the reason in the test's name.
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
  const run = () => runAtBench(driver, test)
  const reason = missing(driver, test)
  if (reason === undefined) runTest(test.name, run)
  else runTest.skip?.(`${test.name} (skipped: ${reason})`, run)
}

/** Why a driver cannot take a test. */
function missing(driver: StoreDriver, { needs = [] }: StoreTest): string | undefined {
  const reasons: Readonly<Record<Need, string | false>> = {
    durable: driver.durable === false && 'nothing survives its process',
    ownClock: driver.ownClock === false && 'its clock is that of the calling process',
    quarantine: !driver.quarantine && 'it keeps no quarantine',
    transaction: !driver.transaction && 'it has no transactions',
  }
  return needs.map((need) => reasons[need]).find((reason) => reason !== false) || undefined
}
