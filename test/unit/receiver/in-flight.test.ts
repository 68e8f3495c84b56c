/** The work in flight, which `close` waits for. */
import { expect, test } from 'vitest'
import { createInFlight, type InFlight } from '../../../src/receiver/in-flight.js'
import { deferred } from '../../support/deferred.js'

const settled = () => new Promise((resolve) => setImmediate(resolve))

async function isIdle(inFlight: InFlight): Promise<boolean> {
  return Promise.race([inFlight.whenIdle().then(() => true), settled().then(() => false)])
}

test('nothing is in flight at first', async () => {
  expect(await isIdle(createInFlight())).toBe(true)
})

test('it is idle once all tracked work has settled, even if some of it rejected', async () => {
  const inFlight = createInFlight()
  const [one, two] = [deferred(), deferred()]
  inFlight.track(one.promise)
  inFlight.track(two.promise)
  one.resolve()
  expect(await isIdle(inFlight)).toBe(false)
  two.reject(new Error('no database'))
  await settled()
  expect(await isIdle(inFlight)).toBe(true)
})

test('every waiter is notified, but not before work that starts in the meantime has ended', async () => {
  const inFlight = createInFlight()
  const [first, second] = [deferred(), deferred()]
  inFlight.track(first.promise.then(() => inFlight.track(second.promise)))
  const notified: string[] = []
  void inFlight.whenIdle().then(() => notified.push('a'))
  void inFlight.whenIdle().then(() => notified.push('b'))
  first.resolve()
  await settled()
  expect(notified).toEqual([])
  second.resolve()
  await settled()
  expect(notified).toEqual(['a', 'b'])
})

test('a waiter is notified once, and later work has its own waiters', async () => {
  const inFlight = createInFlight()
  const notified: string[] = []
  for (const name of ['first', 'second']) {
    inFlight.begin()
    void inFlight.whenIdle().then(() => notified.push(name))
    expect(inFlight.end).not.toThrow()
    await settled()
  }
  expect(notified).toEqual(['first', 'second'])
})

test('work that begins is counted until it ends', async () => {
  const inFlight = createInFlight()
  inFlight.begin()
  inFlight.begin()
  inFlight.end()
  expect(inFlight.count()).toBe(1)
  inFlight.end()
  expect(inFlight.count()).toBe(0)
  await inFlight.whenIdle()
})

test('abandoning notifies every listener once, and later listeners immediately', () => {
  const inFlight = createInFlight()
  const notified: string[] = []
  inFlight.onAbandoned(() => notified.push('a'))
  const unsubscribe = inFlight.onAbandoned(() => notified.push('b'))
  unsubscribe()
  expect(inFlight.isAbandoned()).toBe(false)
  inFlight.abandon()
  inFlight.abandon()
  inFlight.onAbandoned(() => notified.push('c'))
  expect(notified).toEqual(['a', 'c'])
  expect(inFlight.isAbandoned()).toBe(true)
})
