/** `send`, against real servers: what is sent, what is printed, and how it ends. */
import { createHmac } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { toHandler } from '../../src/adapters/node.js'
import { createReceiver, EVENT_TYPES } from '../../src/index.js'
import { runCli, runJson, temporaryFolder, temporaryServers } from '../support/command-line.js'

const SECRET = 'your_webhook_secret'
const ENV = { GOVALID_WEBHOOK_SECRET: SECRET }
const start = temporaryServers()

/** A server of this package: handles scans, fails on payment.failed. */
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

/** A server that keeps what it gets, and answers as it is told. */
function keeping(statuses: readonly number[] = []): {
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
  it('arrives in its handler, signed, and the answer is told', async () => {
    const { listener, handled } = receiving()
    const { code, stdout, stderr } = await runCli(['send', 'qr.scanned', '--to', await start(listener)], { env: ENV })
    expect([code, stderr, handled]).toEqual([0, '', ['qr.scanned']])
    expect(stdout).toMatch(/^✓ 200 processed +[\d.]+ ms {2}qr\.scanned\n$/)
  })

  it('is signed as GoValid signs, over the bytes sent', async () => {
    const { listener, got } = keeping()
    await runCli(['send', 'qr.created', '--to', await start(listener)], { env: ENV })
    const { body, headers } = got[0]!
    expect(headers['x-govalid-signature']).toBe(`sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`)
    expect(headers['content-type']).toBe('application/json')
  })

  it('takes the secret from the variable that is named', async () => {
    const { listener } = receiving()
    const { code } = await runCli(['send', 'qr.scanned', '--to', await start(listener), '--secret-env', 'OTHER'], {
      env: { OTHER: SECRET, GOVALID_WEBHOOK_SECRET: 'wrong' },
    })
    expect(code).toBe(0)
  })

  it('can have other data', async () => {
    const { listener, got } = keeping()
    const data = '{"qr_id":"mine","scan_location":{"city":"Bandung"}}'
    await runCli(['send', 'qr.scanned', '--data', data, '--to', await start(listener)], { env: ENV })
    expect(JSON.parse(got[0]!.body.toString()).data).toMatchObject({
      qr_id: 'mine',
      scan_location: { country: 'ID', city: 'Bandung' },
      scan_count: 15,
    })
  })

  it('that its handler fails on ends with 1, and is told to be a failure for GoValid', async () => {
    const { code, stdout } = await runCli(['send', 'payment.failed', '--to', await start(receiving().listener)], {
      env: ENV,
    })
    expect(code).toBe(1)
    expect(stdout).toMatch(/^✗ 500 failed .+payment\.failed\n +GoValid counts this as a failure/)
  })
})

