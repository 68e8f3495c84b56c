/** A receiver with an inbox: it returns accepted, processes the job later, and never runs a job that someone else queued. */
import { expect, test } from 'vitest'
import { isFinished } from '../../src/inboxes/inbox.js'
import type { AcceptedDelivery, ErrorReport, Inbox, InboxProcessor, Outcome } from '../../src/index.js'
import { createReceiver, memoryStore, PermanentError } from '../../src/index.js'
import type { QuarantineEntry } from '../../src/stores/store.js'
import { fixedClock, signDelivery } from '../../src/testing/index.js'
import { deferred } from '../support/deferred.js'
import { faultyStore } from '../support/faulty-store.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { MINUTE, receiving, SECOND, signatureOf } from '../support/receiving.js'

const SECRET = 'your_webhook_secret'
const START = Date.parse('2025-01-29T12:00:00Z')
const payload = { event: 'qr.created', timestamp: '2025-01-29T12:00:00Z', webhook_id: 'wh-001', data: { id: 'abc123' } }

/** An inbox in memory, to test the receiver's half of the contract. The drivers are tested with their engines. */
function heldInbox() {
  const held: AcceptedDelivery[] = []
  let work: InboxProcessor | undefined
  const inbox: Inbox = {
    accept: async (delivery) => void held.push(delivery),
    start: (given) => {
      work = given
    },
    stop: async () => {
      work = undefined
    },
    status: async () => ({ waiting: held.length, processing: 0, failed: 0, oldestWaitingAt: held[0]?.receivedAt }),
  }
  const hand = (delivery: AcceptedDelivery, number = 1, last = false, over = false) =>
    work?.(delivery, { number, last, over })
  return { inbox, held, hand, isStarted: () => work !== undefined }
}

test('a delivery is accepted once the inbox has it, and processed when the inbox hands it out', async () => {
  const clock = fixedClock(START)
  const { inbox, held, hand } = heldInbox()
  const seen: string[] = []
  const receiver = createReceiver({ secret: SECRET, clock, inbox }).on('qr.created', (event, context) => {
    seen.push(`${event.data.id} received ${context.receivedAt - START}`)
  })
  const { delivery } = await signDelivery(payload, { secret: SECRET })
  expect(await receiver.receive(delivery)).toMatchObject({ status: 'accepted' })
  expect(seen).toEqual([])
  await clock.advance(5 * 24 * 3600 * 1000)
  expect(await receiver.status()).toMatchObject({ accepted: 1, waiting: 1, drained: false })
  expect(await hand(held[0] as AcceptedDelivery)).toMatchObject({ status: 'processed' })
  expect(await hand(held[0] as AcceptedDelivery)).toMatchObject({ status: 'duplicate' })
  expect(seen).toEqual(['abc123 received 0'])
})

test('an inbox that rejects, or hangs for 4.4 s, gets a 503', async () => {
  const clock = fixedClock(START)
  const { inbox } = heldInbox()
  const { delivery } = await signDelivery(payload, { secret: SECRET })
  const refusing = createReceiver({
    secret: SECRET,
    clock,
    onError: () => {},
    inbox: { ...inbox, accept: () => Promise.reject(new Error('disk full')) },
  })
  expect(await refusing.receive(delivery)).toMatchObject({
    status: 'unavailable',
    code: 'inbox_unavailable',
    error: new Error('disk full'),
  })
  const hanging = createReceiver({
    secret: SECRET,
    clock,
    onError: () => {},
    inbox: { ...inbox, accept: () => new Promise(() => {}) },
  })
  const outcomes: Outcome[] = []
  void hanging.receive(delivery).then((outcome) => outcomes.push(outcome))
  await clock.advance(4399)
  expect(outcomes).toEqual([])
  await clock.advance(1)
  expect(outcomes[0]).toMatchObject({
    status: 'unavailable',
    code: 'inbox_unavailable',
    error: expect.stringContaining('in time'),
  })
})

test('an entry that was made while the inbox was down is discarded once the job is processed', async () => {
  const clock = fixedClock(START + MINUTE)
  const { inbox, held, hand } = heldInbox()
  const quarantine = memoryQuarantine()
  let isDown = true
  const accept: Inbox['accept'] = (given) => (isDown ? Promise.reject(new Error('disk full')) : inbox.accept(given))
  const { receiver, deliver } = receiving({ clock, inbox: { ...inbox, accept }, quarantine })
  receiver.on('qr.created', () => {})
  await clock.advance(0)
  expect(await deliver(payload)).toMatchObject({ status: 'unavailable', code: 'inbox_unavailable' })
  expect(quarantine.codes).toEqual(['retry_pending'])
  isDown = false
  expect(await deliver(payload)).toMatchObject({ status: 'accepted' })
  expect(await hand(held[0] as AcceptedDelivery)).toMatchObject({ status: 'processed' })
  expect(quarantine.entries.size).toBe(0)
})

