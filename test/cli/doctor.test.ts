/** The `doctor` command: a correct endpoint is healthy, and every fault is found by its check. */
import { execFileSync } from 'node:child_process'
import type { IncomingMessage, RequestListener } from 'node:http'
import { createServer } from 'node:https'
import { describe, expect, it } from 'vitest'
import { toHandler } from '../../src/adapters/node.js'
import { createReceiver } from '../../src/index.js'
import { temporaryServers } from '../support/command-line.js'
import { ENDPOINT_SECRET, endpoint, type Faults, parsed } from '../support/hand-written-endpoint.js'
import { runCli, runJson } from '../support/run-cli.js'

const ENV = { GOVALID_WEBHOOK_SECRET: ENDPOINT_SECRET }
const start = temporaryServers()

interface Report {
  readonly healthy: boolean
  readonly checks: readonly {
    readonly name: string
    readonly status: string
    readonly found: string
    readonly fix?: string
  }[]
}

/** Returns the names of the checks with a status. */
function named({ checks }: Report, status: string): readonly string[] {
  return checks.filter((check) => check.status === status).map(({ name }) => name)
}

async function examine(listener: RequestListener): Promise<Report & { code: number | null }> {
  const { code, json } = await runJson<Report>(['doctor', await start(listener)], { env: ENV })
  return { code, ...json }
}

describe('a correct endpoint', () => {
  it('is healthy if it uses this package', async () => {
    const reported: string[] = []
    const receiver = createReceiver({ secret: ENDPOINT_SECRET, onError: ({ code }) => void reported.push(code) }).on(
      '*',
      () => {
        reported.push('handled')
      },
    )
    const report = await examine(toHandler(receiver))
    expect(named(report, 'fail')).toEqual([])
    expect([report.code, report.healthy, named(report, 'pass').length]).toEqual([0, true, report.checks.length])
    expect(report.checks.length).toBeGreaterThanOrEqual(24)
    expect(reported).not.toContain('handled')
  })

  it('is healthy if it is written by hand', async () => {
    const report = await examine(endpoint())
    expect([named(report, 'fail'), named(report, 'warn'), report.code]).toEqual([[], [], 0])
  })
})

/** A faulty endpoint. */
interface Faulty {
  /** The fault, as the end of a sentence that starts with "an endpoint is not healthy when it". */
  readonly fault: string
  readonly faults: Faults
  /** The beginnings of the names of the checks that find the fault. All other checks pass. */
  readonly failing: readonly string[]
  /** Whether the checks only warn. */
  readonly isWarning?: true
}

const UNSIGNED = ['An unsigned event', 'An empty unsigned request']
const SIGNED_WRONGLY = [
  'An event signed with another secret',
  'An event signed with an empty secret',
  'An event changed after signing',
  'A signature that matches only',
]
const MALFORMED = 'A malformed signature'
const isJson = (body: Buffer) => body[0] === 0x7b
const isOld = (body: Buffer) => isJson(body) && Date.now() - Date.parse(parsed(body).timestamp) > 300_000

