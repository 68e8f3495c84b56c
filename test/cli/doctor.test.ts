/** `doctor`: an endpoint that is right is healthy, and each thing that can be wrong with one is found by the check that is there for it. */
import { execFileSync } from 'node:child_process'
import type { IncomingMessage, RequestListener } from 'node:http'
import { createServer } from 'node:https'
import { describe, expect, it } from 'vitest'
import { toHandler } from '../../src/adapters/node.js'
import { createReceiver } from '../../src/index.js'
import { runCli, runJson, temporaryServers } from '../support/command-line.js'
import { ENDPOINT_SECRET, endpoint, type Faults, parsed } from '../support/hand-written-endpoint.js'

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

/** Names of the checks that came to a status. */
function named({ checks }: Report, status: string): readonly string[] {
  return checks.filter((check) => check.status === status).map(({ name }) => name)
}

async function examine(listener: RequestListener): Promise<Report & { code: number | null }> {
  const { code, json } = await runJson<Report>(['doctor', await start(listener)], { env: ENV })
  return { code, ...json }
}

describe('an endpoint that is right', () => {
  it('is healthy when it is made with this package', async () => {
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

  it('is healthy when it is written by hand', async () => {
    const report = await examine(endpoint())
    expect([named(report, 'fail'), named(report, 'warn'), report.code]).toEqual([[], [], 0])
  })
})

/** What is wrong, how it is planted, and the beginnings of the names of exactly the checks that find it. */
interface Faulty {
  readonly what: string
  readonly faults: Faults
  readonly failing: readonly string[]
  /** Whether it is a remark only. */
  readonly isRemark?: true
}

const UNSIGNED = ['Without a signature', 'No body and no signature']
const FORGED = ['Forged, signed with another', 'Forged, signed with an empty', 'Tampered', 'A signature inside']
const MALFORMED = 'A malformed signature'
const isJson = (body: Buffer) => body[0] === 0x7b
const isOld = (body: Buffer) => isJson(body) && Date.now() - Date.parse(parsed(body).timestamp) > 300_000

const faulty: readonly Faulty[] = [
  { what: 'takes everything', faults: { isRight: () => true }, failing: [...UNSIGNED, ...FORGED, MALFORMED] },
  {
    what: 'takes what has any signature',
    faults: { isRight: (header) => header !== undefined },
    failing: [...FORGED, MALFORMED],
  },
  {
    what: 'compares only the beginning of the signature',
    faults: { isRight: (header = '', expected) => expected.startsWith(header) && header !== '' },
    failing: [MALFORMED],
  },
  {
    what: 'believes the signature inside the body',
    faults: {
      isRight: (header, expected, payload) =>
        header === expected || (header !== undefined && payload().signature === header),
    },
    failing: ['A signature inside'],
  },
  {
    what: 'falls over a malformed signature',
    faults: { refusal: (header = '') => ({ status: /^sha256=[0-9a-f]{64}$/.test(header) ? 401 : 500 }) },
    failing: [...UNSIGNED, MALFORMED],
  },
  {
    what: 'says why it refuses',
    faults: { refusal: (header) => ({ status: 401, body: header === undefined ? 'no header' : 'wrong signature' }) },
    failing: ['Refusals do not say why'],
    isRemark: true,
  },
  {
    what: 'prints the body again before it verifies',
    faults: { signed: (body) => JSON.stringify(parsed(body)) },
    failing: ['JSON printed otherwise', 'A byte order mark', 'Signed, but no JSON', 'Signed, but empty', 'No body and'],
  },
  {
    what: 'decodes the body as ASCII before it verifies',
    faults: { signed: (body) => body.toString('ascii') },
    failing: ['Letters beyond ASCII', 'A byte order mark'],
  },
  {
    what: 'wants one content type',
    faults: { status: ({ headers }) => (headers['content-type'] === 'application/json' ? 200 : 415) },
    failing: ['The content type'],
  },
  { what: 'answers 201', faults: { status: () => 201 }, failing: ['A signed event'] },
  { what: 'sends elsewhere', faults: { status: () => 301 }, failing: ['A signed event'] },
  {
    what: 'answers 404 to an event it does not know',
    faults: { status: (_, body) => (parsed(body).event === 'qr.scanned' ? 200 : 404) },
    failing: ['A signed event'],
  },
  {
    what: 'has a small limit',
    faults: { status: (_, body) => (body.length > 100 * 1024 ? 413 : 200) },
    failing: ['A body of 512 KiB'],
  },
  {
    what: 'tolerates five minutes',
    faults: { status: (_, body) => (isOld(body) ? 400 : 200) },
    failing: ['A retry: a timestamp 81 minutes old'],
  },
  {
    what: 'needs data',
    faults: { status: (_, body) => (isJson(body) && parsed(body).data === undefined ? 500 : 200) },
    failing: ['An event without data'],
  },
  {
    what: 'needs data to be an object',
    faults: { status: (_, body) => (isJson(body) && Array.isArray(parsed(body).data) ? 422 : 200) },
    failing: ['An event with members nobody documented'],
  },
  {
    what: 'falls over what is no JSON',
    faults: { status: (_, body) => (body.toString().startsWith('no JSON') ? 500 : 200) },
    failing: ['Signed, but no JSON'],
  },
  {
    what: 'falls over what is empty',
    faults: { status: (_, body) => (body.length === 0 ? 500 : 200) },
    failing: ['Signed, but empty'],
  },
  { what: 'has an empty secret', faults: { secret: '' }, failing: ['A signed event', 'Forged, signed with an empty'] },
  { what: 'answers a GET with 200', faults: { method: 200 }, failing: ['Other methods than POST'], isRemark: true },
  {
    what: 'answers with what was sent',
    faults: { answer: (body) => body.toString() },
    failing: ['Answers hold nothing'],
    isRemark: true,
  },
]

describe('an endpoint is not healthy when it', () => {
  it.each(faulty)('$what', async ({ faults, failing, isRemark = false }) => {
    const report = await examine(endpoint(faults))
    expect(report.code).toBe(isRemark ? 0 : 1)
    const found = named(report, isRemark ? 'warn' : 'fail')
    expect(failing.filter((name) => !found.some((each) => each.startsWith(name)))).toEqual([])
    expect(found.filter((name) => !failing.some((each) => name.startsWith(each)))).toEqual([])
    const departures = report.checks.filter(({ status }) => status === 'fail' || status === 'warn')
    for (const { fix } of departures) expect(fix).toMatch(/\.$/)
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
      'A duplicate is answered 200',
      '5 copies at once: 200, or 503 until one is done',
    ])
  })

  it('falls over copies at once', async () => {
    const working = new Set<string>()
    const status = async (_: IncomingMessage, __: Buffer, key: string) => {
      if (working.has(key)) return 500
      working.add(key)
      await new Promise((resolve) => setTimeout(resolve, 100))
      working.delete(key)
      return 200
    }
    const report = await examine(endpoint({ status }))
    expect(named(report, 'fail')).toEqual(['5 copies at once: 200, or 503 until one is done'])
  })

  it('answers copies at once with 503 alone', async () => {
    let [atOnce, refusing] = [0, false]
    const status = async () => {
      atOnce++
      await new Promise((resolve) => setTimeout(resolve, 50))
      refusing ||= atOnce > 1
      atOnce--
      return refusing ? 503 : 200
    }
    expect(named(await examine(endpoint({ status })), 'fail')).toContain(
      '5 copies at once: 200, or 503 until one is done',
    )
  })

  it('does not answer in time', async () => {
    const report = await examine((request) => void request.resume())
    expect(report.checks.map(({ name, status, found }) => [name, status, found])).toEqual([
      ['The address is https', 'pass', 'http on this machine; GoValid itself takes https addresses only'],
      ['A signed event is answered 200 within 5 s, without a redirect', 'fail', 'no answer within 5 s'],
    ])
  })

  it('answers slowly, which is a remark', async () => {
    let first = true
    const status = async () => {
      if (first) await new Promise((resolve) => setTimeout(resolve, 2700))
      first = false
      return 200
    }
    const report = await examine(endpoint({ status }))
    expect([named(report, 'warn'), report.code]).toEqual([
      ['A signed event is answered 200 within 5 s, without a redirect'],
      0,
    ])
  })
})

