/**
 * Every store call fails in every way in every scenario, once and for good, with and without a quarantine. Whatever happens: no 4xx, an
 * answer within 4.6 s, no effect twice that the fault does not explain, no event lost that GoValid still tries, nothing left running.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memoryStore, PermanentError } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { FAULTS, type FaultyStore, faultyStore, STORE_CALLS } from '../support/faulty-store.js'
import { EVENT_TIME } from '../support/payloads.js'
import { type MemoryQuarantine, memoryQuarantine } from '../support/quarantine.js'
import { HOUR, MINUTE, pause, type Receiving, receiving, SECOND } from '../support/receiving.js'

/** What the handlers do. `effects` counts those that ended well. */
interface Scenario {
  readonly name: string
  readonly install: (desk: Desk) => void
  /** Whether a run can end well at all. */
  readonly succeeds: boolean
}

interface Desk extends Receiving<Record<never, never>, never> {
  readonly store: FaultyStore
  readonly quarantine: MemoryQuarantine | undefined
  readonly effects: string[]
}

const effect = (desk: Desk, name = 'count') => void desk.effects.push(name)

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a quick handler',
    succeeds: true,
    install: (desk) => void desk.receiver.on('qr.scanned', () => effect(desk)),
  },
  {
    name: 'a handler that fails once',
    succeeds: true,
    install: (desk) => {
      let calls = 0
      desk.receiver.on('qr.scanned', () => {
        if (++calls === 1) throw new Error('no database')
        effect(desk)
      })
    },
  },
  {
    name: 'a handler that takes 30 s',
    succeeds: true,
    install: (desk) =>
      void desk.receiver.on('qr.scanned', () => pause(desk.clock, 30 * SECOND).then(() => effect(desk))),
  },
  {
    name: 'a handler that takes 50 s and fails once',
    succeeds: true,
    install: (desk) => {
      let calls = 0
      desk.receiver.on('qr.scanned', async () => {
        const isFirst = ++calls === 1
        await pause(desk.clock, 50 * SECOND)
        if (isFirst) throw new Error('no database')
        effect(desk)
      })
    },
  },
  {
    name: 'two named handlers, of which the second fails once',
    succeeds: true,
    install: (desk) => {
      let calls = 0
      desk.receiver.on('qr.scanned', () => effect(desk, 'mail'), { name: 'mail' })
      desk.receiver.on(
        'qr.scanned',
        () => {
          if (++calls === 1) throw new Error('no database')
          effect(desk)
        },
        { name: 'count' },
      )
    },
  },
  {
    name: 'a handler that always fails',
    succeeds: false,
    install: (desk) => void desk.receiver.on('qr.scanned', () => Promise.reject(new Error('no database'))),
  },
  {
    name: 'a handler that never ends',
    succeeds: false,
    install: (desk) => void desk.receiver.on('qr.scanned', () => new Promise(() => {})),
  },
  {
    name: 'a handler that gives up for good',
    succeeds: false,
    install: (desk) =>
      void desk.receiver.on('qr.scanned', () => Promise.reject(new PermanentError('no such customer'))),
  },
]

function open(withQuarantine: boolean): Desk {
  const clock = fixedClock(EVENT_TIME)
  const store = faultyStore(memoryStore({ clock }))
  const quarantine = withQuarantine ? memoryQuarantine() : undefined
  return { ...receiving({ clock, store, ...(quarantine && { quarantine }) }), store, quarantine, effects: [] }
}

const unhandled: unknown[] = []
const remember = (reason: unknown) => void unhandled.push(reason)
beforeEach(() => {
  unhandled.length = 0
  process.on('unhandledRejection', remember)
})
afterEach(() => {
  process.off('unhandledRejection', remember)
})

const cases = STORE_CALLS.flatMap((call) => FAULTS.map((fault) => ({ call, fault })))

describe.each(SCENARIOS)('$name', (scenario) => {
  describe.each([
    ['with a quarantine', true],
    ['without a quarantine', false],
  ])('%s', (_, withQuarantine) => {
    it.each(cases)('$call $fault once', async ({ call, fault }) => {
      const desk = open(withQuarantine)
      scenario.install(desk)
      desk.store.fail(call, fault, 1)
      const made = await desk.attempts()
      await finish(desk, made)
      // A try that never reached the store is not counted: only a quarantine's clock tells then that the fifth is the last.
      const isMiscounted =
        call === 'claim' && !fault.startsWith('does it') && !withQuarantine && usesEveryAttempt(scenario)
      if (isMiscounted) return expect(made).toHaveLength(5)
      expect(made.at(-1)?.http).toBe(200)
      // What ended well ended well once, whatever single call failed.
      const expected = scenario.name.startsWith('two named') ? ['count', 'mail'] : ['count']
      expect([...desk.effects].sort()).toEqual(scenario.succeeds ? expected : [])
      expectKept(desk, scenario)
    })

    it.each(cases)('$call $fault for good', async ({ call, fault }) => {
      const desk = open(withQuarantine)
      scenario.install(desk)
      desk.store.fail(call, fault)
      const made = await desk.attempts()
      await finish(desk, made)
      // A store whose claims fail is the only thing that may leave the last try without its 200, and not with a quarantine.
      if (call !== 'claim' || withQuarantine) expect(made.at(-1)?.http).toBe(200)
      if (call === 'claim') expect(desk.effects).toEqual([])
      else if (!scenario.succeeds) expect(desk.effects).toEqual([])
      else expect(desk.effects).toContain('count')
      expect(desk.effects.length).toBeLessThanOrEqual(scenario.name.startsWith('two named') ? 3 : 2)
    })
  })
})

/** Whether no try ends a delivery before the last. */
function usesEveryAttempt({ name, succeeds }: Scenario): boolean {
  return !succeeds && !name.endsWith('for good')
}

/** What no handler ever finished is in the quarantine, and nothing else. */
function expectKept({ quarantine, reports }: Desk, { succeeds }: Scenario): void {
  const kept = quarantine ? quarantine.entries.size : reports.filter(({ code }) => code === 'event_dropped').length
  if (succeeds) expect(kept).toBe(0)
  else expect(kept).toBeGreaterThan(0)
}

async function finish(desk: Desk, made: readonly { readonly http: number; readonly ms: number }[]): Promise<void> {
  for (const { http, ms } of made) {
    expect([200, 500, 503]).toContain(http)
    expect(ms).toBeLessThanOrEqual(4600)
  }
  desk.store.heal()
  await desk.clock.advance(HOUR)
  const closed = desk.receiver.close()
  await desk.clock.advance(MINUTE)
  await closed
  expect(desk.clock.pendingTimers()).toBe(0)
  expect(unhandled).toEqual([])
}
