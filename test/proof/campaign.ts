/**
 * `npm run proof -- campaign`: a QR campaign of a million events on virtual time. Bursts arrive five times as fast as the store can process them.
 * While the capacity suffices on average, nothing is lost, doubled or disabled. If it doesn't suffice, the receiver reports `overloaded` before
 * any fourth attempt. Exits with 1 if a result differs.
 *
 * Options: `--events N` (1,000,000; a fifth of them without enough capacity), `--seed N` (any), `--record`.
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { reportResult, row } from './record.js'
import { type Campaign, type CampaignFindings, simulateCampaign } from './simulate/campaign.js'
import { ENOUGH, TOO_LITTLE } from './simulate/campaigns.js'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
    record: { type: 'boolean', default: false },
  },
})
const [seed, events, startedAt] = [Number(values.seed), Number(values.events), performance.now()]
const campaigns: readonly Campaign[] = [
  // The same proportions at ten times the size.
  { ...ENOUGH, events, burst: 10 * ENOUGH.burst, operationsPerSecond: 10 * ENOUGH.operationsPerSecond },
  { ...TOO_LITTLE, events: Math.round(events / 5) },
]
const found: CampaignFindings[] = []
for (const campaign of campaigns) found.push(await simulateCampaign(seed, campaign))
const [enough, tooLittle] = found as [CampaignFindings, CampaignFindings]
const inSeconds = (ms: number | undefined) => (ms === undefined ? 'never' : `${(ms / 1000).toFixed(1)} s`)
reportResult(
  'campaign',
  {
    seed,
    columns: campaigns.map(({ name }) => name),
    rows: [
      row('events', ...campaigns.map((campaign) => campaign.events)),
      row('events per burst', ...campaigns.map(({ burst }) => burst)),
      row('store operations per second', ...campaigns.map(({ operationsPerSecond }) => operationsPerSecond)),
      row('attempts', ...found.map(({ attempts }) => attempts)),
      ...[0, 1, 2, 3, 4].map((index) =>
        row(`delivered with attempt ${index + 1}`, ...found.map(({ deliveredBy }) => deliveredBy[index] ?? 0)),
      ),
      row('lost after a 200', ...found.map(({ lost }) => lost)),
      row('doubled', ...found.map(({ doubled }) => doubled)),
      row('given up after five attempts', ...found.map(({ disabled }) => disabled)),
      row('quarantined', ...found.map(({ quarantined }) => quarantined)),
      row('most operations waiting', ...found.map(({ longestQueue }) => longestQueue)),
      row('first report of overloaded after', ...found.map(({ firstReportMs }) => inSeconds(firstReportMs))),
      row('first fourth attempt after', ...found.map(({ firstFourthAttemptMs }) => inSeconds(firstFourthAttemptMs))),
      row('reports of overloaded', ...found.map(({ reports }) => reports)),
    ],
    startedAt,
  },
  values.record,
)
const isKept = [...enough.deliveredBy].reduce((sum, count) => sum + count, 0) === events
const isRight = isKept && enough.lost + enough.doubled + enough.disabled + enough.quarantined === 0
const warnsInTime = (tooLittle.firstReportMs ?? Number.POSITIVE_INFINITY) < (tooLittle.firstFourthAttemptMs ?? 0)
const isAsExpected = isRight && warnsInTime && tooLittle.lost + tooLittle.doubled === 0
console.log(isAsExpected ? 'as expected' : 'FAILED')
process.exitCode = isAsExpected ? 0 : 1