describe('all events', () => {
  it('arrive, and are summed up', async () => {
    const { listener, handled } = receiving()
    const { code, stdout } = await runCli(['send', '--all', '--to', await start(listener)], { env: ENV })
    expect([code, handled]).toEqual([1, EVENT_TYPES])
    expect(stdout).toContain('12 sent: 11 × 200 processed, 1 × 500 failed.')
    expect(stdout).toContain('1 not as they should be.')
  })

  it('are printed as one JSON document, the same and nothing else', async () => {
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

describe('many', () => {
  it('have different bytes each', async () => {
    const { listener, got } = keeping()
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

  it('come at the rate wanted, and are told in sum', async () => {
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
    const { listener, got } = keeping()
    const { code } = await runCli(['send', 'captured.json', '--to', await start(listener)], { env: ENV, cwd: folder })
    expect([code, got[0]?.body]).toEqual([0, bytes])
  })

  it('can be standard input', async () => {
    const { listener, got } = keeping()
    await runCli(['send', '-', '--to', await start(listener)], { env: ENV, input: bytes })
    expect(got[0]?.body).toEqual(bytes)
  })

  it('is sent once, and unchanged', async () => {
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

describe('what must be refused', () => {
  it('and is, when it was tampered with: that is right', async () => {
    const { listener, handled } = receiving()
    const { code, stdout } = await runCli(['send', '--all', '--tamper', '--to', await start(listener)], { env: ENV })
    expect([code, handled]).toEqual([0, []])
    expect(stdout).toContain('12 × 401 refused')
  })

  it('and is not: that is wrong', async () => {
    const { code, stdout } = await runCli(['send', 'qr.scanned', '--tamper', '--to', await start(keeping().listener)], {
      env: ENV,
    })
    expect(code).toBe(1)
    expect(stdout).toContain('it was accepted, and must not be')
  })

  it('and makes it fail: that is wrong too', async () => {
    const { code } = await runCli(['send', 'qr.scanned', '--tamper', '--to', await start(keeping([500]).listener)], {
      env: ENV,
    })
    expect(code).toBe(1)
  })

  it('has the length of what was signed, and other bytes', async () => {
    const { listener, got } = keeping([401])
    await runCli(['send', 'qr.scanned', '--tamper', '--to', await start(listener)], { env: ENV })
    const { body, headers } = got[0]!
    expect(headers['x-govalid-signature']).not.toBe(`sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`)
    expect(() => JSON.parse(body.toString())).toThrow()
  })
})

describe('a duplicate', () => {
  it('is the same bytes again, and is taken once', async () => {
    const { listener, handled } = receiving()
    const args = ['send', 'qr.scanned', '--duplicate', '--to', await start(listener)]
    const { code, json } = await runJson<SendResult>(args, { env: ENV })
    expect([code, handled]).toEqual([0, ['qr.scanned']])
    expect(json.deliveries.map(({ outcome, note }) => [outcome, note])).toEqual([
      ['processed', undefined],
      ['duplicate', 'again'],
    ])
  })

  it('that is answered otherwise than 200 ends with 1', async () => {
    const { code } = await runCli(
      ['send', 'qr.scanned', '--duplicate', '--to', await start(keeping([200, 409]).listener)],
      { env: ENV },
    )
    expect(code).toBe(1)
  })
})

describe('an event nobody knows', () => {
  it('is sent under any name', async () => {
    const { listener, got } = keeping()
    const url = await start(listener)
    await runCli(['send', '--unknown', '--to', url], { env: ENV })
    await runCli(['send', 'qr.archived', '--unknown', '--to', url], { env: ENV })
    expect(got.map(({ body }) => JSON.parse(body.toString()).event)).toEqual([
      'govalid-webhooks.unknown',
      'qr.archived',
    ])
  })
})

describe('an answer that GoValid does not take', () => {
  it.each([
    [201, 'GoValid wants exactly 200'],
    [204, 'GoValid wants exactly 200'],
    [302, 'a redirect is no 200'],
    [404, 'only 200 is success'],
  ])('is %i: %s', async (status, why) => {
    const { code, stdout } = await runCli(['send', 'qr.scanned', '--to', await start(keeping([status]).listener)], {
      env: ENV,
    })
    expect(code).toBe(1)
    expect(stdout).toContain(why)
  })

  it('is one that comes after 5 s', async () => {
    const url = await start(() => {})
    const { code, json } = await runJson<SendResult>(['send', 'qr.scanned', '--to', url], { env: ENV })
    expect(code).toBe(1)
    expect(json.deliveries[0]).toMatchObject({ status: null, reason: 'no answer within 5 s' })
    expect(json.deliveries[0]!.tookMs).toBeGreaterThan(4900)
  })

  it('is none at all', async () => {
    const { code, stdout } = await runCli(['send', 'qr.scanned', '--to', 'http://127.0.0.1:59999/'], { env: ENV })
    expect(code).toBe(1)
    expect(stdout).toContain('nothing listens there (ECONNREFUSED)')
  })

  it('cannot write on the terminal what it likes', async () => {
    const url = await start((_, response) =>
      response.writeHead(302, { location: '/\u009b31mred' }).end('{"status":"\u001b[31m"}'),
    )
    const { stdout } = await runCli(['send', 'qr.scanned', '--to', url], { env: ENV })
    expect(stdout).toContain('it leads to')
    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  })
})

describe('--retry', () => {
  it('tries again by the schedule until it is taken', async () => {
    const url = await start(keeping([500, 503, 200]).listener)
    const { code, stdout } = await runCli(['send', 'qr.scanned', '--retry', '--speed', '20000', '--to', url], {
      env: ENV,
    })
    expect(code).toBe(0)
    expect(stdout.match(/qr\.scanned, try \d of 5/g)).toEqual(
      [1, 2, 3].map((number) => `qr.scanned, try ${number} of 5`),
    )
  })

  it('says what five failures would do', async () => {
    const url = await start(keeping([500, 500, 500, 500, 500]).listener)
    const args = ['send', 'qr.scanned', '--retry', '--speed', '20000', '--to', url]
    const { code, stdout } = await runCli(args, { env: ENV })
    expect(code).toBe(1)
    expect(stdout).toContain('GoValid would have disabled the webhook')
    const { json } = await runJson<{ disabled: boolean; deliveries: { status: string; attempts: object[] }[] }>(
      [...args.slice(0, -1), await start(keeping([404, 404, 404, 404, 404]).listener)],
      { env: ENV },
    )
    expect(json).toMatchObject({ disabled: true, deliveries: [{ status: 'given_up' }] })
    expect(json.deliveries[0]?.attempts).toHaveLength(5)
  })

  it('waits between tries as GoValid does, divided by the speed', async () => {
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
