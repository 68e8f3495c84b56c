/** Part of stage 6: one run of an event's handlers, and waiting for it. */
import { describe, expect, it, test } from 'vitest'
import { startRun, type Waited, waitForHandlers } from '../../../src/delivery/handler-run.js'
import type { DeliveryContext } from '../../../src/index.js'
import { createInFlight } from '../../../src/receiver/in-flight.js'
import { deferred } from '../../support/deferred.js'
import { claimedAttempt, testServices } from '../../support/delivery-fixtures.js'

/** Starts a single handler. Counts who listens for the receiver's closing. */
function start(handler: (context: DeliveryContext) => unknown) {
  let listeners = 0
  const inFlight = createInFlight()
  const services = {
    ...testServices(),
    inFlight: {
      ...inFlight,
      onAbandoned(listener: () => void) {
        // After the closing, a listener is called at once and not kept.
        const isKept = !inFlight.isAbandoned()
        if (isKept) listeners++
        const unsubscribe = inFlight.onAbandoned(listener)
        return () => {
          if (isKept) listeners--
          unsubscribe()
        }
      },
    },
  }
  const handlers = [{ name: undefined, run: (_: never, context: DeliveryContext) => handler(context) }]
  const { event, claim } = claimedAttempt(services, { event: { handlers: handlers as never } })
  return { run: startRun(services, event, claim), clock: services.clock, inFlight, listeners: () => listeners }
}

test('a context keeps its signal when it is spread', () => {
  let spread: Partial<DeliveryContext> = {}
  const { run } = start((context) => {
    spread = { ...context }
  })
  expect(spread.signal).toBe(run.controller.signal)
})

test('a handler doesn’t run if the receiver abandoned its handlers before they were started', async () => {
  const inFlight = createInFlight()
  inFlight.abandon()
  const services = { ...testServices(), inFlight }
  const run = () => expect.unreachable()
  const { event, claim } = claimedAttempt(services, { event: { handlers: [{ name: undefined, run }] } })
  const { result, controller } = startRun(services, event, claim)
  const message = expect.stringContaining('closed before its handlers had finished')
  expect(await result).toMatchObject({ errors: [{ code: 'receiver_closing', message }], isPermanent: false })
  expect(controller.signal.aborted).toBe(true)
})

describe('waiting for handlers', () => {
  /** Waits up to a second for a handler that the test ends. */
  function wait() {
    const handling = deferred()
    const started = start(() => handling.promise)
    const waited: Waited[] = []
    void waitForHandlers(started.run, 1000).then((result) => waited.push(result))
    return { ...started, handling, waited }
  }

  /** Nothing is left of the wait: neither a timer nor a listener. */
  function expectNoRest({ clock, listeners }: Pick<ReturnType<typeof wait>, 'clock' | 'listeners'>): void {
    expect([clock.pendingTimers(), listeners()]).toEqual([0, 0])
  }

  it('unsubscribes from the receiver’s closing once the handlers have ended', async () => {
    const waiting = wait()
    expect(waiting.listeners()).toBe(1)
    waiting.handling.resolve()
    await waiting.clock.advance(0)
    expect(waiting.waited).toEqual([{ errors: [], isPermanent: false }])
    expectNoRest(waiting)
  })

  it('ends at the time limit, and the handlers continue', async () => {
    const waiting = wait()
    await waiting.clock.advance(999)
    expect(waiting.waited).toEqual([])
    await waiting.clock.advance(1)
    expect(waiting.waited).toEqual(['late'])
    expect(waiting.run.controller.signal.aborted).toBe(false)
    expectNoRest(waiting)
  })

  it.each([0, -1])('doesn’t start with %i ms left', async (ms) => {
    const { run, clock, listeners } = start(() => new Promise(() => {}))
    expect(await waitForHandlers(run, ms)).toBe('late')
    expectNoRest({ clock, listeners })
  })

  it('ends when the receiver abandons its handlers, and their signal is aborted', async () => {
    const waiting = wait()
    waiting.inFlight.abandon()
    await waiting.clock.advance(0)
    expect(waiting.waited).toEqual(['abandoned'])
    expect(waiting.run.controller.signal.reason).toMatchObject({ code: 'receiver_closing' })
    expectNoRest(waiting)
  })

  it('ends at once if the receiver has abandoned its handlers before', async () => {
    const { run, clock, inFlight, listeners } = start(() => new Promise(() => {}))
    inFlight.abandon()
    expect(await waitForHandlers(run, 1000)).toBe('abandoned')
    expectNoRest({ clock, listeners })
  })
})
