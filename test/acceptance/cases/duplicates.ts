// Group G: duplicates, retries and secret rotation.
import { expect } from 'vitest'
import { type Case, DUPLICATE, PROCESSED, type Stage, type Step, type Verdict } from '../case.js'
import { bytesOf, payload, SCAN, scan, signed } from '../deliveries.js'
import type { HandledCall } from '../observations.js'
import type { Line, Reply } from '../tcp.js'
import { until } from '../until.js'
import { OLD_SECRET, SECRET, type VariantName } from '../variants.js'

const MANY = 1000

function same(body: Buffer, verdicts: readonly Verdict[], variant: VariantName = 'default'): readonly Step[] {
  return verdicts.map((expected) => ({ variant, request: signed(body), expected }))
}

/** Sends all bodies at once, on connections that are already open. */
async function atOnce(
  { open, bytes }: Stage,
  bodies: readonly Buffer[],
  variant: VariantName = 'default',
): Promise<readonly Reply[]> {
  const lines: Line[] = []
  while (lines.length < bodies.length) {
    const batch = Math.min(100, bodies.length - lines.length)
    lines.push(...(await Promise.all(Array.from({ length: batch }, () => open()))))
  }
  for (const [index, line] of lines.entries()) void line.write(bytes(signed(bodies[index] as Buffer), variant))
  const replies = await Promise.all(lines.map((line) => line.reply))
  for (const line of lines) line.end()
  return replies
}

const counted = (replies: readonly Reply[]) => {
  const counts: Record<string, number> = {}
  for (const { status, body } of replies) counts[`${status} ${body}`] = (counts[`${status} ${body}`] ?? 0) + 1
  return counts
}
const attempts = (calls: readonly HandledCall[]) => calls.map(({ attempt, redelivery }) => ({ attempt, redelivery }))

/** Returns the same content in different JSON formatting. */
function reprints(): readonly Buffer[] {
  const original = payload({ data: { ...SCAN, qr_title: 'Café' } })
  const { event, ...rest } = original
  return [
    bytesOf(original),
    bytesOf(JSON.stringify(original, null, 1)),
    bytesOf({ ...rest, event }),
    bytesOf(JSON.stringify(original).replace('é', '\\u00e9')),
  ]
}

