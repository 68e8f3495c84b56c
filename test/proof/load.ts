/**
 * `npm run proof -- load`: sends a million deliveries over HTTP on loopback, from another process over a fixed number of kept connections.
 * Each must get 200 and one handler call, and memory must not grow after the first fifth. Runs once with a memory store that is past its
 * cap and once without a store. Exits with 1 if a result differs.
 *
 * Options: `--deliveries N` (1,000,000), `--connections N` (16), `--record`.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Responses, sendDeliveries } from './load/client.js'
import { type LoadSetup, type LoadState, serveLoad } from './load/server.js'
import { reportResult, row } from './record.js'

const ROLE = 'server'
const SECRET = 'your_webhook_secret'
const GROWTH_LIMIT = 10 * 1024 * 1024
/** The first memory reading is taken after this part of the deliveries, the second at the end. */
const FIRST_PART = 0.2
const MAX_KEYS = 100_000

if (process.argv[2] === ROLE) await serveLoad(JSON.parse(process.argv[3] ?? '{}') as LoadSetup)
else process.exitCode = await prove()

interface Found {
  readonly name: string
  readonly ok: number
  readonly others: number
  readonly handled: number
  readonly reports: number
  /** In bytes. */
  readonly growth: number
  readonly perSecond: number
}

/** Runs the proof and returns the exit code. */
async function prove(): Promise<number> {
  const { values } = parseArgs({
    options: {
      deliveries: { type: 'string', default: '1000000' },
      connections: { type: 'string', default: '16' },
      record: { type: 'boolean', default: false },
    },
  })
  const deliveries = Number(values.deliveries)
  const startedAt = performance.now()
  const maxKeys = Math.min(MAX_KEYS, Math.round((deliveries * FIRST_PART) / 2))
  const found = [
    await runLoad(
      `memoryStore of ${maxKeys.toLocaleString('en')} keys`,
      maxKeys,
      deliveries,
      Number(values.connections),
    ),
    await runLoad('store: false', false, deliveries, Number(values.connections)),
  ]
  const rows = [
    row('deliveries', ...found.map(() => deliveries)),
    row('responses with 200', ...found.map(({ ok }) => ok)),
    row('other responses', ...found.map(({ others }) => others)),
    row('handler calls', ...found.map(({ handled }) => handled)),
    row('reports to onError', ...found.map(({ reports }) => reports)),
    row(
      `memory growth after ${(deliveries * FIRST_PART).toLocaleString('en')}`,
      ...found.map(({ growth }) => `${(growth / 1024 / 1024).toFixed(2)} MB`),
    ),
    row('deliveries per second', ...found.map(({ perSecond }) => perSecond)),
  ]
  reportResult('load', { columns: found.map(({ name }) => name), rows, startedAt }, values.record)
  const isRight = ({ ok, others, handled, reports, growth }: Found) =>
    ok === deliveries && others === 0 && handled === deliveries && reports === 0 && growth < GROWTH_LIMIT
  return found.every(isRight) ? 0 : 1
}

async function runLoad(
  name: string,
  store: LoadSetup['store'],
  deliveries: number,
  connections: number,
): Promise<Found> {
  const setup: LoadSetup = { secret: SECRET, store }
  const server = fork(fileURLToPath(import.meta.url), [ROLE, JSON.stringify(setup)], { execArgv: ['--expose-gc'] })
  const responses: Responses = new Map()
  try {
    const { port } = await nextState(server)
    const startedAt = performance.now()
    const send = async (from: number, to: number) => {
      const more = await sendDeliveries({ port, secret: SECRET, connections, from, to })
      for (const [status, times] of more) responses.set(status, (responses.get(status) ?? 0) + times)
      server.send('state')
      return nextState(server)
    }
    const part = Math.round(deliveries * FIRST_PART)
    const { memory } = await send(0, part)
    const last = await send(part, deliveries)
    const perSecond = Math.round(deliveries / ((performance.now() - startedAt) / 1000))
    const ok = responses.get(200) ?? 0
    const others = [...responses.values()].reduce((sum, times) => sum + times, 0) - ok
    const { handled, reports } = last
    return { name, ok, others, handled, reports, growth: last.memory - memory, perSecond }
  } finally {
    const ended = once(server, 'exit')
    server.disconnect()
    await ended
  }
}

/** Resolves to the next message of the server. Rejects if the server exits first. */
async function nextState(server: ChildProcess): Promise<LoadState> {
  const [state] = await Promise.race([
    once(server, 'message'),
    once(server, 'exit').then(([code]) => Promise.reject(new Error(`the server exited with ${code}`))),
  ])
  return state as LoadState
}