test('the inbox receives the signature even if the adapter keeps no headers', async () => {
  const { inbox, held, hand } = heldInbox()
  const clock = fixedClock(START)
  const receiver = createReceiver({ secret: SECRET, clock, inbox }).on('*', () => {})
  await clock.advance(0)
  const { delivery, signature } = await signDelivery(payload, { secret: SECRET })
  const { headers: _, ...bare } = delivery
  expect(await receiver.receive(bare)).toMatchObject({ status: 'accepted' })
  expect(held[0]?.headers).toEqual({ 'x-govalid-signature': signature })
  expect(await hand(held[0] as AcceptedDelivery)).toMatchObject({ status: 'processed' })
})

test('a forged job is quarantined and never run', async () => {
  const clock = fixedClock(START)
  const { inbox, hand } = heldInbox()
  const kept: QuarantineEntry[] = []
  let runs = 0
  createReceiver({
    secret: SECRET,
    clock,
    inbox,
    onError: () => {},
    quarantine: async (entry) => void kept.push(entry),
  }).on('*', () => void runs++)
  await clock.advance(0)
  const rawBody = new TextEncoder().encode(JSON.stringify(payload))
  const forged = {
    key: 'f'.repeat(64),
    rawBody,
    headers: { 'x-govalid-signature': `sha256=${'0'.repeat(64)}` },
    receivedAt: START,
  }
  const outcome = await hand(forged)
  expect(outcome).toMatchObject({ status: 'quarantined', code: 'job_forged' })
  expect(outcome).not.toHaveProperty('secretIndex')
  expect(kept).toMatchObject([{ code: 'job_forged', rawBody }])
  expect(runs).toBe(0)
})

test('a failing job is retried by the engine, and quarantined on its last attempt', async () => {
  const clock = fixedClock(START)
  const { inbox, held, hand } = heldInbox()
  const quarantine = memoryQuarantine()
  const receiver = createReceiver({ secret: SECRET, clock, inbox, onError: () => {}, quarantine }).on('*', () => {
    throw new Error('never')
  })
  await clock.advance(0)
  await receiver.receive((await signDelivery(payload, { secret: SECRET })).delivery)
  for (let number = 1; number < 20; number++) {
    expect(await hand(held[0] as AcceptedDelivery, number)).toMatchObject({ status: 'failed' })
  }
  // The job isn't quarantined early, because the engine holds it until its last attempt.
  expect(quarantine.codes).toEqual([])
  expect(await hand(held[0] as AcceptedDelivery, 20, true)).toMatchObject({
    status: 'quarantined',
    code: 'attempts_exhausted',
  })
  expect(quarantine.codes).toEqual(['attempts_exhausted'])
})

test('without a quarantine, a failing job stays with the engine on every attempt and is not reported as dropped', async () => {
  const clock = fixedClock(START)
  const { inbox, held, hand } = heldInbox()
  const reports: ErrorReport[] = []
  const onError = (report: ErrorReport) => void reports.push(report)
  const receiver = createReceiver({ secret: SECRET, clock, inbox, onError }).on('*', (_, { attempt }) => {
    if (attempt === 1) throw new PermanentError('no such shop')
    throw new Error('never')
  })
  await clock.advance(0)
  await receiver.receive((await signDelivery(payload, { secret: SECRET })).delivery)
  const job = held[0] as AcceptedDelivery
  const permanent = await hand(job)
  expect(permanent).toMatchObject({ status: 'failed', error: new PermanentError('no such shop'), attempt: 1 })
  expect(await hand(job, 2, true)).toMatchObject({ status: 'failed', error: new Error('never'), attempt: 2 })
  const forged = await hand({ ...job, headers: {} }, 3)
  expect(forged).toMatchObject({ status: 'failed', error: expect.stringContaining('no valid GoValid signature') })
  expect([permanent, forged].map((outcome) => isFinished(outcome as Outcome))).toEqual([false, false])
  expect(reports[1]?.message).toContain('returns to the inbox')
  expect(reports.map(({ code }) => code)).toEqual([
    'handler_failed',
    'permanent_error',
    'handler_failed',
    'attempts_exhausted',
    'signature_missing',
    'job_forged',
  ])
  expect(await hand(job, 4)).toMatchObject({ status: 'failed', attempt: 3 })
})