export const DUPLICATE_CASES: readonly Case[] = [
  {
    number: '141',
    title: 'the same bytes twice are handled once',
    steps: () => same(scan(), [PROCESSED, DUPLICATE, DUPLICATE]),
  },
  {
    number: '142',
    title: '1,000 concurrent copies are handled once, and each gets a 200 or 503',
    async play(stage) {
      const body = scan()
      for (const variant of ['default', 'hurried-brief'] as const) {
        const replies = await atOnce(
          stage,
          Array.from({ length: MANY }, () => body),
          variant,
        )
        expect((await stage.observe()).handled).toHaveLength(1)
        const {
          '200 {"status":"processed"}': processed,
          '200 {"status":"duplicate"}': duplicate = 0,
          '503 {"status":"busy"}': busy = 0,
          ...others
        } = counted(replies)
        expect({ processed, rest: duplicate + busy, others }).toEqual({ processed: 1, rest: MANY - 1, others: {} })
      }
    },
  },
  {
    number: '144',
    title: 'a copy that arrives while the first is being processed gets a 503',
    async play({ open, bytes, step, observe, release, expectResponse }) {
      const request = signed(scan())
      const line = await open()
      await line.write(bytes(request, 'held'))
      await firstCall(observe)
      await step({ variant: 'held', request, expected: { response: 'busy', handled: 0 } })
      await release()
      expectResponse(await line.reply, 'processed')
      line.end()
      await observe()
      await step({ variant: 'held', request, expected: DUPLICATE })
    },
  },
  {
    number: '146',
    title: 'a reformatted retry is another delivery, unless the idempotency key is derived from the content',
    steps: () => {
      const prints = reprints()
      const verdicts = prints.map((_, index) => (index === 0 ? PROCESSED : DUPLICATE))
      return [
        ...prints.flatMap((body) => same(body, [PROCESSED])),
        ...prints.flatMap((body, index) => same(body, [verdicts[index] as Verdict], 'content-key')),
      ]
    },
  },
  {
    number: '147',
    title: 'a retry with another signature field is another delivery, unless the key is derived from the content',
    steps: () => {
      const plain = payload()
      const bodies = ['sha256=a1', 'sha256=b2', undefined].map((signature) => bytesOf({ ...plain, signature }))
      return [
        ...bodies.flatMap((body) => same(body, [PROCESSED])),
        ...bodies.flatMap((body, index) => same(body, [index === 0 ? PROCESSED : DUPLICATE], 'content-key')),
      ]
    },
  },
  {
    number: '148',
    title: 'the same body signed with the old and then the new secret is handled once',
    steps: () => {
      const body = scan()
      return [
        { variant: 'two-secrets', request: signed(body, {}, OLD_SECRET), expected: PROCESSED },
        { variant: 'two-secrets', request: signed(body, {}, SECRET), expected: DUPLICATE },
      ]
    },
  },
  {
    number: '149',
    title: 'the same scan with another timestamp is another event',
    steps: () => {
      const data = { ...SCAN }
      const times = [0, 1000].map((ago) => new Date(Date.now() - ago).toISOString())
      return times.flatMap((timestamp) => same(scan({ data, timestamp }), [PROCESSED]))
    },
  },
  {
    number: '150',
    title: 'events that differ in one value are separate events, even with the same webhook_id',
    steps: () => {
      const timestamp = new Date().toISOString()
      const changes = [
        {},
        { scan_count: 16 },
        { device: 'desktop' },
        { scan_location: { country: 'ID', city: 'Bandung' } },
      ]
      return changes.flatMap((change) => same(scan({ timestamp, data: { ...SCAN, ...change } }), [PROCESSED]))
    },
  },
  {
    number: '151',
    title: 'the retry of a failed attempt is handled, and a third copy is a duplicate',
    async play({ step }) {
      for (const variant of ['fails-once', 'rejects-once'] as const) {
        const [failed, retried, third] = same(
          scan(),
          [{ response: 'failed', handled: 1 }, PROCESSED, DUPLICATE],
          variant,
        )
        const one = await step(failed as Step)
        const two = await step(retried as Step)
        await step(third as Step)
        expect(attempts([...one.seen.handled, ...two.seen.handled])).toEqual([
          { attempt: 1, redelivery: false },
          { attempt: 2, redelivery: true },
        ])
      }
    },
  },
  {
    number: '152',
    title: '1,000 different concurrent deliveries are each handled once',
    async play(stage) {
      const replies = await atOnce(
        stage,
        Array.from({ length: MANY }, () => scan()),
      )
      expect(counted(replies)).toEqual({ '200 {"status":"processed"}': MANY })
      const { handled } = await stage.observe()
      expect(new Set(handled.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(MANY)
      expect(handled).toHaveLength(MANY)
    },
  },
  {
    number: '153',
    title: 'an older event after a newer one is handled',
    steps: () =>
      [0, 60_000].flatMap((ago) => same(scan({ timestamp: new Date(Date.now() - ago).toISOString() }), [PROCESSED])),
  },
  {
    number: '154',
    title: 'a full memory store evicts the delivery that finished first, and reports it',
    steps: () => {
      const bodies = Array.from({ length: 5 }, () => scan())
      const newest = bodies.slice(2)
      const processed = bodies.flatMap((body) => same(body, [PROCESSED], 'small-store'))
      const check: Step['check'] = ({ reports }) => expect(reports.map(({ code }) => code)).toEqual(['store_evicting'])
      return [
        ...processed.map((step, index) => (index === 4 ? { ...step, check } : step)),
        ...newest.flatMap((body) => same(body, [DUPLICATE], 'small-store')),
      ]
    },
  },
  {
    number: '154b',
    title: 'a memory store full of running deliveries evicts none of them, and the next delivery gets a 503',
    async play({ open, bytes, step, observe, release, expectResponse }) {
      const held = Array.from({ length: 4 }, () => signed(scan()))
      const lines: Line[] = []
      for (const request of held) {
        const line = await open()
        await line.write(bytes(request, 'small-store-held'))
        await firstCall(observe)
        lines.push(line)
      }
      await step({ variant: 'small-store-held', request: signed(scan()), expected: { response: 'busy', handled: 0 } })
      for (const request of held)
        await step({ variant: 'small-store-held', request, expected: { response: 'busy', handled: 0 } })
      await release()
      for (const line of lines) expectResponse(await line.reply, 'processed')
      for (const line of lines) line.end()
    },
  },
]

/** Waits until a handler has been called. */
function firstCall(observe: Stage['observe']): Promise<void> {
  return until(async () => (await observe()).handled.length > 0, 'a handler to be called')
}
