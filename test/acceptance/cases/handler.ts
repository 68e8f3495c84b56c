// Group I: handlers and the time budget, for the cases that are visible over HTTP.
import { expect } from 'vitest'
import { type Case, DUPLICATE, PROCESSED, type RequestSpec, type Stage, type Step, type Verdict } from '../case.js'
import { h, scan, signed } from '../deliveries.js'
import type { Reply } from '../tcp.js'
import { until } from '../until.js'
import { HURRIED_DEADLINE_MS, type VariantName } from '../variants.js'
import { expectWithin } from '../within.js'

const FAILED: Verdict = { response: 'failed', handled: 1 }
const UNFINISHED: Verdict = { response: 'unfinished', handled: 1 }

function same(variant: VariantName, verdicts: readonly Verdict[]): readonly Step[] {
  const request = signed(scan())
  return verdicts.map((expected) => ({ variant, request, expected }))
}

/** Waits until the receiver has saved a completion after the response. */
async function completion({ observe }: Stage): Promise<void> {
  await until(async () => (await observe()).store.complete > 0, 'the completion')
}

/** Sends a body in 2.4 s, 0.1 s less than the limit. */
async function sendSlowly({ open, bytes }: Stage, variant: VariantName): Promise<Reply> {
  const body = scan()
  const { headers } = signed(body)
  const line = await open()
  await line.write(
    bytes({ headers: [...headers, h('Content-Length', String(body.byteLength))], framing: 'none' }, variant),
  )
  await line.write(body.subarray(0, 20))
  await new Promise((resolve) => setTimeout(resolve, 2400))
  await line.write(body.subarray(20))
  const reply = await line.reply
  line.end()
  return reply
}

export const HANDLER_CASES: readonly Case[] = [
  {
    number: '176',
    title: 'a delivery whose handler ends before the deadline is processed',
    steps: () => same('hurried-brief', [PROCESSED, DUPLICATE]),
  },
  {
    number: '177',
    title: 'a handler that is still running at the deadline gets a 503 in time, and the retry is a duplicate',
    async play(stage) {
      let second: Step | undefined
      await expectWithin(HURRIED_DEADLINE_MS + 150, async () => {
        const [first, retry] = same('hurried-held', [UNFINISHED, DUPLICATE])
        const { reply } = await stage.step(first as Step)
        expect(reply.headers['retry-after']).toBe('60')
        expect(reply.tookMs).toBeGreaterThan(HURRIED_DEADLINE_MS - 20)
        second = retry
        return reply.tookMs
      })
      await stage.release()
      await completion(stage)
      await stage.step(second as unknown as Step)
    },
  },
  {
    number: '181',
    title: 'a handler that blocks the event loop past the deadline runs once, and the retry gets a 200',
    // workerd's clock stands still during computation, so a handler can't block for a given time.
    only: ['express', 'fastify', 'next', 'node', 'fetch'],
    async play({ send, observe, expectResponse }) {
      const request = signed(scan())
      expect([200, 503]).toContain((await send(request, 'hurried-blocks')).status)
      let seen = await observe()
      expect(seen.handled).toHaveLength(1)
      await until(async () => {
        if (seen.store.complete > 0) return true
        seen = await observe()
        return false
      }, 'the completion')
      expectResponse(await send(request, 'hurried-blocks'), 'duplicate')
    },
  },
  {
    number: '182',
    title: 'slow bodies, stores and handlers, and a store that hangs, get a response within 4.6 s',
    timeoutMs: 20_000,
    async play(stage) {
      const { send, observe, expectResponse, release } = stage
      let late: RequestSpec | undefined
      let rounds = 0
      await expectWithin(4600, async () => {
        rounds++
        late = signed(scan())
        const all = [
          send(signed(scan()), 'takes-4400ms'),
          send(late, 'takes-4600ms'),
          sendSlowly(stage, 'slow-store-held'),
          send(signed(scan()), 'hanging-store'),
        ] as const
        const [inTime, tooLong, slow, unclaimed] = await Promise.all(all)
        expectResponse(inTime, 'processed')
        expectResponse(tooLong, 'unfinished')
        expectResponse(slow, 'unfinished')
        expectResponse(unclaimed, 'unavailable')
        for (const { tookMs } of [tooLong, slow]) expect(tookMs).toBeGreaterThan(4450)
        // The store may use the time until 100 ms before the deadline.
        expect(unclaimed.tookMs).toBeGreaterThan(4350)
        return Math.max(tooLong.tookMs, slow.tookMs, unclaimed.tookMs)
      })
      await release()
      let completions = 0
      await until(async () => {
        completions += (await observe()).store.complete
        return completions === 3 * rounds
      }, 'the completions')
      expectResponse(await send(late as unknown as RequestSpec, 'takes-4600ms'), 'duplicate')
    },
  },
  {
    number: '178',
    title: 'a handler that throws or rejects gets a 500 without its message, and the retry is handled',
    steps: () =>
      (['fails-once', 'rejects-once'] as const).flatMap((variant) =>
        same(variant, [FAILED, PROCESSED, DUPLICATE]).map((step, index) => ({
          ...step,
          check: (seen, reply) => {
            expect(reply.body).not.toContain('handler failed')
            expect(seen.reports.map(({ code }) => code)).toEqual(index === 0 ? ['handler_failed'] : [])
          },
        })),
      ),
  },
  {
    number: '179',
    title: 'a PermanentError gets a 200 and is never retried',
    steps: () =>
      (['permanent', 'permanent-sink'] as const).flatMap((variant) =>
        same(variant, [{ response: 'quarantined', handled: 1, code: 'permanent_error' }, DUPLICATE]),
      ),
  },
  {
    number: '180',
    title: 'a handler that fails every attempt gets 500 four times, then 200 and the quarantine',
    steps: () =>
      (['fails', 'fails-sink'] as const).flatMap((variant) =>
        same(variant, [
          FAILED,
          FAILED,
          FAILED,
          FAILED,
          { response: 'quarantined', handled: 1, code: 'attempts_exhausted' },
          DUPLICATE,
        ]),
      ),
  },
  {
    number: '184',
    title: 'close waits for ten running handlers, and new deliveries get a 503',
    // A Worker is never closed. Its platform ends it, and no request may wait for another request.
    only: ['express', 'fastify', 'next', 'node', 'fetch'],
    async play(stage) {
      const { open, bytes, step, observe, release, expectResponse, target } = stage
      const lines = await Promise.all(Array.from({ length: 10 }, () => open()))
      for (const line of lines) await line.write(bytes(signed(scan()), 'held'))
      let running = 0
      await until(async () => {
        running += (await observe()).handled.length
        return running === 10
      }, 'ten handlers')
      await target.control({ do: 'close', variant: 'held' })
      await step({
        variant: 'held',
        request: signed(scan()),
        expected: { response: 'unavailable', handled: 0, code: 'receiver_closing' },
        check: (seen) => expect(seen.closed).toEqual([]),
      })
      await release()
      for (const line of lines) expectResponse(await line.reply, 'processed')
      let closed: readonly string[] = []
      let completions = 0
      await until(async () => {
        const seen = await observe()
        completions += seen.store.complete
        closed = [...closed, ...seen.closed]
        return closed.length > 0
      }, 'the receiver to close')
      expect({ closed, completions }).toEqual({ closed: ['held'], completions: 10 })
      for (const line of lines) line.end()
    },
  },
]
