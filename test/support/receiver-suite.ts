/**
 * The receiver suite: runs a receiver on a real store through the attempt budget and through processes that freeze, close or have a wrong
 * clock. The receiver's clock is fixed. When a test advances it, the times in the store's records are moved back by as much.
 */
import { describe, expect, test } from 'vitest'
import { toResponse } from '../../src/delivery/response.js'
import {
  createReceiver,
  type Delivery,
  type Outcome,
  type Quarantine,
  type Receiver,
  type Store,
} from '../../src/index.js'
import { type FixedClock, fixedClock, type StoreDriver, signDelivery } from '../../src/testing/index.js'
import { createGate } from './gate.js'

const SECRET = 'your_webhook_secret'
const SECOND = 1000
const MINUTE = 60 * SECOND
/** The times of GoValid's attempts, in minutes after the event. Source: govalid docs, webhooks setup, in its longer reading. */
const ATTEMPT_MINUTES = [0, 1, 6, 21, 81] as const
/** The heartbeat interval. While a timer is pending, time advances in steps of it, so that every heartbeat reaches the store. */
const STEP_MS = 10 * SECOND

/** One process: its own receiver on the shared records. */
interface Process {
  readonly clock: FixedClock
  readonly receiver: Receiver
  readonly quarantine: Quarantine
  readonly reported: string[]
  /** Sends a delivery and advances the clock until the response. */
  send(delivery: Delivery): Promise<{ readonly http: number; readonly outcome: Outcome }>
  /** Advances time for this process and for the store. */
  pass(ms: number): Promise<void>
  /** Resolves once no store call is running. */
  quiet(): Promise<void>
}