test('a job whose handler fails after close has ended is released once, and not quarantined', async () => {
  const clock = fixedClock(START)
  const { inbox, held, hand } = heldInbox()
  const store = faultyStore(memoryStore({ clock }))
  const gate = deferred()
  const receiver = createReceiver({ secret: SECRET, clock, inbox, store, onError: () => {} }).on('*', async () => {
    await gate.promise
    throw new PermanentError('no such shop')
  })
  await clock.advance(0)
  await receiver.receive((await signDelivery(payload, { secret: SECRET })).delivery)
  const job = hand(held[0] as AcceptedDelivery)
  const closed = receiver.close({ timeoutMs: SECOND })
  await clock.advance(SECOND)
  await closed
  expect(await job).toMatchObject({ status: 'unfinished' })
  gate.resolve()
  await clock.advance(0)
  expect([store.count('release'), clock.pendingTimers()]).toEqual([1, 0])
})

test('a worker without the secret leaves its jobs in the inbox', async () => {
  const clock = fixedClock(START)
  const { inbox, held, hand } = heldInbox()
  const front = createReceiver({ secret: SECRET, clock, inbox })
  await front.receive((await signDelivery(payload, { secret: SECRET })).delivery)
  let secret: string | undefined
  const calls: string[] = []
  const worker = createReceiver({ secret: () => secret, clock, inbox, onError: () => {} })
  worker.on('*', ({ event }) => void calls.push(event))
  await clock.advance(0)
  const refused = await hand(held[0] as AcceptedDelivery)
  expect(refused).toMatchObject({ status: 'refused', code: 'secret_missing' })
  expect(isFinished(refused as Outcome)).toBe(false)
  secret = SECRET
  expect(await hand(held[0] as AcceptedDelivery)).toMatchObject({ status: 'processed' })
  expect(calls).toEqual(['qr.created'])
})

test('a worker processes an accepted job that exceeds its own maxBodyBytes', async () => {
  const clock = fixedClock(START)
  const { inbox, held, hand } = heldInbox()
  const front = createReceiver({ secret: SECRET, clock, inbox })
  await front.receive((await signDelivery(payload, { secret: SECRET })).delivery)
  const worker = createReceiver({ secret: SECRET, clock, inbox, maxBodyBytes: 10, onError: () => {} }).on('*', () => {})
  await clock.advance(0)
  expect(await hand(held[0] as AcceptedDelivery)).toMatchObject({ status: 'processed' })
  expect(await worker.receive((await signDelivery(payload, { secret: SECRET })).delivery)).toMatchObject({
    code: 'body_too_large',
  })
})

test('a processed job is remembered as long as its bytes are accepted', async () => {
  const clock = fixedClock(START)
  const { inbox, held, hand } = heldInbox()
  const day = 24 * 3600 * 1000
  let calls = 0
  const receiver = createReceiver({ secret: SECRET, clock, inbox, maxAgeMs: 60 * day }).on('*', () => void calls++)
  await clock.advance(0)
  const { delivery } = await signDelivery(payload, { secret: SECRET })
  await receiver.receive(delivery)
  await hand(held[0] as AcceptedDelivery)
  await clock.advance(59 * day)
  expect(await receiver.receive(delivery)).toMatchObject({ status: 'accepted' })
  expect(await hand(held[1] as AcceptedDelivery)).toMatchObject({ status: 'duplicate' })
  expect(calls).toBe(1)
})

test('a job whose last attempt crashed is quarantined and never run again, even if the quarantine was down before', async () => {
  const clock = fixedClock(START)
  const { inbox, held, hand } = heldInbox()
  const quarantine = memoryQuarantine()
  let isDown = true
  const sink = (entry: QuarantineEntry) => {
    if (isDown) throw new Error('no quarantine')
    return quarantine(entry)
  }
  let calls = 0
  const receiver = createReceiver({ secret: SECRET, clock, inbox, onError: () => {}, quarantine: sink })
  receiver.on('*', () => {
    calls++
    throw new Error('attempt 1 fails, the others would crash')
  })
  await clock.advance(0)
  await receiver.receive((await signDelivery(payload, { secret: SECRET })).delivery)
  const job = held[0] as AcceptedDelivery
  expect(await hand(job)).toMatchObject({ status: 'failed' })
  for (const number of [21, 21, 21]) {
    const outcome = await hand(job, number, true, true)
    expect(outcome).toMatchObject({ status: 'unavailable', code: 'quarantine_unavailable', attempt: 2 })
    expect(clock.pendingTimers()).toBe(0)
  }
  isDown = false
  expect(await hand(job, 21, true, true)).toMatchObject({
    status: 'quarantined',
    code: 'handler_crashed',
    error: 'the last attempt never ended',
  })
  expect([calls, quarantine.codes]).toEqual([1, ['handler_crashed']])
})

