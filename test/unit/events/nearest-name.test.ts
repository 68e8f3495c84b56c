/** The suggestion for a misspelled name. */
import { expect, it, test } from 'vitest'
import { EVENT_TYPES } from '../../../src/events/event-types.js'
import { nearestName } from '../../../src/events/nearest-name.js'

it.each([
  ['qr.scaned', 'qr.scanned'],
  ['qr.scannned', 'qr.scanned'],
  ['qr.acsnned', 'qr.scanned'],
  ['qr.scabned', 'qr.scanned'],
  ['QR.Scanned', 'qr.scanned'],
  ['subscription.canceled', 'subscription.cancelled'],
  ['payments.failed', 'payment.failed'],
])('suggests the event that %s probably means: %s', (name, expected) => {
  expect(nearestName(name, EVENT_TYPES)).toBe(expected)
})

it.each(['', 'x', 'order.created', 'scanned', 'qr.', 'constructor'])('suggests nothing for %j', (name) => {
  expect(nearestName(name, EVENT_TYPES)).toBeUndefined()
})

test('counts two swapped neighbors as one change', () => {
  expect(nearestName('sned', ['sign', 'send'])).toBe('send')
  expect(nearestName('abcd', ['badc'])).toBeUndefined()
  expect(nearestName('ab', ['bc'])).toBeUndefined()
  expect(nearestName('ab', ['ca'])).toBeUndefined()
})

test('accepts 1 to 3 changes, depending on the length of the name', () => {
  expect(nearestName('maxAge', ['maxAgeMs'])).toBe('maxAgeMs')
  expect(nearestName('maxAge', ['maxAgeMsX'])).toBeUndefined()
  expect(nearestName('maxAge', ['minAgo'])).toBeUndefined()
  expect(nearestName('ab', ['ac'])).toBe('ac')
  expect(nearestName('b', ['ab'])).toBe('ab')
  expect(nearestName('handlerTimeoutMs', ['handlerTimeout'])).toBe('handlerTimeout')
  expect(nearestName('handlerTimeoutMs', ['handlerTime'])).toBeUndefined()
})

test('prefers the closest candidate, and the first of two that are equally close', () => {
  expect(nearestName('leaseMs', ['releaseMs', 'lease', 'leaseMS', 'leasesMs'])).toBe('leaseMS')
  expect(nearestName('onX', ['onA', 'onB'])).toBe('onA')
})

test('suggests nothing without candidates', () => {
  expect(nearestName('secret', [])).toBeUndefined()
})
