/**
 * The unchanged Workers of the two pages about Cloudflare's stores, on the installed tarball: bundled by wrangler, run by workerd without
 * nodejs_compat, and called over HTTP.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createTestHarness, type TestHarness } from 'wrangler'
import { signDelivery } from '../../src/testing/sign-delivery.js'
import { codeBlocksOf, readPage } from '../docs/pages.js'

const { consumer } = inject('packed')
const secret = 'a secret of these tests'
// Miniflare would otherwise ask Cloudflare for this machine's location for `request.cf`, which these tests don't use.
process.env['CLOUDFLARE_CF_FETCH_ENABLED'] ??= 'false'

/** Writes a page's Worker and its configuration into the project with the tarball, and starts it. */
function startWorker(page: string): TestHarness {
  const folder = join(consumer, page.replaceAll('/', '-'))
  const blocks = codeBlocksOf(readPage(page))
  const first = (language: string) => blocks.find((block) => block.language === language)?.code ?? ''
  mkdirSync(folder)
  writeFileSync(join(folder, 'worker.ts'), first('ts'))
  writeFileSync(join(folder, 'wrangler.jsonc'), first('jsonc'))
  const worker = { configPath: join(folder, 'wrangler.jsonc'), secrets: { GOVALID_WEBHOOK_SECRET: secret } }
  return createTestHarness({ root: folder, workers: [worker] })
}

async function sign(qrId: string) {
  const data = { qr_id: qrId, scan_count: 1 }
  const payload = { event: 'qr.scanned', timestamp: new Date().toISOString(), webhook_id: 'wh-001', data }
  const { rawBody, headers } = await signDelivery(payload, { secret })
  return { method: 'POST', headers, body: rawBody }
}

describe.each(['docs/stores/d1.md', 'docs/stores/durable-object.md'])('the Worker of %s', (page) => {
  const server = startWorker(page)
  const send = async (delivery: Awaited<ReturnType<typeof sign>>) => {
    const response = await server.fetch('/webhooks/govalid', delivery)
    return { http: response.status, ...((await response.json()) as { status: string }) }
  }
  const database = async () => (await server.getWorker<{ DB?: D1Like }>().getEnv()).DB
  /** Counts the effects of the page's handler. */
  const countEffects = async (qrId: string) => {
    const db = await database()
    if (!db) return server.getLogs().filter(({ message }) => message.includes(qrId)).length
    return (await db.prepare('SELECT qr_id FROM scans WHERE qr_id = ?1').bind(qrId).all()).results.length
  }

  beforeAll(async () => {
    await server.listen()
    await (await database())?.prepare('CREATE TABLE scans (qr_id TEXT, scan_count INTEGER)').run()
  })
  afterAll(() => server.close())

  it('processes a delivery once and recognizes its copy', async () => {
    const delivery = await sign('once')
    expect(await send(delivery)).toEqual({ http: 200, status: 'processed' })
    expect(await send(delivery)).toEqual({ http: 200, status: 'duplicate' })
    expect(await countEffects('once')).toBe(1)
  })

  it('processes 100 concurrent copies once', async () => {
    const delivery = await sign('copies')
    const responses = await Promise.all(Array.from({ length: 100 }, () => send(delivery)))
    expect(responses.filter(({ http }) => http !== 200 && http !== 503)).toEqual([])
    expect(await send(delivery)).toMatchObject({ http: 200 })
    expect(await countEffects('copies')).toBe(1)
  })

  it('refuses a forged delivery', async () => {
    const headers = { 'x-govalid-signature': `sha256=${'0'.repeat(64)}` }
    expect(await send({ ...(await sign('forged')), headers })).toEqual({ http: 401, status: 'refused' })
    expect(await countEffects('forged')).toBe(0)
  })
})

/** The parts of a D1 database that these tests use. */
interface D1Like {
  prepare(query: string): D1LikeStatement
}
interface D1LikeStatement {
  bind(...values: unknown[]): D1LikeStatement
  run(): Promise<unknown>
  all(): Promise<{ results: unknown[] }>
}
