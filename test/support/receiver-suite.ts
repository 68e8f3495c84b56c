/**
 * What a receiver makes of a real store, the same tests for each: the try budget, and what happens to processes that freeze, close or have
 * another time. The sender's minutes go by on a clock that stands still otherwise, and are taken off the store's records.
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
/** When GoValid tries, in minutes after the event. Source: govalid docs, webhooks setup; the longer reading. */
const ATTEMPT_MINUTES = [0, 1, 6, 21, 81] as const
/** Heartbeats come so often; while there are any, time goes by in such steps, so that each has its turn. */
const STEP_MS = 10 * SECOND

/** One process: a receiver of its own on the shared records. */
interface Process {
  readonly clock: FixedClock
  readonly receiver: Receiver
  readonly quarantine: Quarantine
  readonly reported: string[]
  /** Sends a delivery, and lets the clock go on until it is answered. */
  send(delivery: Delivery): Promise<{ readonly http: number; readonly outcome: Outcome }>
  /** Lets time go by for this process and for the store. */
  pass(ms: number): Promise<void>
  /** Resolves once no call of the store is under way. */
  quiet(): Promise<void>
}

/** Registers the suite for a driver with a quarantine. */
export function receiverSuite(driver: StoreDriver): void {
  const startAs = async (namespace: string, clock: FixedClock) =>
    startProcess(driver, (await driver.open({ namespace })) as Store<never>, clock)

  describe(`a receiver over ${driver.name}`, () => {
    test('180: poison: 500 four times, then kept byte for byte and answered 200; worked again by hand once it is mended', async () => {
      const { receiver, quarantine, send, pass } = await startAs(newName(), fixedClock())
      let isMended = false
      const attempts: number[] = []
      receiver.on('qr.scanned', (_, { attempt }) => {
        attempts.push(attempt)
        if (!isMended) throw new Error('poison')
      })
      const delivery = await newDelivery()
      expect(await sendAsGoValid(delivery, send, pass)).toEqual([500, 500, 500, 500, 200])
      expect(attempts).toEqual([1, 2, 3, 4, 5])
      const [entry] = await quarantine.list()
      expect(entry).toMatchObject({ code: 'attempts_exhausted', attempt: 5, error: expect.stringContaining('poison') })
      expect([...(entry?.rawBody ?? [])]).toEqual([...(delivery.body as Uint8Array)])
      expect((await send(delivery)).outcome.status).toBe('duplicate')
      isMended = true
      expect(await receiver.reprocess(entry as NonNullable<typeof entry>)).toMatchObject({ status: 'processed' })
      expect(await quarantine.list()).toEqual([])
      expect((await send(delivery)).outcome.status).toBe('duplicate')
    })

    test('177b: a handler that never settles: its signal aborts after 15 minutes, and the last try is kept and answered 200', async () => {
      const { receiver, quarantine, send, pass } = await startAs(newName(), fixedClock())
      const signals: AbortSignal[] = []
      receiver.on('qr.scanned', (_, { signal }) => {
        signals.push(signal)
        return new Promise(() => {})
      })
      const delivery = await newDelivery()
      expect(await sendAsGoValid(delivery, send, pass)).toEqual([503, 503, 503, 503, 200])
      // The first run was given up after 15 minutes, the fourth try began another, and that one again.
      expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, false])
      expect(await quarantine.list()).toMatchObject([{ code: 'attempts_exhausted', attempt: 5 }])
      await pass(16 * MINUTE)
      expect((await send(delivery)).outcome.status).toBe('duplicate')
    })

    test('177c: a handler that ends its process on every try: the last is kept without being run, and answered 200', async () => {
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
          // The clock of a process that dies stands still: nothing of it is ever heard again.
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

    test('after a partial failure the retry runs only the handlers that are not done', async () => {
      const { receiver, send, pass } = await startAs(newName(), fixedClock())
      const calls: string[] = []
      receiver
        .on('qr.scanned', () => void calls.push('count'), { name: 'count' })
        .on(
          'qr.scanned',
          (_, { redelivery }) => {
            calls.push('mail')
            if (!redelivery) throw new Error('the mail server is away')
          },
          { name: 'mail' },
        )
      expect(await sendAsGoValid(await newDelivery(), send, pass)).toEqual([500, 200])
      expect(calls).toEqual(['count', 'mail', 'mail'])
    })

    test('144, 145: a copy is busy while another process works it, and a duplicate after a restart of both', async () => {
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

    test('165: a process that stood still for 90 s in its handler: its late completion changes nothing, and it is told', async () => {
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

    test('166: two processes whose clocks are ten minutes apart: one works it, the other is busy and then a duplicate', async () => {
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

    test('184: close with ten running handlers: they finish, their completions are written, what comes meanwhile is answered 503', async () => {
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

/** Sends at GoValid's times until it is answered 200; gives back the answers. */
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
      const response = receiver.receive(delivery).then((given) => {
        outcome = given
      })
      for (let tenths = 0; outcome === undefined && tenths < 100; tenths++) {
        await quiet()
        if (outcome === undefined) await clock.advance(SECOND / 10)
      }
      await response
      await quiet()
      const given = outcome as unknown as Outcome
      return { http: toResponse(given).status, outcome: given }
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

/** Wraps a call so that it is known while it runs. */
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