const faulty: readonly Faulty[] = [
  {
    fault: 'accepts everything',
    faults: { isRight: () => true },
    failing: [...UNSIGNED, ...SIGNED_WRONGLY, MALFORMED],
  },
  {
    fault: 'accepts any signature',
    faults: { isRight: (header) => header !== undefined },
    failing: [...SIGNED_WRONGLY, MALFORMED],
  },
  {
    fault: 'compares only the start of the signature',
    faults: { isRight: (header = '', expected) => expected.startsWith(header) && header !== '' },
    failing: [MALFORMED],
  },
  {
    fault: 'trusts the signature in the body',
    faults: {
      isRight: (header, expected, payload) =>
        header === expected || (header !== undefined && payload().signature === header),
    },
    failing: ['A signature that matches only'],
  },
  {
    fault: 'throws on a malformed signature',
    faults: { refusal: (header = '') => ({ status: /^sha256=[0-9a-f]{64}$/.test(header) ? 401 : 500 }) },
    failing: [...UNSIGNED, MALFORMED],
  },
  {
    fault: 'gives a reason for a refusal',
    faults: { refusal: (header) => ({ status: 401, body: header === undefined ? 'no header' : 'wrong signature' }) },
    failing: ['Refusals do not give a reason'],
    isWarning: true,
  },
  {
    fault: 'serializes the body again before it verifies',
    faults: { signed: (body) => JSON.stringify(parsed(body)) },
    failing: [
      'JSON in another format',
      'A body with a byte order mark',
      'A signed body that is not JSON',
      'A signed empty body',
      'An empty unsigned request',
    ],
  },
  {
    fault: 'decodes the body as ASCII before it verifies',
    faults: { signed: (body) => body.toString('ascii') },
    failing: ['Non-ASCII text', 'A body with a byte order mark'],
  },
  {
    fault: 'accepts only one content type',
    faults: { status: ({ headers }) => (headers['content-type'] === 'application/json' ? 200 : 415) },
    failing: ['Every content type'],
  },
  { fault: 'responds with 201', faults: { status: () => 201 }, failing: ['A signed event'] },
  { fault: 'redirects', faults: { status: () => 301 }, failing: ['A signed event'] },
  {
    fault: 'responds with 404 to an unknown event',
    faults: { status: (_, body) => (parsed(body).event === 'qr.scanned' ? 200 : 404) },
    failing: ['A signed event'],
  },
  {
    fault: 'has a small body limit',
    faults: { status: (_, body) => (body.length > 100 * 1024 ? 413 : 200) },
    failing: ['A body of 512 KiB'],
  },
  {
    fault: 'tolerates only five minutes of age',
    faults: { status: (_, body) => (isOld(body) ? 400 : 200) },
    failing: ['A retry with a timestamp 81 minutes old'],
  },
  {
    fault: 'requires data',
    faults: { status: (_, body) => (isJson(body) && parsed(body).data === undefined ? 500 : 200) },
    failing: ['An event without data'],
  },
  {
    fault: 'requires data to be an object',
    faults: { status: (_, body) => (isJson(body) && Array.isArray(parsed(body).data) ? 422 : 200) },
    failing: ['An event with undocumented fields'],
  },
  {
    fault: 'throws on a body that is not JSON',
    faults: { status: (_, body) => (body.toString().startsWith('not JSON') ? 500 : 200) },
    failing: ['A signed body that is not JSON'],
  },
  {
    fault: 'throws on an empty body',
    faults: { status: (_, body) => (body.length === 0 ? 500 : 200) },
    failing: ['A signed empty body'],
  },
  {
    fault: 'has an empty secret',
    faults: { secret: '' },
    failing: ['A signed event', 'An event signed with an empty secret'],
  },
  {
    fault: 'responds with 200 to a GET',
    faults: { method: 200 },
    failing: ['Methods other than POST'],
    isWarning: true,
  },
  {
    fault: 'repeats the request in the response',
    faults: { responseText: (body) => body.toString() },
    failing: ['Responses do not repeat'],
    isWarning: true,
  },
]

describe('an endpoint is not healthy when it', () => {
  it.each(faulty)('$fault', async ({ faults, failing, isWarning = false }) => {
    const report = await examine(endpoint(faults))
    expect(report.code).toBe(isWarning ? 0 : 1)
    const found = named(report, isWarning ? 'warn' : 'fail')
    expect(failing.filter((name) => !found.some((each) => each.startsWith(name)))).toEqual([])
    expect(found.filter((name) => !failing.some((each) => name.startsWith(each)))).toEqual([])
    const problems = report.checks.filter(({ status }) => status === 'fail' || status === 'warn')
    for (const { fix } of problems) expect(fix).toMatch(/\.$/)
  })

  it('refuses a duplicate', async () => {
    const seen = new Set<string>()
    const status = (_: IncomingMessage, __: Buffer, key: string) => {
      if (seen.has(key)) return 409
      seen.add(key)
      return 200
    }
    const report = await examine(endpoint({ status }))
    expect(named(report, 'fail')).toEqual([
      'A duplicate gets 200',
      '5 simultaneous copies get 200, or 503 until one is processed',
    ])
  })

  it('throws on simultaneous copies', async () => {
    const processing = new Set<string>()
    const status = async (_: IncomingMessage, __: Buffer, key: string) => {
      if (processing.has(key)) return 500
      processing.add(key)
      await new Promise((resolve) => setTimeout(resolve, 100))
      processing.delete(key)
      return 200
    }
    const report = await examine(endpoint({ status }))
    expect(named(report, 'fail')).toEqual(['5 simultaneous copies get 200, or 503 until one is processed'])
  })

  it('responds with 503 to every simultaneous copy', async () => {
    let [inFlight, isBusy] = [0, false]
    const status = async () => {
      inFlight++
      await new Promise((resolve) => setTimeout(resolve, 50))
      isBusy ||= inFlight > 1
      inFlight--
      return isBusy ? 503 : 200
    }
    expect(named(await examine(endpoint({ status })), 'fail')).toContain(
      '5 simultaneous copies get 200, or 503 until one is processed',
    )
  })

  it('does not respond in time', async () => {
    const report = await examine((request) => void request.resume())
    expect(report.checks.map(({ name, status, found }) => [name, status, found])).toEqual([
      ['The URL uses https', 'pass', 'http on this machine; GoValid itself accepts only https URLs'],
      ['A signed event gets 200 within 5 s, without a redirect', 'fail', 'no response within 5 s'],
    ])
  })

  it('responds slowly, which is only a warning', async () => {
    let first = true
    const status = async () => {
      if (first) await new Promise((resolve) => setTimeout(resolve, 2700))
      first = false
      return 200
    }
    const report = await examine(endpoint({ status }))
    expect([named(report, 'warn'), report.code]).toEqual([
      ['A signed event gets 200 within 5 s, without a redirect'],
      0,
    ])
  })
})

