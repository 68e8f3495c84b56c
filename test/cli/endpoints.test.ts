/** `endpoints`, against the stand-in of the management API on loopback: what it does, what it warns of, and what it keeps to itself. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { runCli, runJson, temporaryFolder } from '../support/command-line.js'
import { type KeptWebhook, refuse, type StandIn, startGoValidApi } from '../support/govalid-api.js'

const API_KEY = 'gv_live_0123456789'
const SECRET = 'correct horse battery'
const ENV = { GOVALID_API_KEY: API_KEY, GOVALID_WEBHOOK_SECRET: SECRET }
const folder = temporaryFolder()

let api: StandIn
beforeEach(async () => {
  api = await startGoValidApi({ apiKey: API_KEY })
})
afterEach(() => api.close())

const endpoints = (args: readonly string[], env: Readonly<Record<string, string>> = ENV) =>
  runCli(['endpoints', ...args, '--base-url', api.baseUrl], { env, cwd: folder })

const CREATE = [
  'create',
  '--url',
  'https://example.com/webhooks/govalid',
  '--event',
  'qr.scanned',
  '--event',
  'qr.created',
]

/** An endpoint as it is kept on the other side. */
async function registered(changes: Partial<KeptWebhook> = {}): Promise<KeptWebhook> {
  await endpoints(CREATE)
  return Object.assign(api.webhooks.at(-1) as KeptWebhook, changes)
}

describe('endpoints', () => {
  it('create registers one, with the secret of the environment', async () => {
    const { code, stdout } = await endpoints([...CREATE, '--description', 'scans'])
    expect(code).toBe(0)
    expect(api.webhooks).toMatchObject([
      { url: 'https://example.com/webhooks/govalid', secret: SECRET, description: 'scans', active: true },
    ])
    expect(stdout).toContain(
      '✓ Registered.\n● wh-001  https://example.com/webhooks/govalid  active\n  events: qr.scanned, qr.created\n',
    )
  })

  it('create can register one disabled, with the secret of another variable', async () => {
    await endpoints([...CREATE, '--no-active', '--secret-env', 'NEW_SECRET'], { ...ENV, NEW_SECRET: 'another' })
    expect(api.webhooks).toMatchObject([{ active: false, secret: 'another' }])
  })

  it('list shows them, with their counts', async () => {
    await registered({ success_count: 150, failure_count: 2, last_triggered: '2025-01-29T15:00:00Z' })
    const { code, stdout } = await endpoints(['list'])
    expect(code).toBe(0)
    expect(stdout).toContain('● wh-001  https://example.com/webhooks/govalid  active\n')
    expect(stdout).toContain('150 taken, 2 failed, last 2025-01-29T15:00:00Z')
  })

  it('list says so where there is none', async () => {
    expect((await endpoints(['list'])).stdout).toContain('There is no webhook.')
  })

  it('update changes what is named, and nothing else', async () => {
    const kept = await registered()
    const args = ['update', 'wh-001', '--event', 'qr.expired', '--secret-env', 'NEW_SECRET']
    const { code } = await endpoints(args, { ...ENV, NEW_SECRET: 'another' })
    expect([code, kept.events, kept.secret, kept.url]).toEqual([
      0,
      ['qr.expired'],
      'another',
      'https://example.com/webhooks/govalid',
    ])
    expect(JSON.parse(api.requests.at(-1)?.body ?? '')).toEqual({ events: ['qr.expired'], secret: 'another' })
  })

  it('disable and enable do', async () => {
    const kept = await registered()
    expect((await endpoints(['disable', 'wh-001'])).stdout).toContain('✓ Disabled wh-001.')
    expect(kept.active).toBe(false)
    expect((await endpoints(['enable', 'wh-001'])).stdout).toContain('✓ Enabled wh-001.')
    expect(kept.active).toBe(true)
  })

  it('delete removes one when it is confirmed, and not without', async () => {
    await registered()
    const unconfirmed = await endpoints(['delete', 'wh-001'])
    expect([unconfirmed.code, api.webhooks.length]).toEqual([2, 1])
    expect(unconfirmed.stderr).toContain('add --yes')
    expect((await endpoints(['delete', 'wh-001', '--yes'])).stdout).toContain('✓ Removed wh-001.')
    expect(api.webhooks).toEqual([])
  })

  it('print JSON, the rate limit with it', async () => {
    await registered()
    const { json } = await runJson<{ endpoints: object[]; warnings: object[]; rateLimit: object }>(
      ['endpoints', 'list', '--base-url', api.baseUrl],
      { env: ENV },
    )
    expect(json).toMatchObject({
      endpoints: [{ id: 'wh-001' }],
      warnings: [],
      rateLimit: { limit: 100, remaining: 98 },
    })
  })
})