describe('the address', () => {
  it('has to be https beyond this machine', async () => {
    const { json } = await runJson<Report>(['doctor', 'http://192.0.2.1.invalid/'], { env: ENV })
    expect(json.checks[0]).toMatchObject({ status: 'fail', found: 'http' })
  })

  it('of a certificate nobody trusts is told', async () => {
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
  it('are not sent unasked, and with nobody to ask not without --yes', async () => {
    const url = await start(endpoint())
    const { code, stdout, stderr } = await runCli(['doctor', url, '--event', 'qr.scanned'], { env: ENV })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(`made-up events (qr.scanned) to ${url}`)
    expect(stderr).toContain('--yes')
  })

  it('are sent with it', async () => {
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
    expect(named(json, 'fail')).toEqual(['payment.failed is answered 200 within 5 s'])
  })
})

describe('the report', () => {
  it('has a line for each check, a cure where one fails, and a verdict', async () => {
    const { code, stdout } = await runCli(['doctor', await start(endpoint({ method: 200 }))], { env: ENV })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^Examining http:.+\n\n✓ The address is https {2}.+\n/)
    expect(stdout).toMatch(/\n! Other methods than POST are not answered 200 {2}200 in \d+ ms\n {4}Answer 405/)
    expect(stdout).toMatch(/\nVerdict: healthy\. 24 checks passed, 1 of them with a remark\.\n$/)
  })

  it('says what could not be looked at where the secret is another', async () => {
    const { code, stdout } = await runCli(['doctor', await start(endpoint())], {
      env: { GOVALID_WEBHOOK_SECRET: 'another' },
    })
    expect(code).toBe(1)
    expect(stdout).toMatch(/✗ A signed event .+401.+\n {4}Either the secret here is not the endpoint’s/)
    expect(stdout).toMatch(/Verdict: not healthy\. 1 of 24 checks failed, 12 could not be looked at\.\n$/)
    expect(stdout).not.toContain('another\n')
  })
})
