/**
 * `npm run bench:hash`: what an HMAC built from two one-shot `crypto.hash` calls would bring in the place of `createHmac`: by itself, and per
 * HTTP request on `node:http`, where the aim is at least 3 %. What was decided stands in docs/decisions/0050-an-hmac-of-two-hashes.md.
 *
 * Options: `--rounds N` (41), `--requests N` (1,000 per server and round).
 */
import { createHmac } from 'node:crypto'
import { parseArgs } from 'node:util'
import { createDeliveries, KEY, type Received, SECRET } from './deliveries.js'
import { compareServers } from './http/compare.js'
import { serve } from './http/servers.js'
import { createTwoHashMac, type HexMac } from './http/two-hashes.js'
import { type Figure, measure, type Subject } from './measure.js'
import { compareRow, printHead, printRows } from './report.js'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '41' },
    requests: { type: 'string', default: '1000' },
    serve: { type: 'string' },
  },
})
const rounds = Number(values.rounds)
const HMAC: HexMac = (body) => createHmac('sha256', KEY).update(body).digest('hex')
const TWO_HASHES = createTwoHashMac(Buffer.from(SECRET))

if (values.serve !== undefined) await serve(values.serve)
else {
  printHead('An HMAC of two one-shot hashes in the place of `createHmac`')
  for (const size of [300, 1024]) await compareAlone(size)
  await comparePerRequest()
}

async function compareAlone(size: number): Promise<void> {
  const figures = await measure<Received>([subjectOf('createHmac', HMAC), subjectOf('two hashes', TWO_HASHES)], {
    makeBatch: (count) => createDeliveries(count, size),
    batch: 4000,
    rounds,
  })
  const row = compareRow(
    'two hashes into hex',
    figures.get('two hashes') as Figure,
    figures.get('createHmac') as Figure,
  )
  printRows(`By itself, bodies of ${size} bytes; CPU time per MAC`, [row])
}

function subjectOf(name: string, macOf: HexMac): Subject<Received> {
  return {
    name,
    run(batch) {
      for (const { body, signature } of batch) {
        if (!signature.endsWith(macOf(body))) throw new Error('a MAC is wrong')
      }
    },
  }
}

async function comparePerRequest(): Promise<void> {
  const [ours, replaced] = ['`node:http`, ours', '`node:http`, ours, HMAC of two hashes']
  const load = { rounds, warmUp: 5, requests: Number(values.requests), connections: 16 }
  const figures = await compareServers([{ name: ours }, { name: replaced }], load)
  const row = compareRow(replaced, figures.get(replaced) as Figure, figures.get(ours) as Figure, 0.97)
  printRows('Per HTTP request; CPU time of the server', [row])
}
