/** Tests the conformance suite: it passes on a correct store, and each planted fault fails the test that EXPECTED names. */
import { describe, expect, it } from 'vitest'
import { fixedClock } from '../../../src/testing/fixed-clock.js'
import type { StoreDriver } from '../../../src/testing/store-suite/driver.js'
import { testStore } from '../../../src/testing/test-store.js'
import { faultyGroups, type GroupFault } from './faulty-groups.js'
import { createShelf, type Fault, type ReferenceTransaction, referenceStore } from './reference-store.js'
import { repeatingDriver } from './repeating-driver.js'

const EXPECTED: Readonly<Record<Fault, string>> = {
  'get then set': 'of 1,000 concurrent callers, exactly one claims a new delivery',
  'renew without token': 'a late owner’s renewal has no effect on a delivery claimed by another caller',
  'complete without token': 'a late owner’s completion has no effect on a delivery claimed by another caller',
  'release without token': 'a late owner’s release has no effect on a delivery claimed by another caller',
  'client clock': 'a caller whose clock is ten minutes fast cannot take over a lease',
  'time-to-live dropped on completion': 'a completed delivery is removed after its retention',
  'retention shortened by completion': 'a completion never shortens the retention',
  'retention shortened by claim': 'a later attempt never shortens the retention',
  'live claim evicted': 'a claim whose retention has expired is held until its lease expires',
  'lease never ends': 'a delivery can be claimed again after its lease expires',
  'no lease': 'a claim is held until its lease expires',
  'renewal without effect': 'a renewal restarts the lease',
  'owner lost with its lease': 'an owner whose lease has expired keeps its claim until another caller claims',
  'until in seconds': 'a second claim is busy while the first one is held',
  'busy not counted': 'a busy claim is counted as an attempt after attemptGapMs',
  'every busy counted': 'a busy claim within attemptGapMs of the last counted attempt is not counted',
  'crash counted as release': 'a crashed attempt is counted, but not as released',
  'uncounted release counted': 'an uncounted release undoes its attempt',
  'repeated claim counted': 'a claim repeated with its token is not counted, even after attemptGapMs',
  'repeated claim busy': 'a claim repeated with its token is the same claim and the same attempt',
  'repeated completion refused': 'a completion repeated with its token returns true again',
  'repeated release refused': 'an owner’s release after its own release returns true again and changes nothing',
  'checkpoints of renewals lost': 'a checkpoint written with a renewal survives a crash',
  'checkpoints replaced': 'checkpoints of renewals and releases add up without duplicates',
  'checkpoints lost on quarantine': 'a delivery that reprocessing quarantined again can be reprocessed again',
  'quarantined for good': 'reprocessing claims a quarantined delivery with its attempts and checkpoints',
  'quarantined claimable': 'a quarantined delivery is done for the sender',
  'finished claimable by reprocessing': 'reprocessing a completed delivery returns done',
  'namespaces ignored': 'two namespaces have separate deliveries',
  'records lost on restart': 'a completed delivery is done after a restart',
  'transaction without fence': 'an owner that lost its claim before the transaction commits nothing',
  'transaction without checkpoint': 'an effect and its checkpoint are committed together',
  'transaction without rollback':
    'a transaction that throws commits neither its effect nor its checkpoint and rethrows the same error',
  'body kept as text': 'a body is returned byte for byte: every byte value, NUL, invalid UTF-8, empty, 1 MiB',
  'entries appended': 'a delivery that is stored again replaces its entry',
  'entries unordered': 'entries are listed page by page in the order of their keys',
}

const EXPECTED_IN_GROUPS: Readonly<Record<GroupFault, string>> = {
  'group in reverse': 'claims of one delivery that are issued together are decided in the order of their arrival',
  'repeated claim not written':
    'a claim repeated with its token restarts the lease, although others claim the delivery at the same time',
  'results shifted': 'each operation of a group gets its own result',
  'group fails together': 'an operation that fails does not fail the others of its group',
  'group cut off': 'a group of 600 operations is written completely',
  'rejected operation written later': 'an operation that is rejected because it waited too long changes nothing later',
}

