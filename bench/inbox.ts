/**
 * `npm run bench -- inbox`: measures how long GoValid waits for its 200 and how many deliveries per second are accepted, with each inbox and
 * without one. It uses HTTP over loopback, real engines, an empty handler and a few clients that wait for each response. One process both
 * serves and processes.
 *
 * Options: `--deliveries N` (2,000 each), `--clients N` (8).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parseArgs } from 'node:util'
import * as bullmq from 'bullmq'
import { Pool } from 'pg'
import { PgBoss } from 'pg-boss'
import { findServices } from '../scripts/services.mjs'
import { toHandler } from '../src/adapters/node.js'
import { bullmqInbox } from '../src/inboxes/bullmq/bullmq-inbox.js'
import { pgBossInbox } from '../src/inboxes/pg-boss/pg-boss-inbox.js'
import { sqliteInbox } from '../src/inboxes/sqlite/sqlite-inbox.js'
import { createReceiver, type Inbox } from '../src/index.js'
import { sqliteStore } from '../src/stores/sqlite/sqlite-store.js'
import { signDelivery } from '../src/testing/index.js'
import { printHead } from './report.js'

const SECRET = 'your_webhook_secret'
const WARM_UP = 200

interface Subject {
  readonly name: string
  readonly inbox?: Inbox
  end(): Promise<void>
}

const { values } = parseArgs({
  options: { deliveries: { type: 'string', default: '2000' }, clients: { type: 'string', default: '8' } },
})
const count = Number(values.deliveries)
const clients = Number(values.clients)
const folder = mkdtempSync(join(tmpdir(), 'govalid-bench-'))
const services = await findServices()
try {
  printHead('Inboxes compared with inline processing')
  console.log(`\n${count} deliveries each, ${clients} clients\n`)
  console.log('| | p50 | p99 | accepted per second | processed per second |\n| --- | --- | --- | --- | --- |')
  for (const subject of subjects()) await measure(await subject())
} finally {
  await Promise.all([services.postgres?.stop(), services.redis?.stop()])
  rmSync(folder, { recursive: true })
}

function subjects(): readonly (() => Subject | Promise<Subject>)[] {
  const scope = `govalid_bench_${process.pid}`
  const { redis, postgres } = services
  return [
    () => ({ name: 'inline, `sqliteStore`', end: async () => {} }),
    () => {
      const database = new DatabaseSync(join(folder, 'inbox.db'))
      return { name: '`sqliteInbox`', inbox: sqliteInbox({ database }), end: async () => database.close() }
    },
    ...(redis ? [() => bullmqSubject(scope, redis.url)] : []),
    ...(postgres ? [() => pgBossSubject(scope, postgres.url)] : []),
  ]
}

function bullmqSubject(scope: string, url: string): Subject {
  const { hostname: host, port } = new URL(url)
  const connection = { host, port: Number(port || 6379) }
  return {
    name: '`bullmqInbox`',
    inbox: bullmqInbox({ bullmq, connection, queue: scope }),
    async end() {
      const queue = new bullmq.Queue(scope, { connection })
      await queue.obliterate({ force: true })
      await queue.close()
    },
  }
}

async function pgBossSubject(scope: string, connectionString: string): Promise<Subject> {
  const boss = new PgBoss({ connectionString, schema: scope })
  boss.on('error', () => {})
  await boss.start()
  return {
    name: '`pgBossInbox`',
    inbox: pgBossInbox({ boss, schema: scope, pollSeconds: 0.5 }),
    async end() {
      await boss.stop({ graceful: false })
      const pool = new Pool({ connectionString, max: 1 })
      await pool.query(`DROP SCHEMA ${scope} CASCADE`)
      await pool.end()
    },
  }
}

async function measure({ name, inbox, end }: Subject): Promise<void> {
  const database = new DatabaseSync(join(folder, `${name.replaceAll(/\W/g, '')}-store.db`))
  let processed = 0
  const receiver = createReceiver({
    secret: SECRET,
    store: sqliteStore({ database }),
    ...(inbox && { inbox }),
    onOutcome: ({ status }) => {
      if (status === 'processed') processed++
    },
  }).on('qr.created', () => {})
  const server = createServer(toHandler(receiver)).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await deliver(port, 'warm-up', WARM_UP)
  await until(() => processed === WARM_UP)

  const startedAt = performance.now()
  const times = (await deliver(port, 'measured', count)).sort((a, b) => a - b)
  const acceptedIn = (performance.now() - startedAt) / 1000
  await until(() => processed === WARM_UP + count)
  const processedIn = (performance.now() - startedAt) / 1000
  const quantile = (share: number) => `${(times[Math.ceil(share * count) - 1] as number).toFixed(1)} ms`
  const rate = (seconds: number) => Math.round(count / seconds).toLocaleString('en')
  console.log(`| ${name} | ${quantile(0.5)} | ${quantile(0.99)} | ${rate(acceptedIn)} | ${rate(processedIn)} |`)
  server.close()
  await receiver.close()
  await end()
  database.close()
}

async function until(isDone: () => boolean): Promise<void> {
  const deadline = Date.now() + 300_000
  while (!isDone()) {
    if (Date.now() > deadline) throw new Error('Not all deliveries were processed within five minutes.')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Sends `total` deliveries and returns the time until each response, in milliseconds. */
async function deliver(port: number, name: string, total: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const times: number[] = []
  const timestamp = new Date().toISOString()
  const signed = await Promise.all(
    Array.from({ length: total }, async (_, index) => {
      const data = { id: `${name}-${index}`, title: 'Product Certificate #001' }
      return signDelivery({ event: 'qr.created', timestamp, webhook_id: 'wh-001', data }, { secret: SECRET })
    }),
  )
  let next = 0
  const client = async () => {
    for (let one = signed[next++]; one; one = signed[next++]) {
      const startedAt = performance.now()
      const status = await post(port, agent, one.headers, one.rawBody)
      if (status !== 200) throw new Error(`Expected a 200, got ${status}.`)
      times.push(performance.now() - startedAt)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  agent.destroy()
  return times
}

function post(port: number, agent: Agent, headers: object, body: Uint8Array): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', method: 'POST', agent, headers: { ...headers } }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode))
    })
    sent.on('error', reject).end(body)
  })
}