describe('the URL', () => {
  it('must use https, except on this machine', async () => {
    const { json } = await runJson<Report>(['doctor', 'http://192.0.2.1.invalid/'], { env: ENV })
    expect(json.checks[0]).toMatchObject({ status: 'fail', found: 'http' })
  })

  it('must have a trusted certificate', async () => {
    const pem = execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
        ...['-subj', '/CN=localhost', '-keyout', '-', '-out', '-'],
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    ).toString()
    const server = createServer({ key: pem, cert: pem }, endpoint())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const { json } = await runJson<Report>(['doctor', `https://localhost:${port}/`], { env: ENV })
    server.close()
    expect(json.checks[1]).toMatchObject({ status: 'fail', fix: expect.stringContaining('certificate') })
  })
})

describe('known events', () => {
  it('are not sent without a confirmation or --yes', async () => {
    const url = await start(endpoint())
    const { code, stdout, stderr } = await runCli(['doctor', url, '--event', 'qr.scanned'], { env: ENV })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(`test events (qr.scanned) to ${url}`)
    expect(stderr).toContain('--yes')
  })

  it('are sent with --yes', async () => {
    const handled: string[] = []
    const receiver = createReceiver({ secret: ENDPOINT_SECRET, onError: () => {} })
      .on('*', ({ event }) => void handled.push(event))
      .on('payment.failed', () => {
        throw new Error('no')
      })
    const args = [
      'doctor',
      await start(toHandler(receiver)),
      '--event',
      'qr.scanned',
      '--event',
      'payment.failed',
      '--yes',
    ]
    const { code, json } = await runJson<Report>(args, { env: ENV })
    expect([code, handled]).toEqual([1, ['qr.scanned', 'payment.failed']])
    expect(named(json, 'fail')).toEqual(['payment.failed gets 200 within 5 s'])
  })
})

describe('the output', () => {
  it('has a line for each check, a fix for each problem, and a verdict', async () => {
    const { code, stdout } = await runCli(['doctor', await start(endpoint({ method: 200 }))], { env: ENV })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^Examining http:.+\n\n✓ The URL uses https {2}.+\n/)
    expect(stdout).toMatch(/\n! Methods other than POST do not get 200 {2}200 in \d+ ms\n {4}Respond with 405/)
    expect(stdout).toMatch(/\nHealthy: 24 checks passed, 1 with a warning\.\n$/)
  })

  it('counts the skipped checks if the secret is wrong', async () => {
    const { code, stdout } = await runCli(['doctor', await start(endpoint())], {
      env: { GOVALID_WEBHOOK_SECRET: 'another' },
    })
    expect(code).toBe(1)
    expect(stdout).toMatch(/✗ A signed event .+401.+\n {4}The secret here differs from the endpoint's secret/)
    expect(stdout).toMatch(/Not healthy: 1 of 24 checks failed, 12 skipped\.\n$/)
    expect(stdout).not.toContain('another\n')
  })
})
