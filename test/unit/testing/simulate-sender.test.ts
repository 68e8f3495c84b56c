/** Tests of `simulateSender` on virtual time: the schedule, the 5 s, the failures and when the webhook is disabled. */
import { describe, expect, it } from 'vitest'
import { assertSignature, createReceiver, PermanentError } from '../../../src/index.js'
import { createEvent } from '../../../src/testing/create-event.js'
import { fixedClock } from '../../../src/testing/fixed-clock.js'
import type { SenderReport } from '../../../src/testing/sender/report.js'
import { type SimulateSenderOptions, simulateSender } from '../../../src/testing/simulate-sender.js'

const START = Date.parse('2025-01-29T12:00:00Z')
const MINUTE_MS = 60_000
const secret = 'a secret'

/** Sends `count` deliveries to `to` on a new clock. */
function simulate(to: SimulateSenderOptions['to'], options: Partial<SimulateSenderOptions> = {}, count = 1) {
  const clock = options.clock ?? fixedClock(START)
  const payloads = Array.from({ length: count }, (_, index) =>
    createEvent('qr.scanned', { data: { scan_count: index } }, { clock }),
  )
  return simulateSender({ to, secret, payloads, clock, ...options })
}

const responding = (status: number) => () => new Response(null, { status })
const neverResponding = () => new Promise<Response>(() => {})
const minutesOf = ({ deliveries }: SenderReport, index = 0) =>
  deliveries[index]?.attempts.map(({ sentAt }) => (sentAt - START) / MINUTE_MS)

describe('the schedule', () => {
  it('has five attempts, 0, 1, 5, 15 and 60 minutes after the previous one', async () => {
    const report = await simulate(responding(500))
    expect(minutesOf(report)).toEqual([0, 1, 6, 21, 81])
    expect(report.deliveries[0]).toMatchObject({ index: 0, status: 'given_up' })
  })

  it('counts all delays from the event with delays: from-event', async () => {
    expect(minutesOf(await simulate(responding(500), { delays: 'from-event' }))).toEqual([0, 1, 5, 15, 60])
  })

  it('ends with the first 200', async () => {
    let attempts = 0
    const report = await simulate(() => new Response(null, { status: ++attempts < 3 ? 503 : 200 }))
    expect(minutesOf(report)).toEqual([0, 1, 6])
    expect(report.deliveries[0]?.status).toBe('delivered')
    expect(report.disabledAt).toBe(undefined)
  })

  it('waits 5 s for a response, and the next delay starts after them', async () => {
    const report = await simulate(neverResponding)
    const seconds = report.deliveries[0]?.attempts.map(({ sentAt }) => (sentAt - START) / 1000)
    expect(seconds).toEqual([0, 65, 370, 1275, 4880])
    expect(report.deliveries[0]?.attempts[0]).toEqual({
      ...{ number: 1, sentAt: START, tookMs: 5000, httpStatus: undefined, outcome: undefined },
      ...{ isFailure: true, error: undefined },
    })
    expect(report.disabledAt).toBe(START + 81 * MINUTE_MS + 25_000)
  })

  it('sends deliveries at the given interval', async () => {
    const report = await simulate(responding(200), { intervalMs: 90_000 }, 3)
    expect([0, 1, 2].map((index) => minutesOf(report, index))).toEqual([[0], [1.5], [3]])
  })
})

