/**
 * Makes every store call fail in every way in every scenario, once and permanently, with and without a quarantine. In each case: no 4xx,
 * a response within 4.6 s, no effect twice unless the fault explains it, no event lost while GoValid retries, nothing left running.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memoryStore, PermanentError } from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { FAULTS, type FaultyStore, faultyStore, STORE_CALLS } from '../support/faulty-store.js'
import { EVENT_TIME } from '../support/payloads.js'
import { type MemoryQuarantine, memoryQuarantine } from '../support/quarantine.js'
import { HOUR, MINUTE, pause, type Receiving, receiving, SECOND } from '../support/receiving.js'

/** The handlers of a case. They record each success in `effects`. */
interface Scenario {
  readonly name: string
  readonly install: (scene: Scene) => void
  /** Whether a run can succeed. */
  readonly succeeds: boolean
}

interface Scene extends Receiving<Record<never, never>, never> {
  readonly store: FaultyStore
  readonly quarantine: MemoryQuarantine | undefined
  readonly effects: string[]
}

const effect = (scene: Scene, name = 'count') => void scene.effects.push(name)

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a quick handler',
    succeeds: true,
    install: (scene) => void scene.receiver.on('qr.scanned', () => effect(scene)),
  },
  {
    name: 'a handler that fails once',
    succeeds: true,
    install: (scene) => {
      let calls = 0
      scene.receiver.on('qr.scanned', () => {
        if (++calls === 1) throw new Error('no database')
        effect(scene)
      })
    },
  },
  {
    name: 'a handler that takes 30 s',
    succeeds: true,
    install: (scene) =>
      void scene.receiver.on('qr.scanned', () => pause(scene.clock, 30 * SECOND).then(() => effect(scene))),
  },
  {
    name: 'a handler that takes 50 s and fails once',
    succeeds: true,
    install: (scene) => {
      let calls = 0
      scene.receiver.on('qr.scanned', async () => {
        const isFirst = ++calls === 1
        await pause(scene.clock, 50 * SECOND)
        if (isFirst) throw new Error('no database')
        effect(scene)
      })
    },
  },
  {
    name: 'two named handlers, of which the second fails once',
    succeeds: true,
    install: (scene) => {
      let calls = 0
      scene.receiver.on('qr.scanned', () => effect(scene, 'mail'), { name: 'mail' })
      scene.receiver.on(
        'qr.scanned',
        () => {
          if (++calls === 1) throw new Error('no database')
          effect(scene)
        },
        { name: 'count' },
      )
    },
  },
  {
    name: 'a handler that always fails',
    succeeds: false,
    install: (scene) => void scene.receiver.on('qr.scanned', () => Promise.reject(new Error('no database'))),
  },
  {
    name: 'a handler that never ends',
    succeeds: false,
    install: (scene) => void scene.receiver.on('qr.scanned', () => new Promise(() => {})),
  },
  {
    name: 'a handler that throws a PermanentError',
    succeeds: false,
    install: (scene) =>
      void scene.receiver.on('qr.scanned', () => Promise.reject(new PermanentError('no such customer'))),
  },
]

function open(withQuarantine: boolean): Scene {
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
    it.each(cases)('returns 200 in the end if $call $fault once', async ({ call, fault }) => {
      const scene = open(withQuarantine)
      scenario.install(scene)
      scene.store.fail(call, fault, 1)
      const made = await scene.attempts()
      await finish(scene, made)
      // An attempt that never reached the store isn't counted, so only a quarantine makes the fifth attempt the last, by age.
      const isMiscounted =
        call === 'claim' && !fault.startsWith('succeeds but') && !withQuarantine && usesEveryAttempt(scenario)
      if (isMiscounted) return expect(made).toHaveLength(5)
      expect(made.at(-1)?.http).toBe(200)
      // A single failed call never repeats an effect.
      const expected = scenario.name.startsWith('two named') ? ['count', 'mail'] : ['count']
      expect([...scene.effects].sort()).toEqual(scenario.succeeds ? expected : [])
      expectKept(scene, scenario)
    })

    it.each(cases)('loses and doubles nothing if $call always $fault', async ({ call, fault }) => {
      const scene = open(withQuarantine)
      scenario.install(scene)
      scene.store.fail(call, fault)
      const made = await scene.attempts()
      await finish(scene, made)
      // Only a store whose claims fail may leave the last attempt without its 200, and only without a quarantine.
      if (call !== 'claim' || withQuarantine) expect(made.at(-1)?.http).toBe(200)
      if (call === 'claim') expect(scene.effects).toEqual([])
      else if (!scenario.succeeds) expect(scene.effects).toEqual([])
      else expect(scene.effects).toContain('count')
      expect(scene.effects.length).toBeLessThanOrEqual(scenario.name.startsWith('two named') ? 3 : 2)
    })
  })
})

/** Whether the scenario uses all five attempts. */
function usesEveryAttempt({ name, succeeds }: Scenario): boolean {
  return !succeeds && !name.endsWith('PermanentError')
}

/** Expects the quarantine, or a report of a dropped event, exactly if no handler succeeded. */
function expectKept({ quarantine, reports }: Scene, { succeeds }: Scenario): void {
  const kept = quarantine ? quarantine.entries.size : reports.filter(({ code }) => code === 'event_dropped').length
  if (succeeds) expect(kept).toBe(0)
  else expect(kept).toBeGreaterThan(0)
}

async function finish(scene: Scene, made: readonly { readonly http: number; readonly ms: number }[]): Promise<void> {
  for (const { http, ms } of made) {
    expect([200, 500, 503]).toContain(http)
    expect(ms).toBeLessThanOrEqual(4600)
  }
  scene.store.heal()
  await scene.clock.advance(HOUR)
  const closed = scene.receiver.close()
  await scene.clock.advance(MINUTE)
  await closed
  expect(scene.clock.pendingTimers()).toBe(0)
  expect(unhandled).toEqual([])
}
