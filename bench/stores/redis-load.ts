/**
 * Measures redisStore under load, without HTTP: a burst of deliveries, and the throughput with 64 callers next to one `SET NX` per delivery.
 * Needs Redis. Run: `node scripts/run-ts.mjs bench/stores/redis-load.ts`.
 *
 * Each subject of a round runs in a separate process, because node-redis still works on the timeouts of its commands seconds later.
 *
 * Options: `--deliveries N` (10,000), `--callers N` (4,000, in the burst), `--rounds N` (7, of the throughput).
 */
import { fork } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { findServices } from '../../scripts/services.mjs'
import { type RedisClient, redisStore } from '../../src/stores/redis/redis-store.js'

/** One process: what it runs, how many times, with how many concurrent callers. */
interface Task {
  readonly url: string
  readonly scope: string
  readonly subject: string
  readonly count: number
  readonly callers: number
}

interface Result {
  readonly seconds: number
  readonly cpuMicros: number
  readonly failed: number
  readonly blockMs: number
}

type Run = (key: string) => Promise<unknown>

const KEEP_MS = 60_000
const PER_ROUND = 20_000
const SUBJECTS: Readonly<Record<string, (url: string, scope: string) => Promise<Run>>> = {
  'node-redis: SET NX': async (url, scope) => {
    const client = await nodeRedis(url)
    const options = { expiration: { type: 'PX', value: KEEP_MS }, condition: 'NX' } as const
    return (key) => client.set(`${scope}:${key}`, '1', options)
  },
  'node-redis: redisStore': async (url, scope) => withStore(await nodeRedis(url), scope),
  'ioredis: SET NX': async (url, scope) => {
    const client = ioredis(url)
    return (key) => client.set(`${scope}:${key}`, '1', 'PX', KEEP_MS, 'NX')
  },
  'ioredis: redisStore': async (url, scope) => withStore(ioredis(url), scope),
}

const [task] = process.argv.slice(2)
if (task?.startsWith('{')) process.send?.(await perform(JSON.parse(task) as Task), () => process.exit())
else await compare()

async function compare(): Promise<void> {
  const { values } = parseArgs({
    options: {
      deliveries: { type: 'string', default: '10000' },
      callers: { type: 'string', default: '4000' },
      rounds: { type: 'string', default: '7' },
    },
  })
  const { redis } = await findServices()
  if (!redis) throw new Error('Redis was not found. Set REDIS_URL, or install it.')
  const { url } = redis
  const scope = `govalid-load-${randomBytes(4).toString('hex')}`
  const start = (subject: string, count: number, callers: number) => inProcess({ url, scope, subject, count, callers })
  try {
    for (const library of ['node-redis', 'ioredis']) {
      const [count, callers] = [Number(values.deliveries), Number(values.callers)]
      const { seconds, failed, blockMs } = await start(`${library}: redisStore`, count, callers)
      const took = `${count - failed} of ${count} deliveries of a burst with ${callers} callers in ${seconds.toFixed(2)} s`
      console.log(`${library}: ${took}; longest block of the event loop: ${blockMs.toFixed(0)} ms`)
      const rounds: { readonly bare: Result; readonly ours: Result }[] = []
      for (let round = 0; round < Number(values.rounds); round++) {
        const bare = await start(`${library}: SET NX`, PER_ROUND, 64)
        rounds.push({ bare, ours: await start(`${library}: redisStore`, PER_ROUND, 64) })
      }
      const ratio = median(rounds.map(({ bare, ours }) => bare.seconds / ours.seconds))
      const rate = (key: 'bare' | 'ours') => Math.round(PER_ROUND / median(rounds.map((round) => round[key].seconds)))
      const cpu = (key: 'bare' | 'ours') => median(rounds.map((round) => round[key].cpuMicros)).toFixed(1)
      console.log(`  64 callers: ${rate('ours')} deliveries per second, ${ratio.toFixed(2)} × SET NX (${rate('bare')})`)
      console.log(`  CPU per delivery: ${cpu('ours')} µs, SET NX ${cpu('bare')} µs`)
    }
  } finally {
    const client = ioredis(url)
    await client.eval(
      `for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end`,
      0,
      `*${scope}*`,
    )
    client.disconnect()
    await redis.stop()
  }
}

function inProcess(work: Task): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = fork(process.argv[1] as string, [JSON.stringify(work)])
    child.once('message', (result) => resolve(result as Result))
    child.once('exit', () => reject(new Error(`${work.subject} ended without a result`)))
  })
}

async function perform({ url, scope, subject, count, callers }: Task): Promise<Result> {
  const run = await SUBJECTS[subject]?.(url, scope)
  if (!run) throw new Error(`there is no subject ${subject}`)
  // A burst starts cold; the throughput is measured with compiled code.
  await runMany(run, callers > 64 ? 1 : count, 64)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const [startedAt, before] = [performance.now(), process.cpuUsage()]
  const failed = await runMany(run, count, callers)
  const seconds = (performance.now() - startedAt) / 1000
  const { user, system } = process.cpuUsage(before)
  return { seconds, cpuMicros: (user + system) / count, failed, blockMs: delay.max / 1e6 }
}

/** Runs `count` times with at most `callers` at once. Returns the number of failures. */
async function runMany(run: Run, count: number, callers: number): Promise<number> {
  let started = 0
  let failed = 0
  const call = async () => {
    while (started++ < count) {
      await run(randomBytes(32).toString('hex')).catch(() => {
        failed++
      })
    }
  }
  await Promise.all(Array.from({ length: callers }, call))
  return failed
}

/** Claims and completes each delivery, as the receiver does. */
function withStore(client: RedisClient, namespace: string): Run {
  const store = redisStore({ client, namespace })
  return async (key) => {
    const [token, retainUntil] = [randomUUID(), Date.now() + KEEP_MS]
    const result = await store.claim({ key, token, retainUntil, leaseMs: 55_000, attemptGapMs: 30_000, waitMs: 4400 })
    if (result.status !== 'claimed') throw new Error(`expected a claim, got ${result.status}`)
    if (!(await store.complete({ key, token, retainUntil, waitMs: 4500 })))
      throw new Error('the completion was refused')
  }
}

async function nodeRedis(url: string) {
  const client = createClient({ url }).on('error', console.error)
  await client.connect()
  return client
}

function ioredis(url: string): Redis {
  return new Redis(url, { maxRetriesPerRequest: 0 })
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((left, right) => left - right)[Math.floor(numbers.length / 2)] ?? 0
}
