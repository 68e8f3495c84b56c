/** The `send` command against real servers: its requests, output and exit codes. */
import { createHmac } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { toHandler } from '../../src/adapters/node.js'
import { createReceiver, EVENT_TYPES } from '../../src/index.js'
import { temporaryFolder, temporaryServers } from '../support/command-line.js'
import { runCli, runJson } from '../support/run-cli.js'

const SECRET = 'your_webhook_secret'
const ENV = { GOVALID_WEBHOOK_SECRET: SECRET }
const start = temporaryServers()

/** A receiver of this package that handles every event and fails on payment.failed. */
function receiving(): { listener: RequestListener; handled: string[] } {
  const handled: string[] = []
  const receiver = createReceiver({ secret: SECRET, onError: () => {} })
    .on('*', (event) => {
      handled.push(event.event)
    })
    .on('payment.failed', () => {
      throw new Error('the ledger is locked')
    })
  return { listener: toHandler(receiver), handled }
}

/** A server that records every request and responds with the given statuses, then with 200. */
function recording(statuses: readonly number[] = []): {
  listener: RequestListener
  got: { body: Buffer; headers: IncomingMessage['headers'] }[]
} {
  const got: { body: Buffer; headers: IncomingMessage['headers'] }[] = []
  return {
    got,
    async listener(request, response) {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      got.push({ body: Buffer.concat(chunks), headers: request.headers })
      response.writeHead(statuses[got.length - 1] ?? 200).end()
    },
  }
}

interface SendResult {
  readonly deliveries: readonly {
    readonly event: string
    readonly note?: string
    readonly status: number | null
    readonly outcome: string | null
    readonly tookMs: number
    readonly countsAsFailure: boolean
    readonly asExpected: boolean
  }[]
}

describe('an event', () => {
  it('reaches its handler and prints the response', async () => {
    const { listener, handled } = receiving()
    const { code, stdout, stderr } = await runCli(['send', 'qr.scanned', '--to', await start(listener)], { env: ENV })
    expect([code, stderr, handled]).toEqual([0, '', ['qr.scanned']])
    expect(stdout).toMatch(/^✓ 200 processed +[\d.]+ ms {2}qr\.scanned\n$/)
  })

  it('is signed over the sent bytes, as GoValid signs it', async () => {
    const { listener, got } = recording()
    await runCli(['send', 'qr.created', '--to', await start(listener)], { env: ENV })
    const { body, headers } = got[0]!
    expect(headers['x-govalid-signature']).toBe(`sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`)
    expect(headers['content-type']).toBe('application/json')
  })

  it('is signed with the secret in the variable that --secret-env names', async () => {
    const { listener } = receiving()
    const { code } = await runCli(['send', 'qr.scanned', '--to', await start(listener), '--secret-env', 'OTHER'], {
      env: { OTHER: SECRET, GOVALID_WEBHOOK_SECRET: 'wrong' },
    })
    expect(code).toBe(0)
  })

  it('contains the fields of --data', async () => {
    const { listener, got } = recording()
    const data = '{"qr_id":"mine","scan_location":{"city":"Bandung"}}'
    await runCli(['send', 'qr.scanned', '--data', data, '--to', await start(listener)], { env: ENV })
    expect(JSON.parse(got[0]!.body.toString()).data).toMatchObject({
      qr_id: 'mine',
      scan_location: { country: 'ID', city: 'Bandung' },
      scan_count: 15,
    })
  })

  it('whose handler fails exits with 1 and counts as a failure', async () => {
    const { code, stdout } = await runCli(['send', 'payment.failed', '--to', await start(receiving().listener)], {
      env: ENV,
    })
    expect(code).toBe(1)
    expect(stdout).toMatch(/^✗ 500 failed .+payment\.failed\n +GoValid counts this as a failure/)
  })

  it.each([
    [404, '', 'Nothing is mounted at this path.'],
    [403, 'Forbidden', 'CSRF protection'],
    [503, '{"status":"unfinished"}', 'Use an inbox for long handlers.'],
    [500, '{"status":"refused","code":"body_already_parsed"}', 'Run: npx govalid-webhooks explain body_already_parsed'],
  ])('that gets %i %s names the fix', async (status, body, fix) => {
    const to = await start(
      (request, response) => void request.resume().on('end', () => response.writeHead(status).end(body)),
    )
    const { code, stdout } = await runCli(['send', 'qr.scanned', '--to', to], { env: ENV })
    expect([code, stdout.split('\n').at(-2)]).toEqual([1, expect.stringMatching(/^ {2}Fix: /)])
    expect(stdout).toContain(fix)
  })
})

