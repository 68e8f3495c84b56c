/**
 * `npm run bench:receive`: what a whole delivery costs inside the receiver (verified, parsed, validated, claimed, given to a handler, completed)
 * beside `createHmac` and `JSON.parse` by hand, which validate, deduplicate and dispatch nothing. Once as it is, and once in a process that
 * may not make code from strings, as in a Worker.
 *
 * Options: `--rounds N` (41), `--batch N` (4,000 deliveries a round), `--ours` (leaves the peers out).
 */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { createReceiver, memoryStore, type Receiver } from '../src/index.js'
import { receiveByHand } from './by-hand.js'
import { createDeliveries, type Received, SECRET } from './deliveries.js'
import { type Figure, measure, type Subject } from './measure.js'
import { loadPeers, type Peer, type Signed } from './peers.js'
import { compareRow, printHead, printRows, type Row } from './report.js'

interface Item extends Received {
  readonly signed?: Signed
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '41' },
    batch: { type: 'string', default: '4000' },
    ours: { type: 'boolean', default: false },
    'without-eval': { type: 'boolean', default: false },
  },
})
const withoutEval = values['without-eval']
const FLOOR = 'by hand: `createHmac(KeyObject)` + `JSON.parse`'
const aims: Readonly<Record<string, number>> = { 'ours, `store: false`': 1, 'ours, `memoryStore`': 1.5 }
let seen = 0

if (!withoutEval) printHead('A whole delivery on Node, verified, parsed and given to a handler')
const peers = values.ours ? [] : await loadPeers()
for (const size of [300, 1024]) await compare(size)
if (!withoutEval) {
  const args = ['--disallow-code-generation-from-strings', process.argv[1] as string, '--without-eval']
  const { status } = spawnSync(process.execPath, [...args, ...process.argv.slice(2)], { stdio: 'inherit' })
  process.exitCode = status ?? 1
}

async function compare(size: number): Promise<void> {
  const names = Object.keys(aims)
  const stores = [false, memoryStore()] as const
  // A store at its cap says so: that is how it is meant to be measured.
  const onError = () => {}
  const receivers = stores.map((store) => createReceiver({ secret: SECRET, store, onError }))
  const rows = await measureWith(
    size,
    receivers.map((receiver, index) => ({ name: names[index] as string, run: runOf(receiver) })),
  )
  for (const peer of peers) {
    const run = async (batch: readonly Item[]) => {
      for (const { signed } of batch) await peer.receive(signed as Signed)
    }
    rows.push(...(await measureWith(size, [{ name: peer.name, run }], peer)))
  }
  printRows(`Bodies of ${size} bytes${withoutEval ? ', no code from strings' : ''}; CPU time per delivery`, rows)
  await Promise.all(receivers.map((receiver) => receiver.close()))
}

/** A peer is measured beside the floor alone, so that its garbage is nobody else's. */
async function measureWith(size: number, others: readonly Subject<Item>[], peer?: Peer): Promise<Row[]> {
  const subjects = [{ name: FLOOR, run: countedAtOnce }, ...others]
  const sign = async (received: Received): Promise<Item> =>
    peer ? { ...received, signed: await peer.sign(received.body, true) } : received
  const figures = await measure<Item>(subjects, {
    makeBatch: (count) => Promise.all(createDeliveries(count, size).map(sign)),
    batch: peer ? Math.ceil(Number(values.batch) / 4) : Number(values.batch),
    rounds: Number(values.rounds),
  })
  const floor = figures.get(FLOOR) as Figure
  return [...figures.values()].slice(1).map((figure) => compareRow(figure.name, figure, floor, aims[figure.name]))
}

function countedAtOnce(batch: readonly Item[]): void {
  const before = seen
  for (const item of batch) seen += receiveByHand(item).data.scan_count >= 0 ? 1 : 0
  expectSeen(before, batch.length)
}

function runOf(receiver: Receiver): Subject<Item>['run'] {
  receiver.on('qr.scanned', (event) => {
    seen += event.data.scan_count >= 0 ? 1 : 0
  })
  return async (batch) => {
    const before = seen
    for (const { delivery } of batch) await receiver.receive(delivery)
    expectSeen(before, batch.length)
  }
}

/** Whoever works less than everything is not quicker. */
function expectSeen(before: number, count: number): void {
  if (seen - before !== count) throw new Error(`${seen - before} of ${count} deliveries were handled`)
}
