/**
 * `npm run bench -- workerd`: compares verification and parsing in real workerd with WebCrypto by hand (a reusable `CryptoKey`, and a key that
 * is imported for each event) and with peers. Runs once without and once with `nodejs_compat`. On Linux it measures the CPU time of the
 * workerd process, elsewhere the elapsed time.
 *
 * Options: `--rounds N` (31), `--batch N` (2,000 deliveries per round), `--ours` (skips the peers).
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { serveWorkerd, WITHOUT_NODE, type WorkerdServer } from '../test/support/workerd-server.js'
import { createDeliveries } from './deliveries.js'
import { type Figure, rotate } from './measure.js'
import { loadPeers, PEERS_FOLDER, type Peer } from './peers.js'
import { compareRow, printHead, printRows } from './report.js'
import type { PreparedDelivery } from './workerd/worker.js'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '31' },
    batch: { type: 'string', default: '2000' },
    ours: { type: 'boolean', default: false },
  },
})
const WARM_UP = 5
const batch = Number(values.batch)
const titles: Readonly<Record<string, string>> = {
  floor: 'by hand: a reusable `CryptoKey`, hex decoded with a table',
  'import-key': 'by hand: `importKey` for each event',
  ours: 'ours: stage 2 with reusable keys, and `parseEvent`',
  receiver: 'ours: the whole receiver, `store: false`',
}

printHead('In workerd')
const peers = values.ours ? [] : await loadPeers()
const folder = mkdtempSync(join(tmpdir(), 'govalid-bench-'))
try {
  await bundleWorker(folder)
  for (const [title, flags] of [
    ['WebCrypto, without `nodejs_compat`', WITHOUT_NODE],
    ['With `nodejs_compat`', []],
  ] as const) {
    const server = await serveWorkerd(folder, flags)
    try {
      await compare(title, server)
    } finally {
      await server.stop()
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}

async function compare(title: string, server: WorkerdServer): Promise<void> {
  const figures = await measureIn(server)
  const floor = figures.get('floor') as Figure
  const rows = [...figures.values()]
    .slice(1)
    .map((figure) =>
      compareRow(titles[figure.name] ?? figure.name, figure, floor, figure.name === 'ours' ? 1.1 : undefined),
    )
  printRows(`${title}; bodies of about 300 bytes`, rows)
}

async function measureIn({ port, pid }: WorkerdServer): Promise<ReadonlyMap<string, Figure>> {
  const names = [...Object.keys(titles), ...peersInWorkerd().map(({ name }) => name)]
  const times = new Map(names.map((name) => [name, [] as number[]]))
  for (let round = -WARM_UP; round < Number(values.rounds); round++) {
    await post(port, '/load', JSON.stringify(await Promise.all(createDeliveries(batch).map(prepare))))
    for (const name of rotate(names, round)) {
      const before = microsOf(pid)
      const count = await post(port, `/run/${encodeURIComponent(name)}`, '')
      const micros = microsOf(pid) - before
      if (count !== batch) throw new Error(`${name} processed ${count} of ${batch} deliveries.`)
      if (round >= 0) times.get(name)?.push(micros / batch)
    }
  }
  return new Map([...times].map(([name, perRound]) => [name, { name, perRound }]))
}

/** Returns the peers that run in a Worker. */
function peersInWorkerd(): readonly Peer[] {
  return peers.filter(({ name }) => ['Octokit', 'Stripe', 'Standard Webhooks'].includes(name))
}

async function prepare({
  body,
  signature,
}: {
  readonly body: Buffer
  readonly signature: string
}): Promise<PreparedDelivery> {
  const signed = peersInWorkerd().map(async (peer) => [peer.name, (await peer.sign(body, true)).headers] as const)
  return { body: body.toString('utf8'), signature, peers: Object.fromEntries(await Promise.all(signed)) }
}

async function post(port: number, path: string, body: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body })
  const text = await response.text()
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
  return Number(text)
}

/** Returns the CPU time of all threads of a process in microseconds, or the current time if the system doesn't report CPU times. */
function microsOf(pid: number | undefined): number {
  const tasks = `/proc/${pid}/task`
  if (!existsSync(tasks)) return 1000 * performance.now()
  const nanos = readdirSync(tasks).map((task) =>
    Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]),
  )
  return nanos.reduce((sum, one) => sum + one, 0) / 1000
}

async function bundleWorker(into: string): Promise<void> {
  const withoutPeers = { name: 'without-peers', setup: refusePeers }
  await build({
    entryPoints: [resolve('bench/workerd/worker.ts')],
    outfile: join(into, 'worker.js'),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    conditions: ['workerd', 'worker'],
    logLevel: 'error',
    plugins: existsSync(join(PEERS_FOLDER, 'node_modules')) ? [] : [withoutPeers],
  })
}

function refusePeers(builder: Parameters<import('esbuild').Plugin['setup']>[0]): void {
  builder.onLoad({ filter: /in-workerd\.mjs$/ }, () => ({ contents: 'export const inWorkerd = {}' }))
}
