/**
 * `npm run proof -- workers`: 1,000 simultaneous copies of one delivery over four Workers, each in its own isolate, call one handler once,
 * with D1 and with Durable Objects in workerd. A control store that reads before it writes must be caught. Exits with 1 if a result differs.
 *
 * Options: `--store NAME` (repeatable; all), `--rounds N` (100), `--copies N` (1,000), `--workers N` (4).
 */
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createTestHarness, type TestHarness } from 'wrangler'
import { signDelivery } from '../../src/testing/index.js'
import type { Findings, Share } from './workers/messages.js'

/** All stores of the proof, and whether each is the control. */
const STORES: Readonly<Record<string, { readonly control: boolean }>> = {
  d1: { control: false },
  'durable-object': { control: false },
  'get-then-put': { control: true },
}
const SECRET = 'your_webhook_secret'
// Miniflare would ask Cloudflare for the location of this machine, for `request.cf`, which the proof doesn't use.
process.env['CLOUDFLARE_CF_FETCH_ENABLED'] ??= 'false'

const { values } = parseArgs({
  options: {
    store: { type: 'string', multiple: true, default: Object.keys(STORES) },
    rounds: { type: 'string', default: '100' },
    copies: { type: 'string', default: '1000' },
    workers: { type: 'string', default: '4' },
  },
})
const names = Array.from({ length: Number(values.workers) }, (_, index) => `worker-${index + 1}`)

for (const name of values.store) {
  const store = STORES[name]
  if (!store) throw new Error(`no store ${name}; there are ${Object.keys(STORES).join(', ')}`)
  if (!(await proveStore(name, store.control))) process.exitCode = 1
}

/** Whether a store passed, or, as the control, was caught. */
async function proveStore(name: string, isControl: boolean): Promise<boolean> {
  const server = startWorkers(name)
  const startedAt = Date.now()
  try {
    await server.listen()
    const rounds: Round[] = []
    for (let round = 0; round < Number(values.rounds); round++) rounds.push(await runRound(server))
    const wrong = rounds.filter(({ isRight }) => !isRight).length
    const isExpected = isControl ? wrong > 0 : wrong === 0
    const calls = rounds.reduce((sum, round) => sum + round.calls, 0)
    const responses = Object.entries(add(rounds.map(({ statuses }) => statuses)))
    console.log(
      `${name}${isControl ? ' (control, must be caught)' : ''}: ${rounds.length} rounds of ${values.copies} copies at once over ` +
        `${names.length} Workers: ${calls} handler calls, ${wrong} rounds wrong; ` +
        `responses: ${responses.map(([response, count]) => `${response} × ${count}`).join(', ')}; ` +
        `${((Date.now() - startedAt) / 1000).toFixed(1)} s: ${isExpected ? 'as expected' : 'FAILED'}`,
    )
    return isExpected
  } finally {
    await server.close()
  }
}

/** Starts Workers with the same code and database. The Durable Objects live in the first Worker. */
function startWorkers(store: string): TestHarness {
  const [home] = names
  const config = (name: string) => ({
    name,
    main: resolve('test/proof/workers/worker.ts'),
    compatibility_date: '2026-10-01',
    vars: { STORE: store, SECRET },
    d1_databases: [{ binding: 'DB', database_name: 'shared', database_id: '00000000-0000-0000-0000-000000000000' }],
    kv_namespaces: [{ binding: 'KV', id: '00000000000000000000000000000000' }],
    durable_objects: {
      bindings: [
        {
          name: 'IDEMPOTENCY',
          class_name: 'IdempotencyObject',
          ...(name === home ? {} : { script_name: home as string }),
        },
      ],
    },
    ...(name === home ? { migrations: [{ tag: 'v1', new_sqlite_classes: ['IdempotencyObject'] }] } : {}),
  })
  return createTestHarness({ root: resolve('.'), workers: names.map((name) => ({ config: config(name) })) })
}

interface Round extends Findings {
  /** The handler ran once, every response was 200 or 503, and a later copy was a duplicate without another run. */
  readonly isRight: boolean
}

async function runRound(server: TestHarness): Promise<Round> {
  const payload = { event: 'qr.scanned', timestamp: new Date().toISOString(), nonce: randomBytes(8).toString('hex') }
  const { rawBody, signature } = await signDelivery(payload, { secret: SECRET })
  const body = new TextDecoder().decode(rawBody)
  const copies = Number(values.copies) / names.length
  const findings = await Promise.all(names.map((name) => ask(server, name, { body, signature, copies })))
  const statuses = add(findings.map((each) => each.statuses))
  const [first] = names as [string]
  const { isDuplicate, late } = await untilDuplicate(() => ask(server, first, { body, signature, copies: 1 }))
  const calls = findings.reduce((sum, each) => sum + each.calls, late)
  const isKnown = Object.keys(statuses).every((response) => /^(200|503) /.test(response))
  return { calls, statuses, isRight: calls === 1 && isKnown && isDuplicate }
}

/** Sends copies one after another until one is a duplicate, because a completion may still be on its way to the store. */
async function untilDuplicate(
  send: () => Promise<Findings>,
): Promise<{ readonly isDuplicate: boolean; readonly late: number }> {
  let late = 0
  for (let pause = 10; pause < 10_000; pause *= 2) {
    const { calls, statuses } = await send()
    late += calls
    if (statuses['200 duplicate'] === 1) return { isDuplicate: true, late }
    await new Promise((wake) => setTimeout(wake, pause))
  }
  return { isDuplicate: false, late }
}

async function ask(server: TestHarness, name: string, share: Share): Promise<Findings> {
  const options = { method: 'POST', body: JSON.stringify(share) }
  const response = await server.getWorker(name).fetch('https://worker.example/', options)
  if (!response.ok) throw new Error(`${name} responded with ${response.status}: ${await response.text()}`)
  return (await response.json()) as Findings
}

function add(counts: readonly Findings['statuses'][]): Record<string, number> {
  const total: Record<string, number> = {}
  for (const each of counts) {
    for (const [response, count] of Object.entries(each)) total[response] = (total[response] ?? 0) + count
  }
  return total
}