/** Registers the suite for a driver with a quarantine. */
export function receiverSuite(driver: StoreDriver): void {
  const startAs = async (namespace: string, clock: FixedClock) =>
    startProcess(driver, (await driver.open({ namespace })) as Store<never>, clock)

  describe(`a receiver over ${driver.name}`, () => {
    test('a delivery that always fails gets 500 four times, then 200 from the quarantine, and can be reprocessed (acceptance case 180)', async () => {
      const { receiver, quarantine, send, pass } = await startAs(newName(), fixedClock())
      let isFixed = false
      const attempts: number[] = []
      receiver.on('qr.scanned', (_, { attempt }) => {
        attempts.push(attempt)
        if (!isFixed) throw new Error('poison')
      })
      const delivery = await newDelivery()
      expect(await sendAsGoValid(delivery, send, pass)).toEqual([500, 500, 500, 500, 200])
      expect(attempts).toEqual([1, 2, 3, 4, 5])
      const [entry] = await quarantine.list()
      expect(entry).toMatchObject({ code: 'attempts_exhausted', attempt: 5, error: expect.stringContaining('poison') })
      expect([...(entry?.rawBody ?? [])]).toEqual([...(delivery.body as Uint8Array)])
      expect((await send(delivery)).outcome.status).toBe('duplicate')
      isFixed = true
      expect(await receiver.reprocess(entry as NonNullable<typeof entry>)).toMatchObject({ status: 'processed' })
      expect(await quarantine.list()).toEqual([])
      expect((await send(delivery)).outcome.status).toBe('duplicate')
    })

    test('a handler that never settles is aborted after 15 minutes, and the last attempt is quarantined with 200 (acceptance case 177b)', async () => {
      const { receiver, quarantine, send, pass } = await startAs(newName(), fixedClock())
      const signals: AbortSignal[] = []
      receiver.on('qr.scanned', (_, { signal }) => {
        signals.push(signal)
        return new Promise(() => {})
      })
      const delivery = await newDelivery()
      expect(await sendAsGoValid(delivery, send, pass)).toEqual([503, 503, 503, 503, 200])
      // The runs of attempts 1 and 4 timed out after 15 minutes; attempt 5 started the third run.
      expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, false])
      expect(await quarantine.list()).toMatchObject([{ code: 'attempts_exhausted', attempt: 5 }])
      await pass(16 * MINUTE)
      expect((await send(delivery)).outcome.status).toBe('duplicate')
    })

    test('a handler that crashes its process on every attempt is quarantined on the last without being run (acceptance case 177c)', async () => {
      const name = newName()
      const delivery = await newDelivery()
      const beganAt = Date.now()
      let calls = 0
      for (const [index, minutes] of ATTEMPT_MINUTES.entries()) {
        await driver.advance?.((minutes - (ATTEMPT_MINUTES[index - 1] ?? 0)) * MINUTE)
        const { receiver, quarantine, send, quiet } = await startAs(name, fixedClock(beganAt + minutes * MINUTE))
        const began = createGate()
        receiver.on('qr.scanned', () => {
          calls++
          began.open()
          return new Promise(() => {})
        })
        if (index < 4) {
          // A crashed process never advances its clock, so it makes no further call.
          void receiver.receive(delivery)
          await began.passed
          await quiet()
          continue
        }
        expect(await send(delivery)).toMatchObject({
          http: 200,
          outcome: { status: 'quarantined', code: 'handler_crashed' },
        })
        expect(await quarantine.list()).toMatchObject([{ code: 'handler_crashed' }])
        expect((await send(delivery)).outcome.status).toBe('duplicate')
      }
      expect(calls).toBe(4)
    })

    test('after a partial failure, the retry runs only the handlers that have not finished', async () => {
      const { receiver, send, pass } = await startAs(newName(), fixedClock())
      const calls: string[] = []
      receiver
        .on('qr.scanned', () => void calls.push('count'), { name: 'count' })
        .on(
          'qr.scanned',
          (_, { redelivery }) => {
            calls.push('mail')
            if (!redelivery) throw new Error('the mail server is down')
          },
          { name: 'mail' },
        )
      expect(await sendAsGoValid(await newDelivery(), send, pass)).toEqual([500, 200])
      expect(calls).toEqual(['count', 'mail', 'mail'])
    })

    test('a copy is busy while another process has the delivery, and a duplicate after a restart (acceptance cases 144 and 145)', async () => {
      const name = newName()
      const processes = [await startAs(name, fixedClock()), await startAs(name, fixedClock())] as const
      const [began, end] = [createGate(), createGate()]
      let calls = 0
      for (const { receiver } of processes) {
        receiver.on('qr.scanned', () => {
          calls++
          began.open()
          return end.passed
        })
      }
      const delivery = await newDelivery()
      const first = processes[0].receiver.receive(delivery)
      await began.passed
      expect(await processes[1].send(delivery)).toMatchObject({ http: 503, outcome: { status: 'busy' } })
      end.open()
      expect((await first).status).toBe('processed')
      const later = await startAs(name, fixedClock())
      later.receiver.on('qr.scanned', () => void calls++)
      expect((await later.send(delivery)).outcome.status).toBe('duplicate')
      expect(calls).toBe(1)
    })

    test('a process that was frozen for 90 s in its handler completes nothing and reports lease_lost (acceptance case 165)', async () => {
      const name = newName()
      const [frozen, other] = [await startAs(name, fixedClock()), await startAs(name, fixedClock())]
      const [began, end] = [createGate(), createGate()]
      frozen.receiver.on('qr.scanned', () => {
        began.open()
        return end.passed
      })
      const redeliveries: boolean[] = []
      other.receiver.on('qr.scanned', (_, { redelivery }) => void redeliveries.push(redelivery))
      const delivery = await newDelivery()
      const late = frozen.receiver.receive(delivery)
      await began.passed
      await frozen.quiet()
      await driver.advance?.(90 * SECOND)
      expect((await other.send(delivery)).outcome).toMatchObject({ status: 'processed', attempt: 2 })
      end.open()
      await late
      expect([redeliveries, frozen.reported]).toEqual([[true], ['lease_lost']])
      expect((await other.send(delivery)).outcome.status).toBe('duplicate')
    })

    test('of two processes with clocks ten minutes apart, one processes the delivery and the other is busy (acceptance case 166)', async () => {
      for (const minutes of [10, -10]) {
        const name = newName()
        const now = Date.now()
        const [right, wrong] = [
          await startAs(name, fixedClock(now)),
          await startAs(name, fixedClock(now + minutes * MINUTE)),
        ]
        const [began, end] = [createGate(), createGate()]
        right.receiver.on('qr.scanned', () => {
          began.open()
          return end.passed
        })
        wrong.receiver.on('qr.scanned', () => expect.unreachable())
        const delivery = await newDelivery()
        const first = right.receiver.receive(delivery)
        await began.passed
        expect((await wrong.send(delivery)).outcome.status).toBe('busy')
        end.open()
        expect((await first).status).toBe('processed')
        expect((await wrong.send(delivery)).outcome.status).toBe('duplicate')
      }
    })

    test('close waits for ten running handlers and their completions, and new deliveries get 503 (acceptance case 184)', async () => {
      const name = newName()
      const { receiver, send } = await startAs(name, fixedClock())
      const end = createGate()
      const began: string[] = []
      receiver.on('qr.scanned', (_, { idempotencyKey }) => {
        began.push(idempotencyKey)
        return end.passed
      })
      const deliveries = await Promise.all(Array.from({ length: 10 }, newDelivery))
      const responses = deliveries.map((delivery) => receiver.receive(delivery))
      while (began.length < 10) await sleep(2)
      const closed = receiver.close()
      expect(await send(await newDelivery())).toMatchObject({ http: 503, outcome: { code: 'receiver_closing' } })
      end.open()
      expect(new Set((await Promise.all(responses)).map(({ status }) => status))).toEqual(new Set(['processed']))
      await closed
      const next = await startAs(name, fixedClock())
      next.receiver.on('qr.scanned', () => expect.unreachable())
      for (const delivery of deliveries) expect((await next.send(delivery)).outcome.status).toBe('duplicate')
    })
  })
}

