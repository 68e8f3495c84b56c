/**
 * `npm run bench -- receive`: compares the CPU time of a whole delivery (verify, parse, validate, claim, dispatch, complete) with `createHmac`
 * and `JSON.parse` by hand, which neither validate nor deduplicate nor dispatch. Runs a second time without code generation from strings,
 * as in a Worker.
 *
 * Options: `--rounds N` (41), `--batch N` (4,000 deliveries per round), `--ours` (skips the peers).
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
const aims: Readonly<Record<string, number>> = { 'ours, `store: false`': 1.2, 'ours, `memoryStore`': 1.5 }
let handled = 0

if (!withoutEval) printHead('A whole delivery on Node: verified, parsed and handled')
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
  // `memoryStore` reports evictions at its capacity, which is the state to measure.
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

/** Each peer is measured alone with the floor, so that its garbage doesn't slow down other subjects. */
async function measureWith(size: number, others: readonly Subject<Item>[], peer?: Peer): Promise<Row[]> {
  const subjects = [{ name: FLOOR, run: receiveAllByHand }, ...others]
  const sign = async (received: Received): Promise<Item> =>
    peer ? { ...received, signed: await peer.sign(received.body, true) } : received
  const figures = await measure<Item>(subjects, {
    createBatch: (count) => Promise.all(createDeliveries(count, size).map(sign)),
    batch: peer ? Math.ceil(Number(values.batch) / 4) : Number(values.batch),
    rounds: Number(values.rounds),
  })
  const floor = figures.get(FLOOR) as Figure
  return [...figures.values()].slice(1).map((figure) => compareRow(figure.name, figure, floor, aims[figure.name]))
}

function receiveAllByHand(batch: readonly Item[]): void {
  const before = handled
  for (const item of batch) handled += receiveByHand(item).data.scan_count >= 0 ? 1 : 0
  expectHandled(before, batch.length)
}

function runOf(receiver: Receiver): Subject<Item>['run'] {
  receiver.on('qr.scanned', (event) => {
    handled += event.data.scan_count >= 0 ? 1 : 0
  })
  return async (batch) => {
    const before = handled
    for (const { delivery } of batch) await receiver.receive(delivery)
    expectHandled(before, batch.length)
  }
}

/** Checks that a subject handled every delivery, because a subject that skips some would look faster. */
function expectHandled(before: number, count: number): void {
  if (handled - before !== count) throw new Error(`Only ${handled - before} of ${count} deliveries were handled.`)
}
