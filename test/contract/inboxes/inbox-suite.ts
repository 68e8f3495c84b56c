/** What every inbox must do, on its real engine and in real time: the same tests for each. */
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

/** One inbox on its engine. */
export interface InboxScene {
  /** Opens the inbox as one process would; `tries` with pauses of a second at the most. */
  open(attempts: number): Inbox
  /** Writes something into the queue, as an intruder could. */
  writeForged(job: object): Promise<void>
  /** An inbox whose engine cannot be reached. */
  openUnreachable(): Inbox
}

/** Runs the suite. */
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
  const soon = <T>(look: () => T | Promise<T>) => vi.waitFor(look, { timeout: 25_000, interval: 50 })

  describe('an inbox', () => {
    test('answers accepted, and its worker gets the very bytes', async () => {
      const { receiver } = receive(makeScene().open(3))
      const seen: Uint8Array[] = []
      receiver.on('*', (_, context) => void seen.push(context.rawBody))
      const sent = await delivery('na\u00efve \u2028 \u0000 \ud83d\ude00')
      expect(await receiver.receive(sent)).toMatchObject({ status: 'accepted' })
      await soon(() => expect(seen).toHaveLength(1))
      expect(Buffer.from(seen[0] as Uint8Array)).toEqual(Buffer.from(sent.body as Uint8Array))
      await soon(async () => expect(await receiver.status()).toMatchObject({ waiting: 0, drained: true, failed: 0 }))
    })

    test('keeps what one process accepted for another to work, and works it once', async () => {
      const scene = makeScene()
      const web = receive(scene.open(3)).receiver
      const sent = await delivery()
      expect(await web.receive(sent)).toMatchObject({ status: 'accepted' })
      expect(await web.receive(sent)).toMatchObject({ status: 'accepted' })
      await soon(async () => expect(await web.status()).toMatchObject({ waiting: 1, drained: false }))
      expect((await web.status()).oldestWaitingMs).toBeGreaterThanOrEqual(0)

      let runs = 0
      const worker = receive(scene.open(3)).receiver.on('*', () => void runs++)
      await soon(async () => expect(await worker.status()).toMatchObject({ waiting: 0, drained: true }))
      expect(runs).toBe(1)
    })

    test('keeps a delivery that fails again and again although nobody gave it a quarantine', async () => {
      const inbox = makeScene().open(3)
      const codes: string[] = []
      const onError = ({ code }: ErrorReport) => void codes.push(code)
      const receiver = createReceiver({ secret: SECRET, inbox, store: memoryStore(), onError })
      receivers.push(receiver)
      receiver.on('*', () => {
        throw new Error('never works')
      })
      await receiver.receive(await delivery())
      const own = inbox.quarantine as Quarantine | undefined
      const held = async () => (own ? (await own.list()).length : (await inbox.status?.())?.failed)
      await soon(async () => expect(await held()).toBe(1))
      expect(codes).toContain('attempts_exhausted')
      expect(codes).not.toContain('event_dropped')
    })

    test('tries a failing handler again, and then sets the delivery aside', async () => {
      const { receiver, kept, outcomes } = receive(makeScene().open(3))
      receiver.on('*', () => {
        throw new Error('never works')
      })
      await receiver.receive(await delivery())
      await soon(() => expect(kept).toHaveLength(1))
      expect(kept[0]).toMatchObject({ code: 'attempts_exhausted', eventType: 'qr.created' })
      expect(outcomes.map(({ status }) => status)).toEqual(['accepted', 'failed', 'failed', 'quarantined'])
      await soon(async () => expect(await receiver.status()).toMatchObject({ waiting: 0, drained: true }))
    })

    test('never runs a job that somebody else wrote, signed by nobody or no job at all', async () => {
      const scene = makeScene()
      const { receiver, kept } = receive(scene.open(3))
      let runs = 0
      receiver.on('*', () => void runs++)
      await receiver.receive(await delivery())
      await soon(() => expect(runs).toBe(1))
      const headers = { 'x-govalid-signature': `sha256=${'0'.repeat(64)}` }
      const body = Buffer.from('{"event":"qr.created","data":{}}').toString('base64')
      await scene.writeForged({ format: 1, key: 'f'.repeat(64), body, headers, receivedAt: Date.now() })
      await scene.writeForged({ something: 'else' })
      await soon(() => expect(kept.map(({ code }) => code)).toEqual(['job_forged', 'job_forged']))
      expect(runs).toBe(1)
    })

    test('works under a removed secret what it accepted under it, and status says when that secret may go', async () => {
      const scene = makeScene()
      const before = receive(scene.open(3), 'the old secret').receiver
      expect(await before.receive(await delivery('abc', 'the old secret'))).toMatchObject({ status: 'accepted' })
      await soon(async () => expect(await before.status()).toMatchObject({ drained: false }))
      const seen: unknown[] = []
      const after = receive(scene.open(3), ['the new secret', 'the old secret']).receiver
      after.on('qr.created', (event) => void seen.push(event.data.id))
      await soon(async () => expect(await after.status()).toMatchObject({ drained: true }))
      expect(seen).toEqual(['abc'])
    })

    test('sets aside, and never runs, what was accepted under a secret that was removed too soon; it can be worked again', async () => {
      const scene = makeScene()
      await receive(scene.open(3), 'the old secret').receiver.receive(await delivery('abc', 'the old secret'))
      const { receiver, kept } = receive(scene.open(3), 'the new secret')
      receiver.on('*', () => expect.unreachable())
      await soon(() => expect(kept).toMatchObject([{ code: 'job_forged' }]))
      await soon(async () => expect(await receiver.status()).toMatchObject({ drained: true, quarantined: 1 }))
      const seen: unknown[] = []
      const mended = receive(scene.open(3), 'the old secret').receiver
      mended.on('qr.created', (event) => void seen.push(event.data.id))
      expect(await mended.reprocess(kept[0] as QuarantineEntry)).toMatchObject({ status: 'processed' })
      expect(seen).toEqual(['abc'])
    })

    test('sets a failing delivery aside however few tries the process that accepted it was told of, or that works it', async () => {
      for (const [accepting, working] of [
        [2, 5],
        [5, 2],
      ] as const) {
        const scene = makeScene()
        await receive(scene.open(accepting)).receiver.receive(await delivery())
        const { receiver, kept } = receive(scene.open(working))
        receiver.on('*', () => {
          throw new Error('never works')
        })
        await soon(() => expect(kept).toMatchObject([{ code: 'attempts_exhausted' }]))
        await soon(async () => expect(await receiver.status()).toMatchObject({ waiting: 0, drained: true }))
        await receiver.close()
      }
    })

    test('does not hold up a close that has a time limit, and gives the job back', async () => {
      const scene = makeScene()
      const { receiver, outcomes } = receive(scene.open(3))
      const began = deferred<AbortSignal>()
      const end = deferred<void>()
      receiver.on('*', async (_, { signal }) => {
        began.resolve(signal)
        await end.promise
      })
      await receiver.receive(await delivery())
      const signal = await began.promise
      await receiver.close({ timeoutMs: 100 })
      expect(signal.aborted).toBe(true)
      await soon(() => expect(outcomes.map(({ status }) => status)).toEqual(['accepted', 'unfinished']))
      const other = receive(scene.open(3)).receiver
      await soon(async () => expect(await other.status()).toMatchObject({ waiting: 1, drained: false }))
      end.resolve()
    })

    test('gives a job back whose receiver is away, and does not lose it', async () => {
      const inbox = makeScene().open(3)
      const asked: InboxAttempt[] = []
      const accepted: AcceptedDelivery[] = []
      const { receiver } = receive(inbox)
      await receiver.receive(await delivery())
      await inbox.start?.(async (job, attempt) => {
        accepted.push(job)
        asked.push(attempt)
        return asked.length === 1 ? { status: 'failed', error: new Error('once') } : { status: 'processed' }
      })
      await soon(() => expect(asked).toHaveLength(2))
      expect(accepted[1]).toEqual(accepted[0])
      expect(asked.map(({ number }) => number)).toEqual([1, 2])
    })

    test('answers 503 when its engine cannot be reached', async () => {
      const { receiver } = receive(makeScene().openUnreachable())
      expect(await receiver.receive(await delivery())).toMatchObject({
        status: 'unavailable',
        code: 'inbox_unavailable',
      })
    })
  })
}
