/** Part of stage 7: carrying out how an attempt ends. */
import { expect, test } from 'vitest'
import { finish } from '../../../src/delivery/finish.js'
import { claimedAttempt, testServices } from '../../support/delivery-fixtures.js'

test('a processed attempt has its outcome synchronously if the store is synchronous', () => {
  const services = testServices({ store: { complete: () => true } })
  expect(finish(claimedAttempt(services), { how: 'processed', isLate: false })).toMatchObject({
    status: 'processed',
    attempt: 1,
  })
})
