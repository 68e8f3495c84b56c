/** How an attempt ends when the quarantine is slower than the handler. */
import { expect, test } from 'vitest'
import { fixedClock } from '../../src/testing/index.js'
import { EVENT_TIME } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { MINUTE, pause, receiving, SECOND } from '../support/receiving.js'

test('an entry has the error of the handler, even if the earlier entry of the deadline takes longer to write', async () => {
  // With a quarantine, an event of this age is on its last attempt.
  const clock = fixedClock(Date.parse(EVENT_TIME) + 46 * MINUTE)
  const writeMs = [900, 0]
  const quarantine = memoryQuarantine(() => pause(clock, writeMs.shift() ?? 0))
  const { receiver, attempt } = receiving({ clock, quarantine })
  receiver.on('qr.scanned', async () => {
    await pause(clock, 3600)
    throw new Error('no database')
  })
  expect((await attempt()).outcome).toMatchObject({ status: 'quarantined', code: 'attempts_exhausted' })
  await clock.advance(SECOND)
  expect([...quarantine.entries.values()]).toMatchObject([{ error: expect.stringContaining('no database') }])
})