describe('--all', () => {
  it('sends every event and prints a summary', async () => {
    const { listener, handled } = receiving()
    const { code, stdout } = await runCli(['send', '--all', '--to', await start(listener)], { env: ENV })
    expect([code, handled]).toEqual([1, EVENT_TYPES])
    expect(stdout).toContain('12 sent: 11 × 200 processed, 1 × 500 failed.')
    expect(stdout).toContain('1 not as expected.')
  })

  it('prints one JSON document with --json', async () => {
    const { code, json } = await runJson<SendResult>(['send', '--all', '--to', await start(receiving().listener)], {
      env: ENV,
    })
    expect([code, json.deliveries.map(({ event }) => event)]).toEqual([1, EVENT_TYPES])
    expect(json.deliveries[0]).toMatchObject({
      status: 200,
      outcome: 'processed',
      countsAsFailure: false,
      asExpected: true,
    })
    expect(json.deliveries[8]).toMatchObject({
      status: 500,
      outcome: 'failed',
      countsAsFailure: true,
      asExpected: false,
    })
  })
})

describe('--count', () => {
  it('sends deliveries with different bytes', async () => {
    const { listener, got } = recording()
    for (const type of [
      'qr.scanned',
      'subscription.created',
      'payment.completed',
      'credit.topup',
      'institution.staff.invited',
    ]) {
      await runCli(['send', type, '--count', '5', '--to', await start(listener)], { env: ENV })
    }
    expect(new Set(got.map(({ body }) => body.toString())).size).toBe(25)
  })

  it('sends at the rate of --rate and prints only a summary', async () => {
    const { listener, handled } = receiving()
    const startedAt = performance.now()
    const args = ['send', 'qr.scanned', '--count', '100', '--rate', '200', '--to', await start(listener)]
    const { code, stdout } = await runCli(args, { env: ENV })
    expect([code, handled.length]).toEqual([0, 100])
    expect(performance.now() - startedAt).toBeGreaterThan(490)
    expect(stdout.trim().split('\n')).toHaveLength(2)
    expect(stdout).toMatch(/100 sent: 100 × 200 processed\. Median [\d.]+ ms, 99 % within [\d.]+ ms/)
  })
})

describe('a file', () => {
  const folder = temporaryFolder()
  const bytes = Buffer.from('\uFEFF{"event": "qr.scanned",\r\n "data":{"n":10.0}}\n')
  writeFileSync(join(folder, 'captured.json'), bytes)

  it('is sent byte for byte', async () => {
    const { listener, got } = recording()
    const { code } = await runCli(['send', 'captured.json', '--to', await start(listener)], { env: ENV, cwd: folder })
    expect([code, got[0]?.body]).toEqual([0, bytes])
  })

  it('can come from standard input', async () => {
    const { listener, got } = recording()
    await runCli(['send', '-', '--to', await start(listener)], { env: ENV, input: bytes })
    expect(got[0]?.body).toEqual(bytes)
  })

  it('does not accept --count or --data', async () => {
    for (const more of [
      ['--count', '2'],
      ['--data', '{}'],
    ]) {
      const { code } = await runCli(['send', 'captured.json', ...more, '--to', 'http://127.0.0.1:9/'], {
        env: ENV,
        cwd: folder,
      })
      expect(code).toBe(2)
    }
  })
})

describe('--tamper', () => {
  it('exits with 0 if the endpoint refuses the tampered deliveries', async () => {
    const { listener, handled } = receiving()
    const { code, stdout } = await runCli(['send', '--all', '--tamper', '--to', await start(listener)], { env: ENV })
    expect([code, handled]).toEqual([0, []])
    expect(stdout).toContain('12 × 401 refused')
  })

  it('exits with 1 if the endpoint accepts a tampered delivery', async () => {
    const { code, stdout } = await runCli(
      ['send', 'qr.scanned', '--tamper', '--to', await start(recording().listener)],
      {
        env: ENV,
      },
    )
    expect(code).toBe(1)
    expect(stdout).toContain('the endpoint accepted a tampered delivery')
  })

  it('exits with 1 if a tampered delivery makes the endpoint fail', async () => {
    const { code } = await runCli(['send', 'qr.scanned', '--tamper', '--to', await start(recording([500]).listener)], {
      env: ENV,
    })
    expect(code).toBe(1)
  })

  it('changes the bytes of the body after signing', async () => {
    const { listener, got } = recording([401])
    await runCli(['send', 'qr.scanned', '--tamper', '--to', await start(listener)], { env: ENV })
    const { body, headers } = got[0]!
    expect(headers['x-govalid-signature']).not.toBe(`sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`)
    expect(() => JSON.parse(body.toString())).toThrow()
  })
})

describe('--duplicate', () => {
  it('sends the same bytes twice, and the receiver handles them once', async () => {
    const { listener, handled } = receiving()
    const args = ['send', 'qr.scanned', '--duplicate', '--to', await start(listener)]
    const { code, json } = await runJson<SendResult>(args, { env: ENV })
    expect([code, handled]).toEqual([0, ['qr.scanned']])
    expect(json.deliveries.map(({ outcome, note }) => [outcome, note])).toEqual([
      ['processed', undefined],
      ['duplicate', 'sent again'],
    ])
  })

  it('exits with 1 if the duplicate does not get 200', async () => {
    const { code } = await runCli(
      ['send', 'qr.scanned', '--duplicate', '--to', await start(recording([200, 409]).listener)],
      { env: ENV },
    )
    expect(code).toBe(1)
  })
})

