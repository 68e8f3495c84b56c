/** The contract that every inbox must keep, tested on its real engine and in real time. */
import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type {
  AcceptedDelivery,
  ErrorReport,
  Inbox,
  InboxAttempt,
  Outcome,
  Quarantine,
  QuarantineEntry,
  Receiver,
} from '../../../src/index.js'
import { createReceiver, memoryStore } from '../../../src/index.js'
import { signDelivery } from '../../../src/testing/index.js'
import { deferred } from '../../support/deferred.js'

const SECRET = 'your_webhook_secret'

/** One queue on a real engine. */
export interface InboxScene {
  /** Opens the inbox as a separate process would. The pauses between its attempts last at most a second. */
  open(attempts: number): Inbox
  /** Writes a job into the queue, as an intruder could. */
  writeForged(job: object): Promise<void>
  /** Opens an inbox whose engine can't be reached. */
  openUnreachable(): Inbox
}

/** Registers the tests of the suite. */
export function inboxSuite(makeScene: () => InboxScene): void {
  const receivers: Receiver[] = []
  afterEach(async () => {
    await Promise.all(receivers.splice(0).map((receiver) => receiver.close()))
  })
  const receive = (inbox: Inbox, secret: string | readonly string[] = SECRET) => {
    const kept: QuarantineEntry[] = []
    const outcomes: Outcome[] = []
    const receiver = createReceiver({
      secret,
      inbox,
      store: memoryStore(),
      quarantine: async (entry) => void kept.push(entry),
      onError: () => {},
      onOutcome: (outcome) => void outcomes.push(outcome),
    })
    receivers.push(receiver)
    return { receiver, kept, outcomes }
  }
  const delivery = async (id = randomBytes(6).toString('hex'), secret = SECRET) => {
    const payload = { event: 'qr.created', timestamp: new Date().toISOString(), webhook_id: 'wh-001', data: { id } }
    return (await signDelivery(payload, { secret })).delivery
  }
  const eventually = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 25_000, interval: 50 })

  describe('an inbox', () => {
    test('accepts a delivery and hands its exact bytes to the handler', async () => {
      const { receiver } = receive(makeScene().open(3))
      const seen: Uint8Array[] = []
      receiver.on('*', (_, context) => void seen.push(context.rawBody))
      const sent = await delivery('na\u00efve \u2028 \u0000 \ud83d\ude00')
      expect(await receiver.receive(sent)).toMatchObject({ status: 'accepted' })
      await eventually(() => expect(seen).toHaveLength(1))
      expect(Buffer.from(seen[0] as Uint8Array)).toEqual(Buffer.from(sent.body as Uint8Array))
      await eventually(async () =>
        expect(await receiver.status()).toMatchObject({ waiting: 0, drained: true, failed: 0 }),
      )
    })

    test('stores a delivery until another process handles it, and handles it once', async () => {
      const scene = makeScene()
      const web = receive(scene.open(3)).receiver
      const sent = await delivery()
      expect(await web.receive(sent)).toMatchObject({ status: 'accepted' })
      expect(await web.receive(sent)).toMatchObject({ status: 'accepted' })
      await eventually(async () => expect(await web.status()).toMatchObject({ waiting: 1, drained: false }))
      expect((await web.status()).oldestWaitingMs).toBeGreaterThanOrEqual(0)

      let runs = 0
      const worker = receive(scene.open(3)).receiver.on('*', () => void runs++)
      await eventually(async () => expect(await worker.status()).toMatchObject({ waiting: 0, drained: true }))
      expect(runs).toBe(1)
    })

    test('keeps a delivery that fails every attempt, even without a configured quarantine', async () => {
      const inbox = makeScene().open(3)
      const codes: string[] = []
      const onError = ({ code }: ErrorReport) => void codes.push(code)
      const receiver = createReceiver({ secret: SECRET, inbox, store: memoryStore(), onError })
      receivers.push(receiver)
      receiver.on('*', () => {
        throw new Error('always fails')
      })
      await receiver.receive(await delivery())
      const own = inbox.quarantine as Quarantine | undefined
      const countKept = async () => (own ? (await own.list()).length : (await inbox.status?.())?.failed)
      await eventually(async () => expect(await countKept()).toBe(1))
      expect(codes).toContain('attempts_exhausted')
      expect(codes).not.toContain('event_dropped')
    })

    test('retries a failing handler and quarantines the delivery after the last attempt', async () => {
      const { receiver, kept, outcomes } = receive(makeScene().open(3))
      receiver.on('*', () => {
        throw new Error('always fails')
      })
      await receiver.receive(await delivery())
      await eventually(() => expect(kept).toHaveLength(1))
      expect(kept[0]).toMatchObject({ code: 'attempts_exhausted', eventType: 'qr.created' })
      expect(outcomes.map(({ status }) => status)).toEqual(['accepted', 'failed', 'failed', 'quarantined'])
      await eventually(async () => expect(await receiver.status()).toMatchObject({ waiting: 0, drained: true }))
    })

    test('quarantines forged and malformed jobs without running a handler', async () => {
      const scene = makeScene()
      const { receiver, kept } = receive(scene.open(3))
      let runs = 0
      receiver.on('*', () => void runs++)
      await receiver.receive(await delivery())
      await eventually(() => expect(runs).toBe(1))
      const headers = { 'x-govalid-signature': `sha256=${'0'.repeat(64)}` }
      const body = Buffer.from('{"event":"qr.created","data":{}}').toString('base64')
      await scene.writeForged({ format: 1, key: 'f'.repeat(64), body, headers, receivedAt: Date.now() })
      await scene.writeForged({ something: 'else' })
      await eventually(() => expect(kept.map(({ code }) => code)).toEqual(['job_forged', 'job_forged']))
      expect(runs).toBe(1)
    })

    test('handles a delivery of a rotated secret, and its status shows when that secret can be removed', async () => {
      const scene = makeScene()
      const before = receive(scene.open(3), 'the old secret').receiver
      expect(await before.receive(await delivery('abc', 'the old secret'))).toMatchObject({ status: 'accepted' })
      await eventually(async () => expect(await before.status()).toMatchObject({ drained: false }))
      const seen: unknown[] = []
      const after = receive(scene.open(3), ['the new secret', 'the old secret']).receiver
      after.on('qr.created', (event) => void seen.push(event.data.id))
      await eventually(async () => expect(await after.status()).toMatchObject({ drained: true }))
      expect(seen).toEqual(['abc'])
    })

    test('quarantines a delivery whose secret was removed too soon, and reprocesses it later', async () => {
      const scene = makeScene()
      await receive(scene.open(3), 'the old secret').receiver.receive(await delivery('abc', 'the old secret'))
      const { receiver, kept } = receive(scene.open(3), 'the new secret')
      receiver.on('*', () => expect.unreachable())
      await eventually(() => expect(kept).toMatchObject([{ code: 'job_forged' }]))
      await eventually(async () => expect(await receiver.status()).toMatchObject({ drained: true, quarantined: 1 }))
      const seen: unknown[] = []
      const repaired = receive(scene.open(3), 'the old secret').receiver
      repaired.on('qr.created', (event) => void seen.push(event.data.id))
      expect(await repaired.reprocess(kept[0] as QuarantineEntry)).toMatchObject({ status: 'processed' })
      expect(seen).toEqual(['abc'])
    })

    test('quarantines a failing delivery even if the accepting and the processing process allow different attempts', async () => {
      for (const [accepting, processing] of [
        [2, 5],
        [5, 2],
      ] as const) {
        const scene = makeScene()
        await receive(scene.open(accepting)).receiver.receive(await delivery())
        const { receiver, kept } = receive(scene.open(processing))
        receiver.on('*', () => {
          throw new Error('always fails')
        })
        await eventually(() => expect(kept).toMatchObject([{ code: 'attempts_exhausted' }]))
        await eventually(async () => expect(await receiver.status()).toMatchObject({ waiting: 0, drained: true }))
        await receiver.close()
      }
    })

    test('does not delay a close with a time limit, and returns the running job', async () => {
      const scene = makeScene()
      const { receiver, outcomes } = receive(scene.open(3))
      const started = deferred<AbortSignal>()
      const released = deferred<void>()
      receiver.on('*', async (_, { signal }) => {
        started.resolve(signal)
        await released.promise
      })
      await receiver.receive(await delivery())
      const signal = await started.promise
      await receiver.close({ timeoutMs: 100 })
      expect(signal.aborted).toBe(true)
      await eventually(() => expect(outcomes.map(({ status }) => status)).toEqual(['accepted', 'unfinished']))
      const other = receive(scene.open(3)).receiver
      await eventually(async () => expect(await other.status()).toMatchObject({ waiting: 1, drained: false }))
      released.resolve()
    })

    test('retries an unfinished job without losing it', async () => {
      const inbox = makeScene().open(3)
      const attempts: InboxAttempt[] = []
      const deliveries: AcceptedDelivery[] = []
      const { receiver } = receive(inbox)
      await receiver.receive(await delivery())
      await inbox.start?.(async (job, attempt) => {
        deliveries.push(job)
        attempts.push(attempt)
        return attempts.length === 1 ? { status: 'failed', error: new Error('once') } : { status: 'processed' }
      })
      await eventually(() => expect(attempts).toHaveLength(2))
      expect(deliveries[1]).toEqual(deliveries[0])
      expect(attempts.map(({ number }) => number)).toEqual([1, 2])
    })

    test('is unavailable while its engine refuses connections', async () => {
      const { receiver } = receive(makeScene().openUnreachable())
      expect(await receiver.receive(await delivery())).toMatchObject({
        status: 'unavailable',
        code: 'inbox_unavailable',
      })
    })
  })
}