test('a job is not quarantined when the store is down on its last attempt', async () => {
  const clock = fixedClock(START)
  const { inbox, held, hand } = heldInbox()
  const quarantine = memoryQuarantine()
  const store = faultyStore(memoryStore({ clock }))
  const reports: ErrorReport[] = []
  const onError = (report: ErrorReport) => void reports.push(report)
  const receiver = createReceiver({ secret: SECRET, clock, inbox, store, onError, quarantine }).on('*', () => {})
  await clock.advance(0)
  await receiver.receive((await signDelivery(payload, { secret: SECRET })).delivery)
  store.fail('claim', 'throws')
  expect(await hand(held[0] as AcceptedDelivery, 20, true)).toMatchObject({ status: 'unavailable' })
  expect(reports).toMatchObject([{ code: 'store_unavailable', message: expect.stringContaining('will be retried') }])
  store.heal()
  expect(await hand(held[0] as AcceptedDelivery, 20, true)).toMatchObject({ status: 'processed' })
  expect(quarantine.codes).toEqual([])
})

test('a job’s handler may run for minutes: its lease is kept, and its outcome is the outcome of the job', async () => {
  const clock = fixedClock(START)
  const { inbox, held, hand } = heldInbox()
  const receiver = createReceiver({ secret: SECRET, clock, inbox }).on(
    '*',
    () => new Promise<void>((resolve) => void clock.setTimer(300_000, resolve)),
  )
  await clock.advance(0)
  await receiver.receive((await signDelivery(payload, { secret: SECRET })).delivery)
  const first = hand(held[0] as AcceptedDelivery)
  await clock.advance(200_000)
  expect(await hand(held[0] as AcceptedDelivery, 2)).toMatchObject({ status: 'busy' })
  await clock.advance(100_000)
  expect(await first).toMatchObject({ status: 'processed' })
  expect(clock.pendingTimers()).toBe(0)
})

test('an inbox that is still starting when the receiver closes is stopped after its start', async () => {
  const clock = fixedClock(START)
  const { inbox } = heldInbox()
  const steps: string[] = []
  const slow: Inbox = {
    ...inbox,
    start: () =>
      new Promise((resolve) => {
        clock.setTimer(500, () => {
          steps.push('started')
          resolve()
        })
      }),
    stop: async () => void steps.push('stopped'),
  }
  const receiver = createReceiver({ secret: SECRET, clock, inbox: slow }).on('*', () => {})
  await clock.advance(0)
  const closed = receiver.close()
  await clock.advance(500)
  await closed
  expect(steps).toEqual(['started', 'stopped'])
})

/** An inbox whose first `failures` starts fail. */
function startsLater(failures: number) {
  let starts = 0
  const start = async () => {
    if (++starts <= failures) throw new Error('no Redis')
  }
  return { inbox: { ...heldInbox().inbox, start }, starts: () => starts }
}

test('an inbox that fails to start is reported and started again every five seconds', async () => {
  const { inbox, starts } = startsLater(2)
  const { clock, receiver, reports } = receiving({ inbox })
  receiver.on('*', () => {})
  await clock.advance(0)
  const report = { code: 'inbox_unavailable', message: expect.stringContaining('5 s'), error: new Error('no Redis') }
  expect(reports).toEqual([report])
  await clock.advance(4999)
  receiver.on('qr.created', () => {})
  expect([starts(), clock.pendingTimers()]).toEqual([1, 1])
  await clock.advance(1)
  await clock.advance(5 * SECOND)
  await clock.advance(MINUTE)
  expect([starts(), reports.length, clock.pendingTimers()]).toEqual([3, 2, 0])
})

test('an inbox that fails to start is not started again after close', async () => {
  const waiting = startsLater(9)
  const one = receiving({ inbox: waiting.inbox })
  one.receiver.on('*', () => {})
  await one.clock.advance(0)
  await one.receiver.close()
  const gate = deferred()
  const other = receiving({ inbox: { ...heldInbox().inbox, start: () => gate.promise } })
  other.receiver.on('*', () => {})
  await other.clock.advance(0)
  const closed = other.receiver.close()
  gate.reject(new Error('no Redis'))
  await closed
  other.receiver.on('qr.created', () => {})
  expect([waiting.starts(), one.clock.pendingTimers(), other.clock.pendingTimers()]).toEqual([1, 0, 0])
})

