/** The `listen` command as an endpoint: its responses, its output, invalid usage, and how it stops. */
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { until } from '../acceptance/until.js'
import { binary, cleanEnv, temporaryFolder } from '../support/command-line.js'
import { deliver, eventBody, LISTEN_SECRET, signatureOf, temporaryListening } from '../support/listening.js'
import { openSocket } from '../support/raw-request.js'
import { runCli } from '../support/run-cli.js'

const start = temporaryListening()
const cwd = temporaryFolder()
const newFile = (() => {
  let number = 0
  return () => ['--file', `log-${number++}.jsonl`]
})()
const SCAN = {
  qr_id: 'abc123',
  qr_title: 'Label',
  device: 'mobile',
  platform: 'android',
  is_first_scan: true,
  scan_count: 1,
}

describe('a delivery', () => {
  it('that is signed gets the response of a receiver, is printed and is recorded', async () => {
    const listening = await start({ cwd, args: newFile() })
    const body = eventBody('qr.scanned', SCAN)
    const response = await deliver(listening, body)
    expect([response.status, await response.text()]).toEqual([200, '{"status":"processed"}'])
    const [summary] = await listening.list()
    expect(summary).toMatchObject({
      event: 'qr.scanned',
      verified: true,
      status: 200,
      outcome: 'processed',
      attempt: 1,
      failure: null,
    })
    expect(listening.printed()).toEqual([summary])
    const details = await listening.details(summary!.id)
    expect(Buffer.from(details.body, 'base64').toString()).toBe(body)
    expect(details.headers).toContainEqual(['x-govalid-signature', signatureOf(body)])
    expect(details).toMatchObject({
      verification: { valid: true },
      reading: { known: true, issues: [] },
      response: { by: 'listen', status: 200, text: '{"status":"processed"}' },
    })
  })

  it('that is forged is refused, and the inspector shows the reason', async () => {
    const listening = await start({ cwd, args: newFile() })
    const body = eventBody('qr.scanned', SCAN)
    expect((await deliver(listening, `${body}\n`, signatureOf(body))).status).toBe(401)
    expect((await deliver(listening, body, null)).status).toBe(401)
    const [unsigned, changed] = await listening.list()
    expect([unsigned?.verified, changed?.verified]).toEqual([false, false])
    const [first, second] = await Promise.all([changed!, unsigned!].map(({ id }) => listening.details(id)))
    expect(first!.verification).toMatchObject({ valid: false, proven: true, findings: [{ code: 'body_newline' }] })
    expect(second!.verification).toMatchObject({ valid: false, findings: [{ code: 'header_missing' }] })
  })

  it('with the signature of another delivery names that delivery', async () => {
    const listening = await start({ cwd, args: newFile() })
    const body = eventBody('qr.scanned', SCAN)
    await deliver(listening, body)
    await deliver(listening, eventBody('qr.created', { id: 'x' }), signatureOf(body))
    const [mixed, original] = await listening.list()
    expect((await listening.details(mixed!.id)).verification).toMatchObject({
      findings: [{ code: 'body_of_other_delivery', delivery: original?.id }],
    })
  })

  it('that arrives again is a duplicate, and its attempts are counted', async () => {
    const listening = await start({ cwd, args: newFile() })
    const body = eventBody('qr.scanned', SCAN)
    for (const _ of [1, 2, 3]) await deliver(listening, body)
    const list = await listening.list()
    expect(list.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [3, 'duplicate'],
      [2, 'duplicate'],
      [1, 'processed'],
    ])
    const { attempts } = await listening.details(list[1]!.id)
    expect(attempts.map(({ id }) => id)).toEqual(list.map(({ id }) => id).reverse())
  })

  it('with fields of other types or with an unknown event is processed, and the issues are listed', async () => {
    const listening = await start({ cwd, args: newFile() })
    await deliver(listening, eventBody('qr.scanned', { ...SCAN, scan_count: '1' }))
    await deliver(listening, eventBody('qr.archived'))
    const [unknown, drifted] = await listening.list()
    expect([unknown?.outcome, drifted?.outcome]).toEqual(['processed', 'processed'])
    expect((await listening.details(unknown!.id)).reading).toEqual({ known: false, issues: [] })
    const issue = { path: 'data.scan_count', expected: 'number', received: 'string' }
    expect((await listening.details(drifted!.id)).reading).toEqual({ known: true, issues: [issue] })
  })

  it.each([
    ['not UTF-8', Buffer.from([0xff, 0x00, 0x80]), 'not_utf8', '(not JSON)'],
    ['not JSON', Buffer.from('\u202e{'), 'not_json', '(not JSON)'],
    ['not an event', Buffer.from('[1]'), 'not_an_event', '(no event)'],
    ['empty', Buffer.alloc(0), 'not_json', '(no body)'],
  ])('that is %s is quarantined and recorded byte for byte', async (_, bytes, unprocessable, event) => {
    const listening = await start({ cwd, args: newFile() })
    expect((await deliver(listening, bytes)).status).toBe(200)
    const [summary] = await listening.list()
    expect(summary).toMatchObject({ event, outcome: 'quarantined', verified: true })
    const details = await listening.details(summary!.id)
    expect([details.body, details.reading]).toEqual([bytes.toString('base64'), { unprocessable }])
  })

  it('with another method, an encoding or a body that is too large is refused as a receiver does, and recorded', async () => {
    const listening = await start({ cwd, args: newFile() })
    expect((await fetch(listening.endpoint)).status).toBe(405)
    expect((await deliver(listening, 'x', undefined, { 'content-encoding': 'gzip' })).status).toBe(415)
    expect((await deliver(listening, Buffer.alloc(1024 * 1024 + 1))).status).toBe(413)
    const [large, encoded, get] = await listening.list()
    expect([large?.status, encoded?.status, get?.status]).toEqual([413, 415, 405])
    expect([large?.verified, (await listening.details(large!.id)).isCut]).toEqual([false, true])
  })

  it('with a slow body is refused with 408', async () => {
    const listening = await start({ cwd, args: newFile() })
    const response = await openSocket(listening.endpoint, 'Content-Length: 10\r\n\r\n{"a"')
    expect(response).toMatch(/^HTTP\/1\.1 408 /)
    expect((await listening.list())[0]).toMatchObject({ status: 408, bytes: 4, verified: false })
  })

  it('is verified without its signature field with --without-signature-field', async () => {
    const listening = await start({ cwd, args: [...newFile(), '--without-signature-field'] })
    const body = eventBody('qr.created')
    const added = `${body.slice(0, -1)},"signature":"x"}`
    expect((await deliver(listening, added, signatureOf(body))).status).toBe(200)
    expect((await listening.list())[0]?.verified).toBe(true)
  })

  it('that was signed with another secret names that secret', async () => {
    const args = [...newFile(), '--other-secret-env', 'STAGING']
    const listening = await start({ cwd, args, env: { STAGING: 'staging-secret-77' } })
    const body = eventBody('qr.created')
    await deliver(listening, body, signatureOf(body, 'staging-secret-77'))
    const [summary] = await listening.list()
    expect((await listening.details(summary!.id)).verification).toMatchObject({ findings: [{ code: 'secret_other' }] })
  })
})

