/**
 * A process that was frozen longer than its lease, while another process claimed and finished the delivery: it writes nothing to the
 * quarantine and takes nothing out of it.
 */
import { describe, expect, it, test } from 'vitest'
import { memoryStore, PermanentError, type QuarantineEntry } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { type Fault, type FaultyStore, faultyStore } from '../support/faulty-store.js'
import { createGate } from '../support/gate.js'
import { jobOf } from '../support/handed-out.js'
import { EVENT_TIME } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { MINUTE, type Receiving, receiving, SECOND } from '../support/receiving.js'
import { type SteppedClock, steppedClock } from '../support/stepped-clock.js'

/** How the handler of the frozen process ends: it throws this value, or succeeds. */
type Ending = { readonly throws?: unknown; readonly ageMs: number }

const PERMANENT: Ending = { throws: new PermanentError('no such customer'), ageMs: 0 }
const LAST: Ending = { throws: new Error('no database'), ageMs: 50 * MINUTE }
const EARLY: Ending = { throws: new Error('no database'), ageMs: 50 * SECOND }
/** A success takes an early entry out of the quarantine. */
const SUCCESS: Ending = { ageMs: 50 * SECOND }

/** When the frozen process ends its attempt. */
type When = 'in time, synchronously' | 'in time' | 'after the response'

const WHENS: readonly When[] = ['in time, synchronously', 'in time', 'after the response']

interface Processes {
  /** The process that freezes. It reaches the shared store through a store that can fail. */
  readonly frozen: Receiving<Record<never, never>, never>
  readonly other: Receiving<Record<never, never>, never>
  readonly clock: SteppedClock
  readonly store: FaultyStore
  /** The quarantine's entries. */
  readonly entries: ReadonlyMap<string, QuarantineEntry>
  /** What the first process wrote to the quarantine since it froze. */
  readonly writes: string[]
  /** Freezes the first process for a minute, in which the other one receives the retry. */
  freeze(): void
}

/** Two processes with a common store and quarantine. The handler of the second process is `otherHandler`. */
function openProcesses(ageMs: number, otherHandler: () => unknown = () => {}): Processes {
  const start = Date.parse(EVENT_TIME) + ageMs
  const [clock, shared] = [steppedClock(start), fixedClock(start)]
  const records = memoryStore({ clock: shared })
  const store = faultyStore(records)
  const quarantine = memoryQuarantine()
  const writes: string[] = []
  const watched = async (entry: QuarantineEntry) => {
    writes.push(entry.code)
    await quarantine(entry)
  }
  const discard = async (key: string) => {
    writes.push('discard')
    await quarantine.discard?.(key)
  }
  const other = receiving({ clock: shared, store: records, quarantine })
  other.receiver.on('qr.scanned', otherHandler)
  return {
    frozen: receiving({ clock, store, quarantine: Object.assign(watched, { discard }) }),
    other,
    clock,
    store,
    entries: quarantine.entries,
    writes,
    freeze() {
      writes.length = 0
      shared.set(shared.now() + MINUTE)
      void other.deliver()
      clock.freeze(MINUTE)
    },
  }
}

/** Lets every promise that can settle do so, without firing a timer. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Freezes the first process in its handler. When it resumes, the handler ends. */
async function endFrozen({ frozen, freeze }: Processes, { throws }: Ending, when: When): Promise<void> {
  const gate = createGate()
  const end = () => {
    if (throws !== undefined) throw throws
  }
  frozen.receiver.on('qr.scanned', () => {
    if (when !== 'in time, synchronously') return gate.passed.then(end)
    freeze()
    return end()
  })
  if (when === 'after the response') await frozen.attempt()
  else void frozen.deliver()
  await settle()
  if (when === 'in time, synchronously') return
  freeze()
  await settle()
  gate.open()
  await settle()
}