describe('--unknown', () => {
  it('sends an event under any name', async () => {
    const { listener, got } = recording()
    const url = await start(listener)
    await runCli(['send', '--unknown', '--to', url], { env: ENV })
    await runCli(['send', 'qr.archived', '--unknown', '--to', url], { env: ENV })
    expect(got.map(({ body }) => JSON.parse(body.toString()).event)).toEqual([
      'govalid-webhooks.unknown',
      'qr.archived',
    ])
  })
})

describe('a failed response', () => {
  it.each([
    [201, 'GoValid expects exactly 200'],
    [204, 'GoValid expects exactly 200'],
    [302, 'GoValid does not follow redirects'],
    [404, 'only 200 is a success'],
  ])('is %i, because %s', async (status, reason) => {
    const { code, stdout } = await runCli(['send', 'qr.scanned', '--to', await start(recording([status]).listener)], {
      env: ENV,
    })
    expect(code).toBe(1)
    expect(stdout).toContain(reason)
  })

  it('is a response that takes longer than 5 s', async () => {
    const url = await start(() => {})
    const { code, json } = await runJson<SendResult>(['send', 'qr.scanned', '--to', url], { env: ENV })
    expect(code).toBe(1)
    expect(json.deliveries[0]).toMatchObject({ status: null, reason: 'no response within 5 s' })
    expect(json.deliveries[0]!.tookMs).toBeGreaterThan(4900)
  })

  it('is a refused connection', async () => {
    const { code, stdout } = await runCli(['send', 'qr.scanned', '--to', 'http://127.0.0.1:59999/'], { env: ENV })
    expect(code).toBe(1)
    expect(stdout).toContain('nothing listens on this port (ECONNREFUSED)')
  })

  it('cannot write control characters to the terminal', async () => {
    const url = await start((_, response) =>
      response.writeHead(302, { location: '/\u009b31mred' }).end('{"status":"\u001b[31m"}'),
    )
    const { stdout } = await runCli(['send', 'qr.scanned', '--to', url], { env: ENV })
    expect(stdout).toContain('it redirects to')
    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  })
})

describe('a redirect to an address with the secret', () => {
  const leaking = () =>
    start((_, response) =>
      response.writeHead(302, { location: `/?key=${encodeURIComponent(ENV.GOVALID_WEBHOOK_SECRET)}` }).end(),
    )

  it.each([
    ['send', ['send', 'qr.scanned', '--to']],
    ['send --duplicate', ['send', 'qr.scanned', '--duplicate', '--to']],
    ['send --tamper', ['send', 'qr.scanned', '--tamper', '--to']],
    ['doctor', ['doctor']],
    ['doctor --json', ['doctor', '--json']],
  ])('is printed without it by %s', async (_, args) => {
    const { stdout, stderr } = await runCli([...args, await leaking()], { env: ENV })
    expect(stdout).toContain('/?key=[redacted]')
    expect(stdout + stderr).not.toContain(ENV.GOVALID_WEBHOOK_SECRET)
  })
})

describe('--retry', () => {
  it('retries on the schedule until the response is 200', async () => {
    const url = await start(recording([500, 503, 200]).listener)
    const { code, stdout } = await runCli(['send', 'qr.scanned', '--retry', '--speed', '20000', '--to', url], {
      env: ENV,
    })
    expect(code).toBe(0)
    expect(stdout.match(/qr\.scanned, attempt \d of 5/g)).toEqual(
      [1, 2, 3].map((number) => `qr.scanned, attempt ${number} of 5`),
    )
  })

  it('reports that five failed attempts would disable the webhook', async () => {
    const url = await start(recording([500, 500, 500, 500, 500]).listener)
    const args = ['send', 'qr.scanned', '--retry', '--speed', '20000', '--to', url]
    const { code, stdout } = await runCli(args, { env: ENV })
    expect(code).toBe(1)
    expect(stdout).toContain('GoValid would have disabled the webhook')
    const { json } = await runJson<{ disabled: boolean; deliveries: { status: string; attempts: object[] }[] }>(
      [...args.slice(0, -1), await start(recording([404, 404, 404, 404, 404]).listener)],
      { env: ENV },
    )
    expect(json).toMatchObject({ disabled: true, deliveries: [{ status: 'given_up' }] })
    expect(json.deliveries[0]?.attempts).toHaveLength(5)
  })

  it('divides the delays between attempts by --speed', async () => {
    const times: number[] = []
    const url = await start((request, response) => {
      times.push(performance.now())
      request.resume()
      response.writeHead(times.length < 3 ? 500 : 200).end()
    })
    await runCli(['send', 'qr.scanned', '--retry', '--speed', '1000', '--to', url], { env: ENV })
    const [first = 0, second = 0] = times.slice(1).map((time, index) => time - (times[index] ?? 0))
    expect(first).toBeGreaterThan(55)
    expect(second).toBeGreaterThan(295)
  })
})
