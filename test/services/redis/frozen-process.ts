/**
 * The process that is frozen: it processes the delivery of its parent over redisStore. Its handler tells the parent that it runs, and ends as
 * it was asked once the parent lets it. The file CLOCK holds how many milliseconds its clock is ahead, because a real freeze would take a minute.
 */
import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { type Clock, systemClock } from '../../../src/clock.js'
import { createReceiver, PermanentError } from '../../../src/index.js'
import { redisStore } from '../../../src/stores/redis/redis-store.js'
import { signDelivery } from '../../../src/testing/index.js'

/** What the process is asked to do. */
export interface FrozenSetup {
  readonly url: string
  readonly namespace: string
  readonly secret: string
  readonly payload: object
  /** `abort`: the handler ends with an error when its signal is aborted. */
  readonly ending: 'succeed' | 'fail' | 'fail for good' | 'abort'
  readonly clockFile: string
}

const { url, namespace, secret, payload, ending, clockFile } = JSON.parse(process.argv[2] as string) as FrozenSetup
const ahead = () => Number(readFileSync(clockFile, 'utf8'))
const clock: Clock = {
  now: () => systemClock.now() + ahead(),
  monotonicNow: () => performance.now() + ahead(),
  setTimer: systemClock.setTimer,
}
const mayEnd = new Promise((resolve) => process.on('message', resolve))
const client = new Redis(url, { maxRetriesPerRequest: 0 })
const receiver = createReceiver({
  secret,
  store: redisStore({ client, namespace }),
  clock,
  deadlineMs: 1000,
  onError: ({ code }) => process.send?.({ code }),
}).on('qr.created', async (_, { signal }) => {
  process.send?.('in the handler')
  await mayEnd
  if (ending === 'abort') {
    signal.throwIfAborted()
    await new Promise((_resolve, reject) => signal.addEventListener('abort', reject))
  }
  if (ending === 'fail') throw new Error('fails after the freeze')
  if (ending === 'fail for good') throw new PermanentError('fails for good after the freeze')
})
await receiver.receive((await signDelivery(payload, { secret })).delivery)
await receiver.close()
client.disconnect()
process.disconnect?.()
