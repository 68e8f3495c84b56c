/** The receiver's own view of a delivery. */
import { expect, it, test } from 'vitest'
import { ownDelivery } from '../../../src/receiver/own-delivery.js'
import type { Delivery } from '../../../src/types.js'
import { revokedProxy, throwValue, withTraps } from '../../support/hostile-values.js'
import { expectNothingUnhandled, watchUnhandled } from '../../support/unhandled.js'

watchUnhandled()

const DELIVERY: Delivery = { method: 'POST', header: () => 'x', body: new Uint8Array([1]) }

it.each<[string, Partial<Delivery>]>([
  ['there is no list', {}],
  ['the list is a revoked Proxy', { headers: () => revokedProxy({}) as never }],
  ['the list can’t be read', { headers: () => throwValue(new Error('the request is over')) }],
  ['a value can’t be read', { headers: () => withTraps({ a: 'x' }, 'a') }],
  ['the values are no text', { headers: () => ({ a: 1, b: ['x'] }) as never }],
])('has no headers if %s', (_, changes) => {
  expect(Object.entries(ownDelivery({ ...DELIVERY, ...changes }, true).headers?.() ?? {})).toEqual([])
})

test('a header that is a promise counts as absent, and its rejection is handled', async () => {
  const header = (() => Promise.reject(new Error('no header'))) as unknown as Delivery['header']
  expect(ownDelivery({ ...DELIVERY, header }, true).header('x-govalid-signature')).toBeUndefined()
  await expectNothingUnhandled()
})

test('copies a body only if something may keep it', () => {
  expect(ownDelivery(DELIVERY, false).body).toBe(DELIVERY.body)
  const { body } = ownDelivery(DELIVERY, true)
  expect(body).toEqual(DELIVERY.body)
  expect(body).not.toBe(DELIVERY.body)
})
