/** The conformance suite itself: it passes on a store without a fault, and each planted fault fails the test that is named after it. */
import { describe, expect, it } from 'vitest'
import { fixedClock } from '../../../src/testing/fixed-clock.js'
import type { StoreDriver } from '../../../src/testing/store-suite/driver.js'
import { testStore } from '../../../src/testing/test-store.js'
import { createShelf, type Fault, type ReferenceTransaction, referenceStore } from './reference-store.js'

const EXPECTED: Readonly<Record<Fault, string>> = {
  'get then set': 'of 1,000 callers at once exactly one claims a new delivery',
  'renew without token': 'a late owner’s renewal changes nothing of a delivery claimed by another',
  'complete without token': 'a late owner’s completion changes nothing of a delivery claimed by another',
  'release without token': 'a late owner’s release changes nothing of a delivery claimed by another',
  'client clock': 'a caller whose clock is ten minutes fast cannot take over a lease',
  'time-to-live dropped on completion': 'a finished delivery is forgotten after its retention',
  'retention shortened by completion': 'a completion never shortens the retention',
  'retention shortened by claim': 'a later try never shortens the retention',
  'live claim forgotten': 'a claim whose retention is over holds until its lease is',
  'lease never ends': 'a delivery is claimed again when its lease is over',
  'no lease': 'a claim holds while its lease runs',
  'renewal without effect': 'a renewal lets the lease run anew',
  'owner lost with its lease': 'an owner whose lease is over still owns what nobody else has claimed',
  'until in seconds': 'a second claim is busy while the first holds',
  'busy not counted': 'a busy claim is counted once the gap between two tries is over',
  'every busy counted': 'a busy claim soon after the last counted try is a copy, and not counted',
  'crash counted as release': 'a try that crashed is counted, and not counted as released',
  'uncounted release counted': 'an uncounted release takes the try back',
  'repeated claim counted': 'a repeated claim counts nothing, however late',
  'repeated claim busy': 'a claim repeated with its token is the same claim and the same try',
  'repeated completion refused': 'a completion repeated with its token is true again',
  'checkpoints of renewals lost': 'a checkpoint written with a renewal survives a crash',
  'checkpoints replaced': 'checkpoints add up over renewals and releases, each once',
  'checkpoints lost on quarantine': 'a rework that goes into quarantine again can be reworked again',
  'quarantined for good': 'a quarantined delivery is claimed by a rework, with its tries and checkpoints',
  'quarantined claimable': 'a quarantined delivery is done for the sender',
  'finished claimable by rework': 'a delivery that is finished for good is done for a rework too',
  'namespaces ignored': 'two namespaces do not meet',
  'forgets on restart': 'a finished delivery is done after a restart',
  'transaction without fence': 'an owner that lost its claim before commits nothing',
  'transaction without checkpoint': 'an effect and its checkpoint are committed together',
  'transaction without rollback':
    'an effect that throws leaves neither itself nor its checkpoint, and its error comes out as it is',
  'body kept as text': 'a body comes back byte for byte: every byte, NUL, invalid UTF-8, none, one MiB',
  'entries appended': 'a delivery given again replaces its entry',
  'entries unordered': 'entries are listed in the order of their keys, page by page',
}

describe('the conformance suite', () => {
  it('has at least 60 tests, each with a name of its own', () => {
    const names = collect(driver(undefined)).map(({ name }) => name)
    expect(names.length).toBeGreaterThanOrEqual(60)
    expect(new Set(names).size).toBe(names.length)
  })

  it('passes on a store without a fault', async () => {
    expect(await failures(undefined)).toEqual([])
  })

  it('names another test for every fault', () => {
    const named = Object.values(EXPECTED)
    expect(new Set(named).size).toBe(named.length)
  })

  it.each(Object.entries(EXPECTED) as [Fault, string][])('finds %s', async (fault, name) => {
    expect(await failures(fault, name)).toEqual([name])
  })

  it('registers what a driver does not have as skipped, with the reason', () => {
    const { quarantine: _, transaction: __, ...bare } = driver(undefined)
    const skipped: string[] = []
    const test = Object.assign(() => {}, { skip: (name: string) => void skipped.push(name) })
    testStore({ describe: (_name, body) => body(), test }, { ...bare, durable: false, ownClock: false })
    expect(skipped).toContain('a finished delivery is done after a restart (skipped: nothing survives its process)')
    expect(skipped).toContain('an entry comes back as it was given (skipped: it keeps no quarantine)')
    expect(skipped).toContain('an effect and its checkpoint are committed together (skipped: it has no transactions)')
    expect(skipped.filter((name) => name.includes('its clock is that of the calling process'))).toHaveLength(2)
  })
})

interface Collected {
  readonly name: string
  readonly run: () => Promise<void>
}

/** A runner that only collects: what it is given can be run one by one. */
function collect(under: StoreDriver): Collected[] {
  const collected: Collected[] = []
  testStore({ describe: (_, body) => body(), test: (name, run) => void collected.push({ name, run }) }, under)
  return collected
}

/** The tests that fail: of all, or of the one that is named. */
async function failures(fault: Fault | undefined, only?: string): Promise<string[]> {
  const failed: string[] = []
  for (const { name, run } of collect(driver(fault))) {
    if (only !== undefined && name !== only) continue
    await run().catch(() => failed.push(name))
  }
  return failed
}

function driver(fault: Fault | undefined): StoreDriver {
  const clock = fixedClock()
  const shelf = createShelf()
  return {
    name: fault ?? 'a store without a fault',
    open: ({ namespace }) => referenceStore({ shelf, clock, namespace, fault }),
    advance: (ms) => clock.advance(ms),
    quarantine: true,
    transaction: {
      commit: (store, request, effect, before) =>
        (store.transaction as (given: typeof request) => ReferenceTransaction)(request)(async (effects) => {
          effects.push(effect)
          await before?.()
        }),
      count: async (effect) => shelf.effects.filter((each) => each === effect).length,
    },
  }
}
