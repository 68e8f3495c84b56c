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
  readonly install: (scene: Scene) => void
  /** Whether a run can end well at all. */
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
    name: 'a handler that gives up for good',
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
    it.each(cases)('$call $fault once', async ({ call, fault }) => {
      const scene = open(withQuarantine)
      scenario.install(scene)
      scene.store.fail(call, fault, 1)
      const made = await scene.attempts()
      await finish(scene, made)
      // A try that never reached the store is not counted: only a quarantine's clock tells then that the fifth is the last.
      const isMiscounted =
        call === 'claim' && !fault.startsWith('succeeds but') && !withQuarantine && usesEveryAttempt(scenario)
      if (isMiscounted) return expect(made).toHaveLength(5)
      expect(made.at(-1)?.http).toBe(200)
      // What ended well ended well once, whatever single call failed.
      const expected = scenario.name.startsWith('two named') ? ['count', 'mail'] : ['count']
      expect([...scene.effects].sort()).toEqual(scenario.succeeds ? expected : [])
      expectKept(scene, scenario)
    })

    it.each(cases)('$call $fault for good', async ({ call, fault }) => {
      const scene = open(withQuarantine)
      scenario.install(scene)
      scene.store.fail(call, fault)
      const made = await scene.attempts()
      await finish(scene, made)
      // A store whose claims fail is the only thing that may leave the last try without its 200, and not with a quarantine.
      if (call !== 'claim' || withQuarantine) expect(made.at(-1)?.http).toBe(200)
      if (call === 'claim') expect(scene.effects).toEqual([])
      else if (!scenario.succeeds) expect(scene.effects).toEqual([])
      else expect(scene.effects).toContain('count')
      expect(scene.effects.length).toBeLessThanOrEqual(scenario.name.startsWith('two named') ? 3 : 2)
    })
  })
})

/** Whether no try ends a delivery before the last. */
function usesEveryAttempt({ name, succeeds }: Scenario): boolean {
  return !succeeds && !name.endsWith('for good')
}

/** What no handler ever finished is in the quarantine, and nothing else. */
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
