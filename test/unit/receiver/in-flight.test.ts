/** What is running, so that closing can wait for it. */
import { expect, test } from 'vitest'
import { createRunning } from '../../../src/receiver/in-flight.js'
import { deferred } from '../../support/deferred.js'

const settled = () => new Promise((resolve) => setImmediate(resolve))

async function isIdle(running: ReturnType<typeof createRunning>): Promise<boolean> {
  return Promise.race([running.whenIdle().then(() => true), settled().then(() => false)])
}

test('nothing runs at first', async () => {
  expect(await isIdle(createRunning())).toBe(true)
})

test('it is idle once everything has settled, whichever way', async () => {
  const running = createRunning()
  const [one, two] = [deferred(), deferred()]
  running.track(one.promise)
  running.track(two.promise)
  one.resolve()
  expect(await isIdle(running)).toBe(false)
  two.reject(new Error('no'))
  await settled()
  expect(await isIdle(running)).toBe(true)
})

test('everybody who waits is told, and what starts while they wait is waited for', async () => {
  const running = createRunning()
  const [first, second] = [deferred(), deferred()]
  running.track(first.promise.then(() => running.track(second.promise)))
  const told: string[] = []
  void running.whenIdle().then(() => told.push('a'))
  void running.whenIdle().then(() => told.push('b'))
  first.resolve()
  await settled()
  expect(told).toEqual([])
  second.resolve()
  await settled()
  expect(told).toEqual(['a', 'b'])
})

test('what begins is counted until it ends', async () => {
  const running = createRunning()
  running.begin()
  running.begin()
  running.end()
  expect(running.count()).toBe(1)
  running.end()
  expect(running.count()).toBe(0)
  await running.whenIdle()
})

test('giving up tells those who listen, once, and those who come later at once', () => {
  const running = createRunning()
  const told: string[] = []
  running.onGivenUp(() => told.push('a'))
  const forget = running.onGivenUp(() => told.push('b'))
  forget()
  expect(running.isGivenUp()).toBe(false)
  running.giveUp()
  running.giveUp()
  running.onGivenUp(() => told.push('c'))
  expect(told).toEqual(['a', 'c'])
  expect(running.isGivenUp()).toBe(true)
})