describe.each(WHENS)('a frozen process that ends its attempt %s', (when) => {
  it.each([
    ['a permanent error', PERMANENT],
    ['the failure of a last attempt', LAST],
    ['a failure that would be quarantined early', EARLY],
  ])('with %s writes nothing to the quarantine', async (_, ending) => {
    const processes = openProcesses(ending.ageMs)
    const { frozen, other, writes, clock } = processes
    await endFrozen(processes, ending, when)
    expect([writes, frozen.reported('lease_lost')]).toEqual([[], 1])
    if (when !== 'after the response') {
      expect(frozen.outcomes).toMatchObject([{ status: 'failed', error: ending.throws }])
    }
    await clock.advance(5 * MINUTE)
    expect([writes, clock.pendingTimers()]).toEqual([[], 0])
    expect((await other.deliver()).status).toBe('duplicate')
  })

  it('with a success leaves the entry of another process in the quarantine', async () => {
    const processes = openProcesses(SUCCESS.ageMs, () => Promise.reject(new Error('no database')))
    const { frozen, entries, writes, clock } = processes
    await endFrozen(processes, SUCCESS, when)
    expect(frozen.reported('lease_lost')).toBe(1)
    await clock.advance(5 * MINUTE)
    expect([writes, clock.pendingTimers()]).toEqual([[], 0])
    expect([...entries.values()]).toMatchObject([{ code: 'retry_pending', attempt: 2 }])
  })

  const HELD = [
    ['the failure of a last attempt', LAST, 'attempts_exhausted'],
    ['a failure that is quarantined early', EARLY, 'retry_pending'],
  ] as const

  describe.each(HELD)('with %s', (_, ending, code) => {
    it.each<Fault>(['throws', 'rejects', 'hangs', 'returns garbage'])(
      'writes to the quarantine if the store %s when it is asked about the claim',
      async (fault) => {
        const processes = openProcesses(ending.ageMs)
        processes.store.fail('renew', fault)
        await endFrozen(processes, ending, when)
        await processes.clock.advance(20 * SECOND)
        expect(processes.writes).toEqual([code])
      },
    )

    it('writes to the quarantine if no other process has claimed the delivery', async () => {
      const processes = openProcesses(ending.ageMs)
      const { clock, writes, frozen } = processes
      const freeze = () => {
        writes.length = 0
        clock.freeze(MINUTE)
      }
      await endFrozen({ ...processes, freeze }, ending, when)
      await clock.advance(20 * SECOND)
      expect([writes, frozen.reported('lease_lost')]).toEqual([[code], 0])
    })
  })
})

describe('a frozen process whose handlers still run when it resumes', () => {
  it.each([
    ['on a last attempt', LAST],
    ['on an attempt that would be quarantined early', EARLY],
  ])('%s writes nothing to the quarantine', async (_, { ageMs }) => {
    const { frozen, writes, clock, freeze } = openProcesses(ageMs)
    const gate = createGate()
    frozen.receiver.on('qr.scanned', () => gate.passed)
    const pending = frozen.deliver()
    await settle()
    freeze()
    await settle()
    // The response's timer is overdue now.
    await clock.advance(0)
    await pending
    expect(writes).toEqual([])
    gate.open()
    await clock.advance(MINUTE)
    expect([writes, clock.pendingTimers()]).toEqual([[], 0])
  })
})

describe('a frozen process with an inbox', () => {
  it.each([
    ['a permanent error', PERMANENT, { number: 1, last: false }],
    ['the failure of a last attempt', LAST, { number: 5, last: true }],
  ])('whose job ends with %s writes nothing to the quarantine', async (_, { throws, ageMs }, attempt) => {
    const { frozen, other, writes, freeze } = openProcesses(ageMs)
    const gate = createGate()
    frozen.receiver.on('qr.scanned', async () => {
      await gate.passed
      throw throws
    })
    const pending = frozen.receiver.process(jobOf(), attempt)
    await settle()
    freeze()
    await settle()
    gate.open()
    // The engine hands the job out again, and then it is a duplicate.
    expect((await pending).status).toBe('failed')
    expect([writes, frozen.reported('lease_lost')]).toEqual([[], 1])
    expect((await other.receiver.process(jobOf(), { number: 6, last: true })).status).toBe('duplicate')
  })
})

test('a frozen process that reprocesses an entry with success leaves the entry of another process', async () => {
  const { frozen, other, writes, entries, freeze } = openProcesses(0, () => {
    throw PERMANENT.throws
  })
  await other.deliver()
  const [entry] = entries.values()
  const gate = createGate()
  frozen.receiver.on('qr.scanned', () => gate.passed)
  const pending = frozen.receiver.reprocess(entry as QuarantineEntry)
  await settle()
  freeze()
  await settle()
  gate.open()
  await pending
  expect([writes, frozen.reported('lease_lost')]).toEqual([[], 1])
  expect([...entries.values()]).toMatchObject([{ code: 'permanent_error', attempt: 3 }])
})

test('the store is asked about the claim only if the lease may have expired', async () => {
  const renewals: number[] = []
  for (const frozenMs of [0, 49_999, 50_000]) {
    const clock = steppedClock(EVENT_TIME)
    const store = faultyStore(memoryStore({ clock }))
    const { receiver } = receiving({ clock, store, quarantine: memoryQuarantine() })
    receiver.on('qr.scanned', () => {
      clock.freeze(frozenMs)
      throw PERMANENT.throws
    })
    expect((await receiver.process(jobOf(), { number: 1, last: false })).status).toBe('quarantined')
    renewals.push(store.count('renew'))
  }
  expect(renewals).toEqual([0, 0, 1])
})
