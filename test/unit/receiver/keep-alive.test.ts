/** Keeping the platform alive: its function may fail in any way. */
import { expect, it, test } from 'vitest'
import { keepAlive } from '../../../src/receiver/keep-alive.js'
import { throwValue } from '../../support/hostile-values.js'
import { expectNothingUnhandled, watchUnhandled } from '../../support/unhandled.js'

watchUnhandled()

test('the platform gets the work', () => {
  const works: Promise<unknown>[] = []
  const work = Promise.resolve()
  keepAlive({ waitUntil: (promise) => void works.push(promise) }, work)
  keepAlive({}, work)
  keepAlive(undefined, work)
  expect(works).toEqual([work])
})

it.each<[string, () => unknown]>([
  ['throws', () => throwValue(new Error('the request is over'))],
  ['rejects', () => Promise.reject(new Error('the request is over'))],
])('a function that %s changes nothing', async (_, waitUntil) => {
  keepAlive({ waitUntil: waitUntil as () => void }, Promise.resolve())
  await expectNothingUnhandled()
})