describe('a warning', () => {
  it('is given of a disabled endpoint, with the cure', async () => {
    await registered({ active: false })
    const { code, stdout } = await endpoints(['list'])
    expect(code).toBe(0)
    expect(stdout).toContain('○ wh-001')
    expect(stdout).toMatch(/! It is disabled.+govalid-webhooks endpoints enable wh-001/)
    expect((await endpoints(['list', '--check'])).code).toBe(1)
  })

  it('is given of failures that grow from one look to the next', async () => {
    const kept = await registered({ failure_count: 2 })
    const look = ['list', '--check', '--state', 'state.json']
    expect(await endpoints(look)).toMatchObject({ code: 0 })
    expect(await endpoints(look)).toMatchObject({ code: 0 })
    kept.failure_count = 5
    const { code, stdout } = await endpoints(look)
    expect(code).toBe(1)
    expect(stdout).toMatch(/! 3 more failed since \d{4}-.+, 5 in all/)
    expect(await endpoints(look)).toMatchObject({ code: 0 })
    expect(readFileSync(join(folder, 'state.json'), 'utf8')).not.toContain('https:')
  })

  it('is given of an event that this version does not know', async () => {
    await registered({ events: ['qr.scanned', 'qr.archived'] })
    expect((await endpoints(['list'])).stdout).toContain('! It is sent qr.archived, which this version does not know.')
  })

  it('is given where the subscribed events and the handlers differ', async () => {
    await registered({ events: ['qr.scanned', 'qr.created', 'payment.failed'] })
    const { consumer } = inject('packed')
    const file = join(consumer, 'handlers.mjs')
    writeFileSync(
      file,
      `import { createReceiver } from 'govalid-webhooks'
      export const createWebhookReceiver = (options) => createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET, ...options })
        .on(['qr.scanned', 'counterfeit.detected'], () => {})`,
    )
    const { code, stdout } = await endpoints(['list', '--check', '--handlers', file])
    expect(code).toBe(1)
    expect(stdout).toContain(
      '! It is sent qr.created, payment.failed, which no handler handles: answered 200 and ignored.',
    )
    expect(stdout).toContain('! It is not sent counterfeit.detected, which a handler waits for.')
  })

  it.each([
    ['that is no state', 'state', '{"a":1}', ['--state', 'wrong.json'], 'is not a file that --state has written'],
    ['without handlers', 'handlers', 'export const x = 1', ['--handlers', 'wrong.mjs'], 'createWebhookReceiver'],
    ['that throws', 'handlers', 'throw new Error("boom")', ['--handlers', 'wrong.mjs'], 'cannot be loaded: boom'],
    ['that makes no receiver', 'handlers', 'export default () => 1', ['--handlers', 'wrong.mjs'], 'gives no receiver'],
  ])('is none of a file %s', async (_, kind, text, args, message) => {
    writeFileSync(join(folder, kind === 'state' ? 'wrong.json' : 'wrong.mjs'), text)
    const { code, stderr } = await endpoints(['list', ...args])
    expect(code).toBe(2)
    expect(stderr).toContain(message)
    expect(api.requests).toEqual([])
  })
})

describe('what goes wrong', () => {
  it('at GoValid ends with 1, and says what', async () => {
    const { code, stderr } = await endpoints(['enable', 'wh-404'])
    expect(code).toBe(1)
    expect(stderr).toContain('404, NOT_FOUND: Not found. There is no such webhook')
  })

  it('with the key is told without it', async () => {
    const { code, stdout, stderr } = await endpoints(['list'], { GOVALID_API_KEY: 'gv_wrong' })
    expect(code).toBe(1)
    expect(stderr).toContain('401')
    expect(stdout + stderr).not.toContain('gv_wrong')
  })

  it('is told without the secret, even where the API sends it back', async () => {
    api.respondNext((response) => refuse(response, 400, 'INVALID', `secret ${SECRET} of ${API_KEY} is weak`))
    const { code, stdout, stderr } = await endpoints(CREATE)
    expect(code).toBe(1)
    expect(stderr).toContain('secret [redacted] of [redacted] is weak')
    expect(stdout + stderr).not.toMatch(/horse|gv_live/)
  })

  it('before anything is sent ends with 2', async () => {
    const { code, stderr } = await endpoints(['create', '--url', 'http://example.com/', '--event', 'qr.scanned'])
    expect(code).toBe(2)
    expect(stderr).toContain('https')
    expect(api.requests).toEqual([])
  })

  it('soon is told in time: few requests are left', async () => {
    api.respondNext((response) =>
      response.writeHead(200, { 'X-RateLimit-Remaining': '3', 'X-RateLimit-Reset': '60' }).end('[]'),
    )
    expect((await endpoints(['list'])).stderr).toMatch(/note: 3 requests to GoValid’s API are left until \d{4}-/)
  })

  it('is that nothing answers', async () => {
    const { code, stderr } = await runCli(['endpoints', 'list', '--base-url', 'http://127.0.0.1:59999/'], { env: ENV })
    expect([code, stderr]).toEqual([1, expect.stringContaining('cannot be reached (ECONNREFUSED)')])
  })

  it('on a terminal prints nothing a terminal would obey', async () => {
    await registered({ url: 'https://example.com/\u001b]0;owned\u0007', events: ['\u001b[2Jqr.scanned'] })
    const { stdout } = await endpoints(['list'])
    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  })
})

describe('the state', () => {
  it('is written only where it is asked for', async () => {
    await endpoints(['list'])
    expect(existsSync(join(folder, 'state.txt'))).toBe(false)
    await endpoints(['list', '--state', 'state.txt'])
    expect(existsSync(join(folder, 'state.txt'))).toBe(true)
  })
})
