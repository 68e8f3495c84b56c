/**
 * Checkpoints: every later attempt knows the handlers that an earlier attempt completed, however that attempt ended.
 */
import { expectEqual } from './expect.js'
import { type Caller, concurrently, type StoreTest } from './store-test.js'

/** Tests of `completedHandlers`. */
export const checkpoints: readonly StoreTest[] = [
  {
    name: 'the next attempt gets a checkpoint that was written with a release',
    async run({ callers }) {
      const [ada, ben] = callers() as [Caller, Caller]
      await ada.claim()
      await ada.release({ completedHandlers: ['count', 'mail'] })
      expectEqual(await handlersOf(ben), ['count', 'mail'], 'completed handlers')
    },
  },
  {
    name: 'a checkpoint written with a renewal survives a crash',
    async run({ callers, pass }) {
      const [ada, ben] = callers() as [Caller, Caller]
      await ada.claim()
      await ada.renew({ completedHandlers: ['count'] })
      await pass(5)
      expectEqual(await handlersOf(ben), ['count'], 'completed handlers')
    },
  },
  {
    name: 'a renewal without handlers removes no checkpoint',
    async run({ callers, pass }) {
      const [ada, ben] = callers() as [Caller, Caller]
      await ada.claim()
      await ada.renew({ completedHandlers: ['count'] })
      await ada.renew()
      await ada.renew({ completedHandlers: [] })
      await pass(5)
      expectEqual(await handlersOf(ben), ['count'], 'completed handlers')
    },
  },
  {
    name: 'checkpoints of renewals and releases add up without duplicates',
    async run({ callers }) {
      const [ada, ben, cleo] = callers() as [Caller, Caller, Caller]
      await ada.claim()
      await ada.renew({ completedHandlers: ['count'] })
      await ada.release({ completedHandlers: ['mail', 'count'] })
      await ben.claim()
      await ben.release({ completedHandlers: ['alert'] })
      expectEqual(await handlersOf(cleo), ['alert', 'count', 'mail'], 'completed handlers')
    },
  },
  {
    name: 'an uncounted release removes no checkpoint',
    async run({ callers }) {
      const [ada, ben, cleo] = callers() as [Caller, Caller, Caller]
      await ada.claim()
      await ada.release({ completedHandlers: ['count'] })
      await ben.claim()
      await ben.release({ counted: false })
      expectEqual(await handlersOf(cleo), ['count'], 'completed handlers')
    },
  },
  {
    name: 'checkpoints survive several crashes',
    async run({ callers, pass, caller }) {
      const [{ key }] = callers() as [Caller]
      for (const name of ['a', 'b', 'c']) {
        const claimer = caller(key)
        await claimer.claim()
        await claimer.renew({ completedHandlers: [name] })
        await pass(5)
      }
      expectEqual(await handlersOf(caller(key)), ['a', 'b', 'c'], 'completed handlers')
    },
  },
  {
    name: 'checkpoints keep every character that a handler name can contain',
    async run({ callers }) {
      const [ada, ben] = callers() as [Caller, Caller]
      const names = ['(only)', 'A.b:c/d-e_f', 'constructor', '__proto__', '0', 'x'.repeat(100)].sort()
      await ada.claim()
      await ada.release({ completedHandlers: names })
      expectEqual(await handlersOf(ben), names, 'completed handlers')
    },
  },
  {
    name: 'a delivery can have 200 checkpoints',
    async run({ callers }) {
      const [ada, ben] = callers() as [Caller, Caller]
      const names = Array.from({ length: 200 }, (_, index) => `handler-${1000 + index}`)
      await ada.claim()
      await ada.renew({ completedHandlers: names.slice(0, 120) })
      await ada.release({ completedHandlers: names.slice(80) })
      expectEqual(await handlersOf(ben), names, 'completed handlers')
    },
  },
  {
    name: 'checkpoints that one owner writes concurrently are all kept',
    async run({ callers, pass }) {
      const [ada, ben] = callers() as [Caller, Caller]
      await ada.claim()
      const renewed = await concurrently(10, (index) => ada.renew({ completedHandlers: [`step-${index}`] }))
      expectEqual(new Set(renewed).has(false), false, 'a failed renewal')
      await pass(5)
      expectEqual(
        await handlersOf(ben),
        Array.from({ length: 10 }, (_, index) => `step-${index}`),
        'completed handlers',
      )
    },
  },
  {
    name: 'two deliveries have separate checkpoints',
    async run({ callers }) {
      const [ada] = callers() as [Caller]
      const [ben] = callers() as [Caller]
      await ada.claim()
      await ada.release({ completedHandlers: ['count'] })
      expectEqual(await handlersOf(ben), [], 'completed handlers')
    },
  },
]

/** Claims and returns the completed handlers, sorted because the contract promises no order. */
async function handlersOf(caller: Caller): Promise<readonly string[]> {
  const result = await caller.claim()
  expectEqual(result.status, 'claimed', 'the claim')
  return [...(result as { completedHandlers: readonly string[] }).completedHandlers].sort()
}
