/** The Cloudflare Workers example as a person runs it: wrangler bundles and serves it, and its secret comes from the environment. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestHarness } from 'wrangler'
import { AS_PRINTED, sentAt, timestamp } from '../../examples/demo/guide-payload.js'
import { send, sign } from '../../examples/demo/sender.js'

const EXAMPLES = join(import.meta.dirname, '../../examples')
const SECRET = 'your_webhook_secret'

describe('the Cloudflare Workers example', () => {
  const secrets = { GOVALID_WEBHOOK_SECRET: SECRET }
  const configPath = join(EXAMPLES, 'cloudflare-workers/wrangler.jsonc')
  const harness = createTestHarness({ workers: [{ configPath, secrets }] })
  let url: string
  beforeAll(async () => {
    url = new URL('/webhooks/govalid', (await harness.listen()).url).href
  })
  afterAll(() => harness.close())

  /** Returns the Worker's prints since the last call. */
  const printed = () => {
    const lines = harness.getLogs().map(({ message }) => message)
    harness.clearLogs()
    return lines
  }

  it('passes a signed delivery to its handler', async () => {
    expect((await send(url, await sign(sentAt(timestamp()), SECRET))).text).toBe('200 processed')
    expect(printed()).toEqual(['qr.scanned: Product Certificate #001, scan 15, Jakarta'])
  })

  it('passes the other known event to its handler', async () => {
    const time = timestamp()
    const event = { event: 'counterfeit.detected', timestamp: time, webhook_id: 'wh-001', data: { a: 1 } }
    expect((await send(url, await sign(JSON.stringify(event), SECRET))).text).toBe('200 processed')
    expect(printed()).toEqual([`counterfeit.detected at ${time}: {"a":1}`])
  })

  it('refuses a forged delivery', async () => {
    expect((await send(url, await sign(sentAt(timestamp()), 'a guess'))).text).toBe('401 refused')
    expect(printed()).toEqual([expect.stringContaining('signature_mismatch')])
  })

  it('serves the webhook only on its own path', async () => {
    expect((await send(new URL('/elsewhere', url).href, await sign(AS_PRINTED, SECRET))).text).toMatch(/^404 /)
  })

  it('has the same handlers as the other examples', () => {
    const read = (file: string) => readFileSync(join(EXAMPLES, file), 'utf8')
    const handlers = (source: string) =>
      /\.on\('qr\.scanned'[\s\S]+?\}\)\n\s*\.on[\s\S]+?\}\)/.exec(source)?.[0].replace(/^ +/gm, '')
    const ours = handlers(read('cloudflare-workers/worker.ts'))
    expect(ours).toContain('counterfeit.detected')
    expect(ours).toBe(handlers(read('express/server.ts')))
  })
})