const LOST_RESPONSES = 'a group whose responses are lost is repeated, and each operation counts once'

describe('the conformance suite', () => {
  it('has at least 60 tests with unique names', () => {
    const names = collect(driver(undefined)).map(({ name }) => name)
    expect(names.length).toBeGreaterThanOrEqual(60)
    expect(new Set(names).size).toBe(names.length)
  })

  it('passes on a correct store', async () => {
    expect(await failures(undefined)).toEqual([])
  })

  it('names a different test for every fault', () => {
    const named = Object.values(EXPECTED)
    expect(new Set(named).size).toBe(named.length)
  })

  it.each(Object.entries(EXPECTED) as [Fault, string][])('finds the fault "%s"', async (fault, name) => {
    expect(await failures(fault, name)).toEqual([name])
  })

  it.each(Object.entries(EXPECTED_IN_GROUPS) as [GroupFault, string][])(
    'finds the fault "%s" of a store that groups',
    async (fault, name) => {
      const { open, ...correct } = driver(undefined)
      const grouped: StoreDriver = { ...correct, open: async (options) => faultyGroups(await open(options), fault) }
      expect(await failuresOf(grouped, name)).toEqual([name])
    },
  )

  it.each([
    ['correct', []],
    ['missing', [LOST_RESPONSES]],
    ['with another token', [LOST_RESPONSES]],
  ] as const)('judges the repetition of operations whose responses are lost: %s', async (repetition, failed) => {
    expect(await failuresOf(repeatingDriver(driver(undefined), repetition), LOST_RESPONSES)).toEqual(failed)
  })

  it('skips the tests of features that a driver does not have, with the reason', () => {
    const { quarantine: _, transaction: __, ...bare } = driver(undefined)
    const skipped: string[] = []
    const test = Object.assign(() => {}, { skip: (name: string) => void skipped.push(name) })
    testStore({ describe: (_name, body) => body(), test }, { ...bare, durable: false, ownClock: false })
    expect(skipped).toContain('a completed delivery is done after a restart (skipped: the store is not durable)')
    expect(skipped).toContain('an entry is returned as it was stored (skipped: the store has no quarantine)')
    expect(skipped).toContain(
      'an effect and its checkpoint are committed together (skipped: the store has no transactions)',
    )
    expect(skipped.filter((name) => name.includes('the store uses the clock of the calling process'))).toHaveLength(2)
  })
})

interface Collected {
  readonly name: string
  readonly run: () => Promise<void>
}

/** Collects the tests of the suite, so that they can run one by one. */
function collect(tested: StoreDriver): Collected[] {
  const collected: Collected[] = []
  testStore({ describe: (_, body) => body(), test: (name, run) => void collected.push({ name, run }) }, tested)
  return collected
}

/** Returns the names of the failing tests. Runs all tests, or only the one named `only`. */
async function failures(fault: Fault | undefined, only?: string): Promise<string[]> {
  return failuresOf(driver(fault), only)
}

async function failuresOf(tested: StoreDriver, only?: string): Promise<string[]> {
  const failed: string[] = []
  for (const { name, run } of collect(tested)) {
    if (only !== undefined && name !== only) continue
    await run().catch(() => failed.push(name))
  }
  return failed
}

function driver(fault: Fault | undefined): StoreDriver {
  const clock = fixedClock()
  const shelf = createShelf()
  return {
    name: fault ?? 'a correct store',
    open: ({ namespace }) => referenceStore({ shelf, clock, namespace, fault }),
    advance: (ms) => clock.advance(ms),
    quarantine: true,
    transaction: {
      commit: (store, request, effect, before) =>
        (store.transaction as (transactionRequest: typeof request) => ReferenceTransaction)(request)(
          async (effects) => {
            effects.push(effect)
            await before?.()
          },
        ),
      count: async (effect) => shelf.effects.filter((each) => each === effect).length,
    },
  }
}
