/** simulateSender on virtual time: GoValid's schedule, its 5 s, what it counts as a failure, and when it disables the webhook. */
import { describe, expect, it } from 'vitest'
import { assertSignature, createReceiver, PermanentError } from '../../../src/index.js'
import { createEvent } from '../../../src/testing/create-event.js'
import { fixedClock } from '../../../src/testing/fixed-clock.js'
import type { SenderReport } from '../../../src/testing/sender/report.js'
import { type SimulateSenderOptions, simulateSender } from '../../../src/testing/simulate-sender.js'

const START = Date.parse('2025-01-29T12:00:00Z')
const MINUTE_MS = 60_000
const secret = 'a secret'

/** Sends `count` deliveries to what answers `to`, on a clock of its own. */
function simulate(to: SimulateSenderOptions['to'], options: Partial<SimulateSenderOptions> = {}, count = 1) {
  const clock = options.clock ?? fixedClock(START)
  const payloads = Array.from({ length: count }, (_, index) =>
    createEvent('qr.scanned', { data: { scan_count: index } }, { clock }),
  )
  return simulateSender({ to, secret, payloads, clock, ...options })
}

const responding = (status: number) => () => new Response(null, { status })
const neverAnswering = () => new Promise<Response>(() => {})
const minutesOf = ({ deliveries }: SenderReport, index = 0) =>
  deliveries[index]?.attempts.map(({ sentAt }) => (sentAt - START) / MINUTE_MS)

describe('the schedule', () => {
  it('is five tries, 1, 5, 15 and 60 minutes after the one before', async () => {
    const report = await simulate(responding(500))
    expect(minutesOf(report)).toEqual([0, 1, 6, 21, 81])
    expect(report.deliveries[0]).toMatchObject({ index: 0, status: 'given_up' })
  })

  it('is at 1, 5, 15 and 60 minutes from the event, where that is asked for', async () => {
    expect(minutesOf(await simulate(responding(500), { delays: 'from-event' }))).toEqual([0, 1, 5, 15, 60])
  })

  it('ends with the first 200', async () => {
    let attempts = 0
    const report = await simulate(() => new Response(null, { status: ++attempts < 3 ? 503 : 200 }))
    expect(minutesOf(report)).toEqual([0, 1, 6])
    expect(report.deliveries[0]?.status).toBe('delivered')
    expect(report.disabledAt).toBe(undefined)
  })

  it('waits 5 s for an answer, which count', async () => {
    const report = await simulate(neverAnswering)
    const seconds = report.deliveries[0]?.attempts.map(({ sentAt }) => (sentAt - START) / 1000)
    expect(seconds).toEqual([0, 65, 370, 1275, 4880])
    expect(report.deliveries[0]?.attempts[0]).toEqual({
      ...{ number: 1, sentAt: START, tookMs: 5000, httpStatus: undefined, outcome: undefined },
      ...{ isFailure: true, error: undefined },
    })
    expect(report.disabledAt).toBe(START + 81 * MINUTE_MS + 25_000)
  })

  it('sends deliveries at the interval that is asked for', async () => {
    const report = await simulate(responding(200), { intervalMs: 90_000 }, 3)
    expect([0, 1, 2].map((index) => minutesOf(report, index))).toEqual([[0], [1.5], [3]])
  })
})

