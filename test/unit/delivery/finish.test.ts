/** Part of stage 7: carrying out how an attempt ends. */
import { expect, test } from 'vitest'
import { finish } from '../../../src/delivery/finish.js'
import { claimedAttempt, testServices } from '../../support/delivery-fixtures.js'

test('a failed attempt has its outcome synchronously if the store is synchronous', () => {
  const services = testServices({ store: { release: () => true } })
  const error = new Error('no database')
  expect(finish(claimedAttempt(services), { how: 'failed', error, isLate: false })).toMatchObject({
    status: 'failed',
    error,
    attempt: 1,
  })
})