/** Makes GoValid's attempts until one gets 200. Returns the HTTP statuses. */
async function sendAsGoValid(
  delivery: Delivery,
  send: Process['send'],
  pass: Process['pass'],
): Promise<readonly number[]> {
  const responses: number[] = []
  for (const [index, minutes] of ATTEMPT_MINUTES.entries()) {
    await pass((minutes - (ATTEMPT_MINUTES[index - 1] ?? 0)) * MINUTE)
    responses.push((await send(delivery)).http)
    if (responses.at(-1) === 200) break
  }
  return responses
}

function startProcess(driver: StoreDriver, inner: Store<never>, clock: FixedClock): Process {
  const calls = { running: 0 }
  const quarantine = inner.quarantine as Quarantine
  const count = countCalls(calls)
  const store: Store<never> = {
    claim: count((request) => inner.claim(request)),
    renew: count((request) => inner.renew(request)),
    complete: count((request) => inner.complete(request)),
    release: count((request) => inner.release(request)),
    quarantine: Object.assign(
      count((entry: Parameters<Quarantine>[0]) => quarantine(entry)),
      { discard: count((key: string) => quarantine.discard(key)) },
    ),
  }
  const reported: string[] = []
  const receiver = createReceiver({ secret: SECRET, store, clock, onError: ({ code }) => void reported.push(code) })
  const quiet = async () => {
    do await sleep(2)
    while (calls.running > 0)
  }
  return {
    clock,
    receiver,
    quarantine,
    reported,
    quiet,
    async send(delivery) {
      let outcome: Outcome | undefined
      const response = receiver.receive(delivery).then((received) => {
        outcome = received
      })
      for (let tenths = 0; outcome === undefined && tenths < 100; tenths++) {
        await quiet()
        if (outcome === undefined) await clock.advance(SECOND / 10)
      }
      await response
      await quiet()
      const received = outcome as unknown as Outcome
      return { http: toResponse(received).status, outcome: received }
    },
    async pass(ms) {
      for (let left = ms; left > 0; ) {
        const step = clock.pendingTimers() === 0 ? left : Math.min(left, STEP_MS)
        left -= step
        await driver.advance?.(step)
        await clock.advance(step)
        await quiet()
      }
    },
  }
}

/** Wraps a store call so that it is counted while it runs. */
function countCalls(calls: { running: number }) {
  return <Input extends unknown[], Result>(call: (...input: Input) => Result | PromiseLike<Result>) =>
    async (...input: Input): Promise<Result> => {
      calls.running++
      try {
        return await call(...input)
      } finally {
        calls.running--
      }
    }
}

async function newDelivery(): Promise<Delivery> {
  const data = { qr_id: `na\u00efve \u0000 \ud800 ${newName()}`, scan_count: 1 }
  const payload = { event: 'qr.scanned', timestamp: new Date().toISOString(), webhook_id: 'wh-001', data }
  return (await signDelivery(payload, { secret: SECRET })).delivery
}

function newName(): string {
  return crypto.randomUUID().replaceAll('-', '')
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