describe('a try', () => {
  it('fails with anything but exactly 200', async () => {
    for (const status of [201, 202, 204, 301, 302, 400, 401, 404, 500, 503]) {
      const { deliveries } = await simulate(responding(status))
      expect(deliveries[0]?.attempts.map(({ isFailure, httpStatus }) => isFailure && httpStatus)).toEqual(
        Array(5).fill(status),
      )
    }
  })

  it('fails when the endpoint throws, and says what it threw', async () => {
    const { deliveries } = await simulate(() => Promise.reject(new Error('no route')))
    expect(deliveries[0]?.attempts[0]).toMatchObject({ isFailure: true, httpStatus: undefined })
    expect(deliveries[0]?.attempts[0]?.error).toContain('no route')
  })

  it('sends the same rightly signed bytes each time, to the address that was given', async () => {
    const seen = new Set<string>()
    const url = 'https://hooks.example/in'
    await simulate(
      async (request) => {
        const body = await request.text()
        await assertSignature(body, request.headers.get('x-govalid-signature') ?? '', secret)
        seen.add(`${request.method} ${request.url} ${body}`)
        return new Response(null, { status: 500 })
      },
      { url },
    )
    expect(seen.size).toBe(1)
    expect([...seen][0]).toMatch(/^POST https:\/\/hooks\.example\/in \{"event":"qr\.scanned"/)
  })

  it('is told as it ends', async () => {
    const told: string[] = []
    const onAttempt: SimulateSenderOptions['onAttempt'] = ({ number, httpStatus }, index) =>
      told.push(`${index} ${number} ${httpStatus}`)
    let calls = 0
    await simulate(() => new Response(null, { status: ++calls === 1 ? 500 : 200 }), { onAttempt }, 2)
    expect(told).toEqual(['0 1 500', '1 1 200', '0 2 200'])
  })
})

describe('the webhook', () => {
  it('is disabled after five failed tries of one event, and sends nothing more', async () => {
    const clock = fixedClock(START)
    const report = await simulate(responding(500), { clock, intervalMs: 79.5 * MINUTE_MS }, 3)
    expect(report.disabledAt).toBe(START + 81 * MINUTE_MS)
    expect(clock.now()).toBe(report.disabledAt)
    expect(clock.pendingTimers()).toBe(0)
    expect(report.deliveries.map(({ status, attempts }) => [status, attempts.length])).toEqual([
      ['given_up', 5],
      ['stopped', 2],
      ['stopped', 0],
    ])
  })

  it('stays enabled while every event is delivered in the end', async () => {
    const failures = new Map<string, number>()
    const report = await simulate(
      async (request) => {
        const key = await request.text()
        failures.set(key, (failures.get(key) ?? 0) + 1)
        return new Response(null, { status: failures.get(key) === 5 ? 200 : 500 })
      },
      {},
      3,
    )
    expect(report.disabledAt).toBe(undefined)
    expect(report.deliveries.map(({ status }) => status)).toEqual(['delivered', 'delivered', 'delivered'])
  })

  it('is disabled after five failures in a row of any events, where that is asked for', async () => {
    const report = await simulate(responding(500), { failures: 'per-subscription' }, 7)
    expect(report.disabledAt).toBe(START)
    expect(report.deliveries.map(({ status }) => status)).toEqual(Array(7).fill('stopped'))
  })

  it('counts failures in a row anew after a success', async () => {
    let calls = 0
    // Each event fails three times and is taken then.
    const report = await simulate(
      () => new Response(null, { status: ++calls % 4 === 0 ? 200 : 500 }),
      { failures: 'per-subscription', intervalMs: 2 * 60 * MINUTE_MS },
      4,
    )
    expect(report.disabledAt).toBe(undefined)
  })
})

describe('a receiver', () => {
  it('with a poisonous event never disables the webhook: the last try is quarantined', async () => {
    const clock = fixedClock(START)
    const receiver = createReceiver({ secret, clock, onError: () => {} }).on('qr.scanned', () => {
      throw new Error('poison')
    })
    const report = await simulate(receiver, { clock })
    expect(report.deliveries[0]?.attempts.map(({ httpStatus, outcome }) => `${httpStatus} ${outcome}`)).toEqual([
      ...['500 failed', '500 failed', '500 failed', '500 failed'],
      '200 quarantined',
    ])
    expect(report.disabledAt).toBe(undefined)
  })

  it('with a handler that hangs for ever never disables the webhook either', async () => {
    const clock = fixedClock(START)
    const receiver = createReceiver({ secret, clock, onError: () => {} }).on('qr.scanned', () => new Promise(() => {}))
    const report = await simulate(receiver, { clock })
    expect(report.deliveries[0]).toMatchObject({ status: 'delivered' })
    expect(report.deliveries[0]?.attempts[0]).toMatchObject({ outcome: 'unfinished', tookMs: 4500 })
    expect(report.deliveries[0]?.attempts.at(-1)?.httpStatus).toBe(200)
    expect(report.disabledAt).toBe(undefined)
  })

  it('with a handler of 30 s is answered 503, then 200 as a duplicate, and the handler runs once', async () => {
    const clock = fixedClock(START)
    let calls = 0
    const receiver = createReceiver({ secret, clock, onError: () => {} }).on('qr.scanned', () => {
      calls += 1
      return new Promise<void>((resolve) => void clock.setTimer(30_000, resolve))
    })
    const report = await simulate(receiver, { clock })
    expect(report.deliveries[0]?.attempts.map(({ outcome }) => outcome)).toEqual(['unfinished', 'duplicate'])
    expect(calls).toBe(1)
  })

  it('is waited for while it does real work', async () => {
    const clock = fixedClock(START)
    const receiver = createReceiver({ secret, clock }).on(
      'qr.scanned',
      () => new Promise((resolve) => setTimeout(resolve, 5)),
    )
    const report = await simulate(receiver, { clock })
    expect(report.deliveries[0]?.attempts).toMatchObject([{ outcome: 'processed', tookMs: 0 }])
  })

  it('takes 1,000 deliveries, each once', async () => {
    const clock = fixedClock(START)
    const seen = new Set<number>()
    const receiver = createReceiver({ secret, clock }).on('qr.scanned', ({ data }) => void seen.add(data.scan_count))
    const report = await simulate(receiver, { clock }, 1000)
    expect(report.deliveries.filter(({ status }) => status === 'delivered')).toHaveLength(1000)
    expect(seen.size).toBe(1000)
  })

  it('with another secret is tried five times in vain, and the webhook is disabled', async () => {
    const clock = fixedClock(START)
    const receiver = createReceiver({ secret: 'another secret', clock, onError: () => {} }).on('*', () => {
      throw new PermanentError('never')
    })
    const report = await simulate(receiver, { clock })
    expect(report.deliveries[0]?.attempts.map(({ httpStatus }) => httpStatus)).toEqual(Array(5).fill(401))
    expect(report.disabledAt).toBe(START + 81 * MINUTE_MS)
  })
})

describe('misuse', () => {
  it.each([
    ['nothing to send to', { to: undefined as never }, /receiver, a function.*or a URL/],
    ['a clock with a URL', { to: 'http://localhost:3000' }, /take speed instead of clock/],
    ['a clock with a speed', { speed: 10 }, /leave speed out/],
    ['no speed', { speed: 0, clock: undefined as never }, /speed must be above 0; it is 0/],
    ['an interval below 0', { intervalMs: -1 }, /intervalMs must be 0 or above/],
  ])('is refused: %s', async (_, options, message) => {
    const good = { to: responding(200), secret, payloads: [], clock: fixedClock(START) }
    await expect(simulateSender({ ...good, ...options })).rejects.toThrow(message)
    await expect(simulateSender({ ...good, ...options })).rejects.toMatchObject({ code: 'option_invalid' })
  })
})
