/**
 * `npm run bench:hash`: compares an HMAC of two one-shot `crypto.hash` calls with `createHmac`, alone and per HTTP request on `node:http`,
 * where it has to save at least 3 %. See docs/decisions/0050-an-hmac-of-two-hashes.md.
 *
 * Options: `--rounds N` (41), `--requests N` (1,000 per server and round).
 */
import * as crypto from 'node:crypto'
import { parseArgs } from 'node:util'
import { createNodeHmacKey, type HmacKey } from '../src/crypto/hmac.js'
import type { NodeCrypto } from '../src/crypto/platform.js'
import { createDeliveries, type Received, SECRET } from './deliveries.js'
import { compareServers } from './http/compare.js'
import { serve } from './http/servers.js'
import { cryptoWithoutHash } from './http/without-hash.js'
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
const HMAC = createNodeHmacKey(cryptoWithoutHash(), Buffer.from(SECRET))
const TWO_HASHES = createNodeHmacKey(crypto as unknown as NodeCrypto, Buffer.from(SECRET))

if (values.serve !== undefined) await serve(values.serve)
else {
  printHead('An HMAC of two one-shot hashes compared with `createHmac`')
  for (const size of [300, 1024]) await compareAlone(size)
  await comparePerRequest()
}

async function compareAlone(size: number): Promise<void> {
  const figures = await measure<Received>([subjectOf('createHmac', HMAC), subjectOf('two hashes', TWO_HASHES)], {
    createBatch: (count) => createDeliveries(count, size),
    batch: 4000,
    rounds,
  })
  const row = compareRow(
    'two hashes, compared in constant time',
    figures.get('two hashes') as Figure,
    figures.get('createHmac') as Figure,
  )
  printRows(`The MAC alone, bodies of ${size} bytes; CPU time per MAC`, [row])
}

function subjectOf(name: string, key: HmacKey): Subject<Received> {
  return {
    name,
    run(batch) {
      for (const { body, signature } of batch) {
        if (key.matches(body, signature.slice('sha256='.length)) !== true) throw new Error('A MAC is wrong.')
      }
    },
  }
}

async function comparePerRequest(): Promise<void> {
  const [ours, before] = ['`node:http`, ours', '`node:http`, ours on `createHmac`']
  const load = { rounds, warmUp: 5, requests: Number(values.requests), connections: 16 }
  const figures = await compareServers([{ name: before }, { name: ours }], load)
  const row = compareRow(
    `${ours}, compared with ours on \`createHmac\``,
    figures.get(ours) as Figure,
    figures.get(before) as Figure,
    0.97,
  )
  printRows('Per HTTP request; CPU time of the server', [row])
}
