/**
 * Checkpoints: a handler that one try finished is known to every later one, whichever way the try ended.
 */
import { atOnce, type StoreTest, type Worker } from './bench.js'
import { expectEqual } from './expect.js'

/** Tests of `completedHandlers`. */
export const checkpoints: readonly StoreTest[] = [
  {
    name: 'a checkpoint written with a release is told to the next try',
    async run({ workers }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      await ada.release({ completedHandlers: ['count', 'mail'] })
      expectEqual(await doneAt(ben), ['count', 'mail'], 'handlers done')
    },
  },
  {
    name: 'a checkpoint written with a renewal survives a crash',
    async run({ workers, pass }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      await ada.renew({ completedHandlers: ['count'] })
      await pass(5)
      expectEqual(await doneAt(ben), ['count'], 'handlers done')
    },
  },
  {
    name: 'a renewal without handlers takes no checkpoint away',
    async run({ workers, pass }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      await ada.renew({ completedHandlers: ['count'] })
      await ada.renew()
      await ada.renew({ completedHandlers: [] })
      await pass(5)
      expectEqual(await doneAt(ben), ['count'], 'handlers done')
    },
  },
  {
    name: 'checkpoints add up over renewals and releases, each once',
    async run({ workers }) {
      const [ada, ben, cleo] = workers() as [Worker, Worker, Worker]
      await ada.claim()
      await ada.renew({ completedHandlers: ['count'] })
      await ada.release({ completedHandlers: ['mail', 'count'] })
      await ben.claim()
      await ben.release({ completedHandlers: ['alert'] })
      expectEqual(await doneAt(cleo), ['alert', 'count', 'mail'], 'handlers done')
    },
  },
  {
    name: 'an uncounted release takes no checkpoint away',
    async run({ workers }) {
      const [ada, ben, cleo] = workers() as [Worker, Worker, Worker]
      await ada.claim()
      await ada.release({ completedHandlers: ['count'] })
      await ben.claim()
      await ben.release({ counted: false })
      expectEqual(await doneAt(cleo), ['count'], 'handlers done')
    },
  },
  {
    name: 'checkpoints survive several crashes',
    async run({ workers, pass, worker }) {
      const [{ key }] = workers() as [Worker]
      for (const name of ['a', 'b', 'c']) {
        const claimer = worker(key)
        await claimer.claim()
        await claimer.renew({ completedHandlers: [name] })
        await pass(5)
      }
      expectEqual(await doneAt(worker(key)), ['a', 'b', 'c'], 'handlers done')
    },
  },
  {
    name: 'names keep every character a handler’s name can have',
    async run({ workers }) {
      const [ada, ben] = workers() as [Worker, Worker]
      const names = ['(only)', 'A.b:c/d-e_f', 'constructor', '__proto__', '0', 'x'.repeat(100)].sort()
      await ada.claim()
      await ada.release({ completedHandlers: names })
      expectEqual(await doneAt(ben), names, 'handlers done')
    },
  },
  {
    name: '200 checkpoints are kept',
    async run({ workers }) {
      const [ada, ben] = workers() as [Worker, Worker]
      const names = Array.from({ length: 200 }, (_, index) => `handler-${1000 + index}`)
      await ada.claim()
      await ada.renew({ completedHandlers: names.slice(0, 120) })
      await ada.release({ completedHandlers: names.slice(80) })
      expectEqual(await doneAt(ben), names, 'handlers done')
    },
  },
  {
    name: 'checkpoints written at once by one owner are all kept',
    async run({ workers, pass }) {
      const [ada, ben] = workers() as [Worker, Worker]
      await ada.claim()
      const renewed = await atOnce(10, (index) => ada.renew({ completedHandlers: [`step-${index}`] }))
      expectEqual(new Set(renewed).has(false), false, 'a renewal that failed')
      await pass(5)
      expectEqual(
        await doneAt(ben),
        Array.from({ length: 10 }, (_, index) => `step-${index}`),
        'handlers done',
      )
    },
  },
  {
    name: 'checkpoints of one delivery are not those of another',
    async run({ workers }) {
      const [ada] = workers() as [Worker]
      const [ben] = workers() as [Worker]
      await ada.claim()
      await ada.release({ completedHandlers: ['count'] })
      expectEqual(await doneAt(ben), [], 'handlers done')
    },
  },
]

/** What a new claim is told; in the order of the names, since the contract promises none. */
async function doneAt(worker: Worker): Promise<readonly string[]> {
  const response = await worker.claim()
  expectEqual(response.status, 'claimed', 'the claim')
  return [...(response as { completedHandlers: readonly string[] }).completedHandlers].sort()
}
