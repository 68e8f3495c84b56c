/** A share of `npm run proof -- campaign`: bursts on virtual time that exceed the capacity of the store. */
import { describe, expect, test } from 'vitest'
import { simulateCampaign } from '../proof/simulate/campaign.js'
import { ENOUGH, TOO_LITTLE } from '../proof/simulate/campaigns.js'

describe('a campaign', () => {
  test('loses, doubles and gives up nothing while the capacity suffices on average', { timeout: 120_000 }, async () => {
    const found = await simulateCampaign(7, ENOUGH)
    expect(found).toMatchObject({ lost: 0, doubled: 0, disabled: 0, quarantined: 0 })
    expect(found.deliveredBy.reduce((sum, count) => sum + count, 0)).toBe(ENOUGH.events)
    // The bursts were larger than what the store can process in time.
    expect(found.deliveredBy[1]).toBeGreaterThan(ENOUGH.events / 10)
  })

  test('reports the overload before any fourth attempt if the capacity does not suffice', {
    timeout: 120_000,
  }, async () => {
    const found = await simulateCampaign(7, TOO_LITTLE)
    expect(found).toMatchObject({ lost: 0, doubled: 0 })
    expect(found.firstFourthAttemptMs).toBeGreaterThan(20 * 60_000)
    expect(found.firstReportMs).toBeLessThan(60_000)
    // At most one report a minute from each of the two processes.
    expect(found.reports).toBeLessThan(2 * 90)
  })
})