describe('an attempt', () => {
  it('fails with every status except 200', async () => {
    for (const status of [201, 202, 204, 301, 302, 400, 401, 404, 500, 503]) {
      const { deliveries } = await simulate(responding(status))
      expect(deliveries[0]?.attempts.map(({ isFailure, httpStatus }) => isFailure && httpStatus)).toEqual(
        Array(5).fill(status),
      )
    }
  })

  it('fails if the endpoint throws, and reports the error', async () => {
    const { deliveries } = await simulate(() => Promise.reject(new Error('no route')))
    expect(deliveries[0]?.attempts[0]).toMatchObject({ isFailure: true, httpStatus: undefined })
    expect(deliveries[0]?.attempts[0]?.error).toContain('no route')
  })

  it('sends the same correctly signed bytes to the given address every time', async () => {
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

  it('is passed to onAttempt as soon as it ends', async () => {
    const reported: string[] = []
    const onAttempt: SimulateSenderOptions['onAttempt'] = ({ number, httpStatus }, index) =>
      reported.push(`${index} ${number} ${httpStatus}`)
    let calls = 0
    await simulate(() => new Response(null, { status: ++calls === 1 ? 500 : 200 }), { onAttempt }, 2)
    expect(reported).toEqual(['0 1 500', '1 1 200', '0 2 200'])
  })
})

describe('the webhook', () => {
  it('is disabled after five failed attempts of one event, and nothing more is sent', async () => {
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

  it('stays enabled if every event is delivered within five attempts', async () => {
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

  it('is disabled after five failures in a row of any events with failures: per-subscription', async () => {
    const report = await simulate(responding(500), { failures: 'per-subscription' }, 7)
    expect(report.disabledAt).toBe(START)
    expect(report.deliveries.map(({ status }) => status)).toEqual(Array(7).fill('stopped'))
  })

  it('restarts the count of failures in a row after a success', async () => {
    let calls = 0
    // Each event fails three times and succeeds on the fourth attempt.
    const report = await simulate(
      () => new Response(null, { status: ++calls % 4 === 0 ? 200 : 500 }),
      { failures: 'per-subscription', intervalMs: 2 * 60 * MINUTE_MS },
      4,
    )
    expect(report.disabledAt).toBe(undefined)
  })
})

describe('a receiver', () => {
  it('that always fails for an event quarantines it on the last attempt, and the webhook stays enabled', async () => {
    const clock = fixedClock(START)
    const receiver = createReceiver({ secret, clock, onError: () => {} }).on('qr.scanned', () => {
      throw new Error('always fails')
    })
    const report = await simulate(receiver, { clock })
    expect(report.deliveries[0]?.attempts.map(({ httpStatus, outcome }) => `${httpStatus} ${outcome}`)).toEqual([
      ...['500 failed', '500 failed', '500 failed', '500 failed'],
      '200 quarantined',
    ])
    expect(report.disabledAt).toBe(undefined)
  })

  it('with a handler that hangs forever keeps the webhook enabled', async () => {
    const clock = fixedClock(START)
    const receiver = createReceiver({ secret, clock, onError: () => {} }).on('qr.scanned', () => new Promise(() => {}))
    const report = await simulate(receiver, { clock })
    expect(report.deliveries[0]).toMatchObject({ status: 'delivered' })
    expect(report.deliveries[0]?.attempts[0]).toMatchObject({ outcome: 'unfinished', tookMs: 4500 })
    expect(report.deliveries[0]?.attempts.at(-1)?.httpStatus).toBe(200)
    expect(report.disabledAt).toBe(undefined)
  })

  it('with a handler of 30 s returns 503, then 200 as a duplicate, and runs the handler once', async () => {
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

  it('gets real time for work that does not use the clock', async () => {
    const clock = fixedClock(START)
    const receiver = createReceiver({ secret, clock }).on(
      'qr.scanned',
      () => new Promise((resolve) => setTimeout(resolve, 5)),
    )
    const report = await simulate(receiver, { clock })
    expect(report.deliveries[0]?.attempts).toMatchObject([{ outcome: 'processed', tookMs: 0 }])
  })

  it('processes each of 1,000 deliveries once', async () => {
    const clock = fixedClock(START)
    const seen = new Set<number>()
    const receiver = createReceiver({ secret, clock }).on('qr.scanned', ({ data }) => void seen.add(data.scan_count))
    const report = await simulate(receiver, { clock }, 1000)
    expect(report.deliveries.filter(({ status }) => status === 'delivered')).toHaveLength(1000)
    expect(seen.size).toBe(1000)
  })

  it('with another secret refuses all five attempts, and the webhook is disabled', async () => {
    const clock = fixedClock(START)
    const receiver = createReceiver({ secret: 'another secret', clock, onError: () => {} }).on('*', () => {
      throw new PermanentError('never')
    })
    const report = await simulate(receiver, { clock })
    expect(report.deliveries[0]?.attempts.map(({ httpStatus }) => httpStatus)).toEqual(Array(5).fill(401))
    expect(report.disabledAt).toBe(START + 81 * MINUTE_MS)
  })
})

describe('simulateSender', () => {
  it.each([
    ['no destination', { to: undefined as never }, /receiver, a function.*or a URL as "to", but got undefined/],
    ['a clock with a URL', { to: 'http://localhost:3000' }, /Use "speed" instead/],
    ['a clock with a speed', { speed: 10 }, /Remove "speed"/],
    ['a speed of 0', { speed: 0, clock: undefined as never }, /"speed" to be greater than 0, but got 0/],
    ['a negative interval', { intervalMs: -1 }, /"intervalMs" to be 0 or greater, but got -1/],
  ])('rejects %s', async (_, options, message) => {
    const valid = { to: responding(200), secret, payloads: [], clock: fixedClock(START) }
    await expect(simulateSender({ ...valid, ...options })).rejects.toThrow(message)
    await expect(simulateSender({ ...valid, ...options })).rejects.toMatchObject({ code: 'option_invalid' })
  })
})