describe('the output', () => {
  it('has the addresses and a line for each delivery, without control characters', async () => {
    const env = cleanEnv({ GOVALID_WEBHOOK_SECRET: LISTEN_SECRET })
    const child = spawn(binary(), ['listen', '--port', '0', ...newFile()], { env, cwd })
    let screen = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      screen += text
    })
    await until(() => screen.includes('Ctrl-C'), 'the start')
    const [endpoint = ''] = /http:\S+\/webhooks\/govalid/.exec(screen) ?? []
    expect(screen).toMatch(/Inspector {2}http:\/\/127\.0\.0\.1:\d+\/#[\w-]{32}\n/)
    await deliver({ endpoint }, eventBody('qr.scanned', SCAN))
    await deliver({ endpoint }, eventBody('\u001b]0;title\u0007\u202e'), null)
    await until(() => screen.includes('not verified'), 'the second line')
    child.kill('SIGINT')
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0)
    expect(screen).toMatch(
      /✓ 200 processed +[\d.]+ ms {2}qr\.scanned\n✗ 401 refused +[\d.]+ ms {2}\]0;title {2}not verified, /,
    )
    expect(screen.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })
})

describe('invalid usage exits with 2', () => {
  const refuse = async (
    args: readonly string[],
    env: Readonly<Record<string, string>> = { GOVALID_WEBHOOK_SECRET: LISTEN_SECRET },
  ) => {
    const { code, stderr } = await runCli(['listen', ...newFile(), ...args], { cwd, env })
    expect(code).toBe(2)
    return stderr
  }

  it('without a secret', async () => {
    expect(await refuse([], {})).toContain('GOVALID_WEBHOOK_SECRET is not set')
  })

  it('on a port that is in use, and names the option for another port', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    expect(await refuse(['--port', String(port)])).toContain(
      `Port ${port} is already in use (EADDRINUSE). Pass another port with --port.`,
    )
    const taken = ['--port', '0', '--inspector-port', String(port)]
    expect(await refuse(taken)).toContain('Pass another port with --inspector-port.')
    server.close()
  })

  it('if it would forward to itself', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    const args = ['--port', String(port), '--forward', `http://127.0.0.1:${port}/other`]
    expect(await refuse(args)).toContain("--forward is this endpoint's own address")
  })

  it('with a secret on the command line, which is not repeated', async () => {
    const errors = await refuse(['--secret', 'on-the-command-line'])
    expect(errors).toContain("Secrets can't be passed on the command line")
    expect(errors).not.toContain('on-the-command-line')
  })
})

describe('stopping', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'by %s exits with 0 immediately, even with open connections',
    async (signal) => {
      const listening = await start({ cwd, args: newFile() })
      const live = await listening.ask('GET', 'live')
      expect(live.status).toBe(200)
      expect(await listening.stop(signal)).toBe(0)
      await live.body?.cancel().catch(() => {})
      await expect(deliver(listening, 'x')).rejects.toThrow()
    },
  )
})
