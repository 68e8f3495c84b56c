/** A small share of `npm run proof -- simulate`: the real core on virtual time under every fault, and wrong policies that must be detected. */
import { describe, expect, test } from 'vitest'
import { createHost } from '../proof/simulate/host.js'
import { BAD_INBOX_POLICIES, BAD_POLICIES, REAL_RULES } from '../proof/simulate/policies.js'
import { EVERYTHING, INBOX_WITHOUT_TRANSACTION, WITH_INBOX, WITHOUT_TRANSACTION } from '../proof/simulate/scenario.js'
import { simulate } from '../proof/simulate/simulate.js'
import { createWorld } from '../proof/simulate/world.js'

const EVENTS = 3000

describe('a simulated webhook', () => {
  test('loses no event, doubles no effect and wastes no attempt under every fault', { timeout: 60_000 }, async () => {
    const found = await simulate(2025, EVENTS, EVERYTHING, REAL_RULES)
    expect(found).toMatchObject({ events: EVENTS, lost: 0, doubled: 0, wasted: 0 })
    expect(found.attempts).toBeGreaterThan(EVENTS)
  })

  test('loses, doubles and wastes nothing with an inbox', { timeout: 120_000 }, async () => {
    const found = await simulate(2025, EVENTS, WITH_INBOX, REAL_RULES)
    expect(found).toMatchObject({ events: EVENTS, lost: 0, doubled: 0, wasted: 0 })
    expect(found.attempts).toBeGreaterThan(EVENTS)
  })

  test.each(BAD_INBOX_POLICIES)('detects the wrong inbox policy "$name"', { timeout: 120_000 }, async (policy) => {
    const found = await simulate(7, 3000, INBOX_WITHOUT_TRANSACTION, policy)
    for (const what of policy.broken) expect(found[what]).toBeGreaterThan(0)
  })

  test('is reproducible with the same seed and different with another', { timeout: 60_000 }, async () => {
    const [once, again, other] = [
      await simulate(7, 500, EVERYTHING, REAL_RULES),
      await simulate(7, 500, EVERYTHING, REAL_RULES),
      await simulate(8, 500, EVERYTHING, REAL_RULES),
    ]
    expect(again).toEqual(once)
    expect(other.trace).not.toBe(once.trace)
  })

  const obvious = BAD_POLICIES.filter(({ name }) =>
    [
      'mark as seen before handling',
      'return 200 for a handler error',
      'get, then set',
      'deduplicate on webhook_id',
    ].includes(name),
  )
  test.each(obvious)('detects the wrong policy "$name"', { timeout: 60_000 }, async (policy) => {
    const found = await simulate(2025, EVENTS, WITHOUT_TRANSACTION, policy)
    for (const what of policy.broken) expect(found[what]).toBeGreaterThan(0)
  })
})

describe('a simulated process', () => {
  test('does nothing after its crash, not even work that was already in progress', async () => {
    const world = createWorld(1, 0)
    const host = createHost(world, 0)
    const old = host.process()
    const done: string[] = []
    const beat = (): void => void old.after(1000, beat)
    old.after(100, () => {
      // The continuation of a settled promise runs after the crash.
      void Promise.resolve().then(beat)
      old.after(500, () => done.push('old'))
      host.crash()
    })
    host.onRestart(() => {
      expect(host.process()).not.toBe(old)
      host.process().after(100, () => done.push('new'))
    })
    await world.run()
    expect(done).toEqual(['new'])
  })

  test('that never comes to rest fails its simulation', async () => {
    const world = createWorld(1, 0)
    const { after } = createHost(world, 0).process()
    const beat = (): void => void after(24 * 60 * 60 * 1000, beat)
    beat()
    await expect(world.run()).rejects.toThrow('does not come to rest')
  })
})