test('an inbox whose platform delivers the jobs is neither started nor stopped', async () => {
  const { clock, receiver, reports } = receiving({ inbox: { accept: async () => {} } })
  receiver.on('*', () => {})
  expect(clock.pendingTimers()).toBe(0)
  await receiver.close()
  expect(reports).toEqual([])
})

test('a handler for unknown events starts the inbox too', async () => {
  const { inbox, isStarted } = heldInbox()
  const { clock, receiver } = receiving({ inbox })
  receiver.onUnknown(() => {})
  await clock.advance(0)
  expect(isStarted()).toBe(true)
})

test.each([[undefined], [{ timeoutMs: MINUTE }]])(
  'close (%o) waits for running jobs and then rejects with the error of an inbox that fails to stop',
  async (limit) => {
    const gate = deferred()
    const signals: AbortSignal[] = []
    const inbox = { ...heldInbox().inbox, stop: () => Promise.reject(new Error('no Redis')) }
    const { clock, receiver } = receiving({ inbox })
    receiver.on('*', (_, { signal }) => {
      signals.push(signal)
      return gate.promise
    })
    await clock.advance(0)
    const rawBody = new TextEncoder().encode(JSON.stringify(payload))
    const headers = { 'x-govalid-signature': signatureOf(rawBody) }
    const job = receiver.process(
      { key: '0'.repeat(64), rawBody, headers, receivedAt: START },
      { number: 1, last: false },
    )
    await clock.advance(SECOND)
    let isClosed = false
    const closed = receiver.close(limit).finally(() => {
      isClosed = true
    })
    const refused = expect(closed).rejects.toThrow('no Redis')
    await clock.advance(SECOND)
    expect([isClosed, signals[0]?.aborted]).toEqual([false, false])
    gate.resolve()
    await refused
    expect(await job).toMatchObject({ status: 'processed' })
    expect(clock.pendingTimers()).toBe(0)
  },
)

test('close with a limit of 0 ms still stops the inbox, and rejects if that fails', async () => {
  const clock = fixedClock(START)
  const { inbox, isStarted } = heldInbox()
  const receiver = createReceiver({ secret: SECRET, clock, inbox }).on('*', () => {})
  await clock.advance(0)
  expect(isStarted()).toBe(true)
  await receiver.close({ timeoutMs: 0 })
  expect(isStarted()).toBe(false)
  const broken: Inbox = { ...inbox, stop: () => Promise.reject(new Error('no connection')) }
  const other = createReceiver({ secret: SECRET, clock, inbox: broken }).on('*', () => new Promise(() => {}))
  await clock.advance(0)
  void other.receive((await signDelivery(payload, { secret: SECRET })).delivery)
  const closed = other.close({ timeoutMs: 1000 }).catch((error: unknown) => error)
  await clock.advance(1000)
  expect(await closed).toEqual(new Error('no connection'))
})

test('close with a time limit ends even if a job never does, and leaves no timer', async () => {
  const clock = fixedClock(START)
  const { inbox, held, hand } = heldInbox()
  const stuck: Inbox = { ...inbox, stop: () => new Promise(() => {}) }
  const receiver = createReceiver({ secret: SECRET, clock, inbox: stuck }).on('*', () => new Promise(() => {}))
  await clock.advance(0)
  await receiver.receive((await signDelivery(payload, { secret: SECRET })).delivery)
  const job = hand(held[0] as AcceptedDelivery)
  await clock.advance(60_000)
  const closed = receiver.close({ timeoutMs: 5000 })
  await clock.advance(5000)
  await closed
  expect(await job).toMatchObject({ status: 'unfinished' })
  expect(clock.pendingTimers()).toBe(0)
})

test('an inbox starts with the first handler and is stopped by close', async () => {
  const clock = fixedClock(START)
  const { inbox, isStarted } = heldInbox()
  const receiver = createReceiver({ secret: SECRET, clock, inbox })
  await clock.advance(1000)
  expect(isStarted()).toBe(false)
  receiver.on('*', () => {})
  await clock.advance(0)
  expect(isStarted()).toBe(true)
  await receiver.close()
  expect(isStarted()).toBe(false)
})
