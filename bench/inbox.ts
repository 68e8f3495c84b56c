/**
 * `npm run bench:inbox`: how long GoValid waits for its 200, and how many deliveries a second are accepted, with each inbox and inline. Real
 * HTTP over loopback, real engines, one process that serves and works, a handler that does nothing; a few clients that each wait for their
 * answer.
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
import { bullmqInbox } from '../src/inboxes/bullmq-inbox.js'
import { pgBossInbox } from '../src/inboxes/pg-boss-inbox.js'
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
  printHead('Inboxes beside inline')
  console.log(`\n${count} deliveries each, ${clients} clients\n`)
  console.log('| | p50 | p99 | accepted a second | worked a second |\n| --- | --- | --- | --- | --- |')
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
  let worked = 0
  const receiver = createReceiver({
    secret: SECRET,
    store: sqliteStore({ database }),
    ...(inbox && { inbox }),
    onOutcome: ({ status }) => {
      if (status === 'processed') worked++
    },
  }).on('qr.created', () => {})
  const server = createServer(toHandler(receiver)).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await deliver(port, 'warm-up', WARM_UP)
  await until(() => worked === WARM_UP)

  const startedAt = performance.now()
  const times = (await deliver(port, 'measured', count)).sort((a, b) => a - b)
  const acceptedIn = (performance.now() - startedAt) / 1000
  await until(() => worked === WARM_UP + count)
  const workedIn = (performance.now() - startedAt) / 1000
  const at = (share: number) => `${(times[Math.ceil(share * count) - 1] as number).toFixed(1)} ms`
  const rate = (seconds: number) => Math.round(count / seconds).toLocaleString('en')
  console.log(`| ${name} | ${at(0.5)} | ${at(0.99)} | ${rate(acceptedIn)} | ${rate(workedIn)} |`)
  server.close()
  await receiver.close()
  await end()
  database.close()
}

async function until(isSo: () => boolean): Promise<void> {
  const giveUpAt = Date.now() + 300_000
  while (!isSo()) {
    if (Date.now() > giveUpAt) throw new Error('not all deliveries were worked within five minutes')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Sends `many` deliveries; gives back how long each answer took, in milliseconds. */
async function deliver(port: number, name: string, many: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const times: number[] = []
  const timestamp = new Date().toISOString()
  const signed = await Promise.all(
    Array.from({ length: many }, async (_, index) => {
      const data = { id: `${name}-${index}`, title: 'Product Certificate #001' }
      return signDelivery({ event: 'qr.created', timestamp, webhook_id: 'wh-001', data }, { secret: SECRET })
    }),
  )
  let next = 0
  const client = async () => {
    for (let one = signed[next++]; one; one = signed[next++]) {
      const startedAt = performance.now()
      const status = await post(port, agent, one.headers, one.rawBody)
      if (status !== 200) throw new Error(`answered ${status}`)
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
