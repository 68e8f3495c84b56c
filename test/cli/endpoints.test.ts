/** The `endpoints` command against a fake management API on loopback: its requests, warnings and errors. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { temporaryFolder } from '../support/command-line.js'
import { type KeptWebhook, refuse, type StandIn, startGoValidApi } from '../support/govalid-api.js'
import { runCli, runJson } from '../support/run-cli.js'

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

/** Registers an endpoint, changes some of its fields in the fake API, and returns it. */
async function registered(changes: Partial<KeptWebhook> = {}): Promise<KeptWebhook> {
  await endpoints(CREATE)
  return Object.assign(api.webhooks.at(-1) as KeptWebhook, changes)
}

describe('endpoints', () => {
  it('create registers a webhook with the secret in the environment', async () => {
    const { code, stdout } = await endpoints([...CREATE, '--description', 'scans'])
    expect(code).toBe(0)
    expect(api.webhooks).toMatchObject([
      { url: 'https://example.com/webhooks/govalid', secret: SECRET, description: 'scans', active: true },
    ])
    expect(stdout).toContain(
      '✓ Registered.\n● wh-001  https://example.com/webhooks/govalid  active\n  events: qr.scanned, qr.created\n',
    )
  })

  it('create --no-active registers a disabled webhook, here with the secret in another variable', async () => {
    await endpoints([...CREATE, '--no-active', '--secret-env', 'NEW_SECRET'], { ...ENV, NEW_SECRET: 'another' })
    expect(api.webhooks).toMatchObject([{ active: false, secret: 'another' }])
  })

  it('list prints the webhooks with their counts', async () => {
    await registered({ success_count: 150, failure_count: 2, last_triggered: '2025-01-29T15:00:00Z' })
    const { code, stdout } = await endpoints(['list'])
    expect(code).toBe(0)
    expect(stdout).toContain('● wh-001  https://example.com/webhooks/govalid  active\n')
    expect(stdout).toContain('150 delivered, 2 failed, last 2025-01-29T15:00:00Z')
  })

  it('list says how to register the first webhook', async () => {
    expect((await endpoints(['list'])).stdout).toContain('No webhooks are registered.')
  })

  it('update changes only the given fields', async () => {
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

  it('disable and enable change the state of a webhook', async () => {
    const kept = await registered()
    expect((await endpoints(['disable', 'wh-001'])).stdout).toContain('✓ Disabled wh-001.')
    expect(kept.active).toBe(false)
    expect((await endpoints(['enable', 'wh-001'])).stdout).toContain('✓ Enabled wh-001.')
    expect(kept.active).toBe(true)
  })

  it('delete needs a confirmation', async () => {
    await registered()
    const unconfirmed = await endpoints(['delete', 'wh-001'])
    expect([unconfirmed.code, api.webhooks.length]).toEqual([2, 1])
    expect(unconfirmed.stderr).toContain('Add --yes to confirm')
    expect((await endpoints(['delete', 'wh-001', '--yes'])).stdout).toContain('✓ Deleted wh-001.')
    expect(api.webhooks).toEqual([])
  })

  it('list --json includes the rate limit', async () => {
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

  it('list notes how many requests are left if there are few', async () => {
    api.respondNext((response) =>
      response.writeHead(200, { 'X-RateLimit-Remaining': '3', 'X-RateLimit-Reset': '60' }).end('[]'),
    )
    expect((await endpoints(['list'])).stderr).toMatch(/note: Only 3 API requests are left until \d{4}-/)
  })

  it('list prints text from the API without control characters', async () => {
    await registered({ url: 'https://example.com/\u001b]0;owned\u0007', events: ['\u001b[2Jqr.scanned'] })
    const { stdout } = await endpoints(['list'])
    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  })
})

describe('a warning', () => {
  it('reports a disabled endpoint, with the fix', async () => {
    await registered({ active: false })
    const { code, stdout } = await endpoints(['list'])
    expect(code).toBe(0)
    expect(stdout).toContain('○ wh-001')
    expect(stdout).toMatch(/! This endpoint is disabled.+govalid-webhooks endpoints enable wh-001/)
    expect((await endpoints(['list', '--check'])).code).toBe(1)
  })

  it('reports new failures since the last run', async () => {
    const kept = await registered({ failure_count: 2 })
    const list = ['list', '--check', '--state', 'state.json']
    expect(await endpoints(list)).toMatchObject({ code: 0 })
    expect(await endpoints(list)).toMatchObject({ code: 0 })
    kept.failure_count = 5
    const { code, stdout } = await endpoints(list)
    expect(code).toBe(1)
    expect(stdout).toMatch(/! 3 more attempts failed since \d{4}-.+, 5 in total/)
    expect(await endpoints(list)).toMatchObject({ code: 0 })
    expect(readFileSync(join(folder, 'state.json'), 'utf8')).not.toContain('https:')
  })

  it('reports a subscribed event that this version does not know', async () => {
    await registered({ events: ['qr.scanned', 'qr.archived'] })
    expect((await endpoints(['list'])).stdout).toContain(
      '! Subscribed to qr.archived, which this version does not know.',
    )
  })

  it('reports differences between the subscribed events and the handlers', async () => {
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
    expect(stdout).toContain('! Subscribed to qr.created, payment.failed without a handler.')
    expect(stdout).toContain('! Not subscribed to counterfeit.detected, although a handler exists.')
  })

  it.each([
    ['that --state did not write', 'state', '{"a":1}', ['--state', 'wrong.json'], "wasn't written by --state"],
    ['without handlers', 'handlers', 'export const x = 1', ['--handlers', 'wrong.mjs'], 'createWebhookReceiver'],
    ['that throws', 'handlers', 'throw new Error("boom")', ['--handlers', 'wrong.mjs'], "Can't load wrong.mjs: boom"],
    ['that returns no receiver', 'handlers', 'export default () => 1', ['--handlers', 'wrong.mjs'], "doesn't return"],
  ])('is replaced by an error for a file %s', async (_, kind, text, args, message) => {
    writeFileSync(join(folder, kind === 'state' ? 'wrong.json' : 'wrong.mjs'), text)
    const { code, stderr } = await endpoints(['list', ...args])
    expect(code).toBe(2)
    expect(stderr).toContain(message)
    expect(api.requests).toEqual([])
  })
})

describe('an error', () => {
  it('of the API exits with 1 and is printed', async () => {
    const { code, stderr } = await endpoints(['enable', 'wh-404'])
    expect(code).toBe(1)
    expect(stderr).toContain('404, NOT_FOUND: Not found. This account has no webhook with this id.')
  })

  it('about the API key does not print the key', async () => {
    const { code, stdout, stderr } = await endpoints(['list'], { GOVALID_API_KEY: 'gv_wrong' })
    expect(code).toBe(1)
    expect(stderr).toContain('401')
    expect(stdout + stderr).not.toContain('gv_wrong')
  })

  it('does not print a secret or key that the API sends back', async () => {
    api.respondNext((response) => refuse(response, 400, 'INVALID', `secret ${SECRET} of ${API_KEY} is weak`))
    const { code, stdout, stderr } = await endpoints(CREATE)
    expect(code).toBe(1)
    expect(stderr).toContain('secret [redacted] of [redacted] is weak')
    expect(stdout + stderr).not.toMatch(/horse|gv_live/)
  })

  it('in the URL exits with 2 before any request is sent', async () => {
    const { code, stderr } = await endpoints(['create', '--url', 'http://example.com/', '--event', 'qr.scanned'])
    expect(code).toBe(2)
    expect(stderr).toContain('https')
    expect(api.requests).toEqual([])
  })

  it('of the connection exits with 1', async () => {
    const { code, stderr } = await runCli(['endpoints', 'list', '--base-url', 'http://127.0.0.1:59999/'], { env: ENV })
    expect([code, stderr]).toEqual([1, expect.stringContaining('cannot be reached (ECONNREFUSED)')])
  })
})

describe('a response that contains the secret or the API key', () => {
  const echo = {
    secret: SECRET,
    note: Buffer.from(`${SECRET} ${API_KEY}`).toString('base64'),
    config: { [encodeURIComponent(SECRET)]: API_KEY },
    description: Buffer.from(SECRET).toString('hex'),
  }
  const ENDPOINT = { id: 'wh-001', url: 'https://example.com/hook', events: [SECRET], active: true, ...echo }
  const FORMS = [SECRET, API_KEY, echo.note, echo.description, encodeURIComponent(SECRET)]

  it.each([
    ['create', CREATE, ENDPOINT],
    ['update', ['update', 'wh-001', '--secret-env', 'GOVALID_WEBHOOK_SECRET'], ENDPOINT],
    ['enable', ['enable', 'wh-001'], ENDPOINT],
    ['list', ['list'], { results: [ENDPOINT] }],
  ])('is printed without it by %s, as text and as JSON', async (_, args, body) => {
    for (const all of [args, [...args, '--json']]) {
      api.respondNext((response) => response.end(JSON.stringify(body)))
      const { code, stdout, stderr } = await endpoints(all)
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout).toContain('wh-001')
      for (const form of FORMS) expect(stdout).not.toContain(form)
    }
  })
})

describe('an endpoint that lacks a field in the response', () => {
  it('is listed with what is known about it, and with a warning', async () => {
    await registered()
    const rest = { id: 'wh-002', events: 'all', failure_count: 'many' }
    api.respondNext((response) => response.end(JSON.stringify([api.webhooks[0], rest])))
    const { code, stdout } = await endpoints(['list', '--check'])
    expect(code).toBe(1)
    expect(stdout).toContain('● wh-001  https://example.com/webhooks/govalid  active\n')
    expect(stdout).toContain('● wh-002  (no URL)  unknown state\n  events: (not in the response)\n')
    expect(stdout).toContain("! The API's response lacks url, events, active.")
  })
})

describe('the state file', () => {
  it('is written only with --state', async () => {
    await endpoints(['list'])
    expect(existsSync(join(folder, 'state.txt'))).toBe(false)
    await endpoints(['list', '--state', 'state.txt'])
    expect(existsSync(join(folder, 'state.txt'))).toBe(true)
  })
})
