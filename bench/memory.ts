/**
 * `npm run bench -- memory`: measures the bytes that a finished delivery takes in `memoryStore` (compared with a `Map`), the time of a claim, and
 * the growth of the process over many deliveries. Each measurement runs in its own process, after a full garbage collection.
 *
 * Options: `--deliveries N` (1,000,000), `--keys N` (1,000,000), `--rounds N` (41).
 */
import { spawnSync } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { createReceiver, memoryStore, type Store } from '../src/index.js'
import { createDeliveries, SECRET } from './deliveries.js'
import { type Figure, measure, median, usedMemory } from './measure.js'
import { printHead, printRows, type Row } from './report.js'

interface Item {
  readonly key: string
  readonly token: string
}

const { values } = parseArgs({
  options: {
    deliveries: { type: 'string', default: '1000000' },
    keys: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '41' },
    alone: { type: 'string' },
  },
})
const deliveries = Number(values.deliveries)
const keys = Number(values.keys)
const DAY = 24 * 60 * 60 * 1000
const MEGABYTE = 2 ** 20
const MAX_GROWTH_MB = 10

/** The measurements. Each runs in its own process and prints one number. */
const MEASUREMENTS: Readonly<Record<string, () => Promise<number> | number>> = {
  'bytes per key': () => bytesPerKey(memoryStore({ maxKeys: keys })),
  'bytes per key of a Map': bytesPerKeyOfMap,
  'ns per claim': async () => 1000 * (await microsPerStep('claim')),
  'ns per completion': async () => 1000 * (await microsPerStep('complete')),
  'growth with `store: false`': () => measureGrowth(false),
  'growth with `memoryStore`': () => measureGrowth(memoryStore()),
}

if (values.alone !== undefined) console.log(await (MEASUREMENTS[values.alone] as () => Promise<number>)())
else printAll()

function printAll(): void {
  printHead('Memory')
  const perKey = measureAlone('bytes per key')
  const claimNs = measureAlone('ns per claim')
  const rows: Row[] = [
    {
      what: `\`memoryStore\`: a finished delivery, with ${keys.toLocaleString('en')} keys`,
      ours: `${perKey.toFixed(1)} B`,
      floor: `\`Map<string, number>\` ${measureAlone('bytes per key of a Map').toFixed(1)} B`,
      aim: '≤ 64 B',
      reached: perKey <= 64,
    },
    {
      what: '`memoryStore`: a claim of a new key, at capacity',
      ours: `${claimNs.toFixed(0)} ns`,
      floor: '',
      aim: '≤ 1,000 ns',
      reached: claimNs <= 1000,
    },
    {
      what: '`memoryStore`: a completion, at capacity',
      ours: `${measureAlone('ns per completion').toFixed(0)} ns`,
      floor: '',
    },
    ...['growth with `store: false`', 'growth with `memoryStore`'].map(growthRow),
  ]
  printRows(
    'CPU time, and memory after a full garbage collection (`heapUsed` + `external`, which includes array buffers)',
    rows,
  )
}

function growthRow(name: string): Row {
  const growthMb = measureAlone(name) / MEGABYTE
  const range = `from ${(deliveries / 5).toLocaleString('en')} to ${deliveries.toLocaleString('en')} deliveries`
  return {
    what: `${name}, ${range}`,
    ours: `${growthMb.toFixed(2)} MB`,
    floor: '',
    aim: `< ${MAX_GROWTH_MB} MB`,
    reached: growthMb < MAX_GROWTH_MB,
  }
}

function measureAlone(name: string): number {
  const args = [process.argv[1] as string, '--alone', name, ...process.argv.slice(2)]
  const { stdout, status } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw new Error(`The measurement "${name}" failed. Its error is printed above.`)
  return Number(stdout)
}

async function bytesPerKey(store: Store): Promise<number> {
  await processAll(store, 1000)
  const before = usedMemory()
  await processAll(store, keys)
  const used = usedMemory() - before
  // Using the store again keeps it alive until its memory has been counted.
  await processAll(store, 1)
  return used / keys
}

async function processAll(store: Store, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const item = newItem()
    if ((await claim(store, item)).status !== 'claimed' || !(await complete(store, item)))
      throw new Error('A new key was not claimed.')
  }
}

function bytesPerKeyOfMap(): number {
  const map = new Map<string, number>()
  const before = usedMemory()
  for (let index = 0; index < keys; index++) map.set(newItem().key, Date.now() + DAY + index)
  const used = usedMemory() - before
  return used / map.size
}

async function microsPerStep(step: 'claim' | 'complete'): Promise<number> {
  const maxKeys = 100_000
  const store = memoryStore({ maxKeys })
  await processAll(store, maxKeys)
  const options = { batch: 4000, rounds: Number(values.rounds) }
  const run = async (batch: readonly Item[]) => {
    for (const item of batch) step === 'claim' ? claim(store, item) : complete(store, item)
  }
  let items: readonly Item[] = []
  const createBatch = async (count: number) => {
    // At capacity, a store in production holds finished deliveries and few live claims, so the previous claims are completed.
    if (step === 'claim') for (const item of items) await complete(store, item)
    items = Array.from({ length: count }, newItem)
    if (step === 'complete') for (const item of items) await claim(store, item)
    return items
  }
  const figures = await measure<Item>([{ name: step, run }], { ...options, createBatch })
  return median((figures.get(step) as Figure).perRound)
}

async function measureGrowth(store: false | Store): Promise<number> {
  let handled = 0
  const receiver = createReceiver({ secret: SECRET, store, onError: () => {} }).on('qr.scanned', () => {
    handled++
  })
  let before = 0
  for (let sent = 0; sent < deliveries; sent += 1000) {
    if (sent === deliveries / 5) before = usedMemory()
    for (const { delivery } of createDeliveries(1000)) await receiver.receive(delivery)
  }
  const growth = usedMemory() - before
  if (handled !== deliveries) throw new Error(`Only ${handled} of ${deliveries} deliveries were handled.`)
  await receiver.close()
  return growth
}

function newItem(): Item {
  return { key: randomBytes(32).toString('hex'), token: randomUUID() }
}

function claim(store: Store, { key, token }: Item) {
  return store.claim({ key, token, leaseMs: 55_000, retainUntil: Date.now() + DAY, attemptGapMs: 30_000 })
}

function complete(store: Store, { key, token }: Item) {
  return store.complete({ key, token, retainUntil: Date.now() + DAY })
}
