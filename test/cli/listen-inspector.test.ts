/** The inspector's server: access, the page, the API and the secret. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DeliverySummary, LiveMessage } from '../../src/cli/inspector/wire.js'
import { EVENT_TYPES } from '../../src/index.js'
import { temporaryFolder } from '../support/command-line.js'
import {
  deliver,
  eventBody,
  LISTEN_SECRET,
  type Listening,
  signatureOf,
  temporaryListening,
} from '../support/listening.js'
import { rawRequest } from '../support/raw-request.js'

const start = temporaryListening()
const cwd = temporaryFolder()
let logs = 0
const listen = () => start({ cwd, args: ['--file', `log-${logs++}.jsonl`] })

/** All requests of the API. */
const REQUESTS: readonly (readonly [method: string, path: string])[] = [
  ['GET', 'state'],
  ['GET', 'deliveries'],
  ['DELETE', 'deliveries'],
  ['GET', 'deliveries/ID'],
  ['POST', 'deliveries/ID/replay'],
  ['GET', 'fixture?event=qr.scanned'],
  ['POST', 'send'],
  ['GET', 'live'],
]

const deliverOne = async (listening: Listening): Promise<DeliverySummary> => {
  await deliver(listening, eventBody('qr.scanned', { qr_id: 'needle-77' }))
  return (await listening.list())[0]!
}

describe('access', () => {
  it.each(REQUESTS)('%s %s requires the token of this start', async (method, path) => {
    const listening = await listen()
    const { id } = await deliverOne(listening)
    const url = `${listening.inspector}/api/${path.replace('ID', id)}`
    for (const headers of [{}, { 'x-inspector-token': '' }, { 'x-inspector-token': 'A'.repeat(32) }]) {
      const { status, text } = await rawRequest(url, { method, headers })
      expect([status, text]).toEqual([401, expect.not.stringContaining('needle-77')])
    }
    const inQuery = await rawRequest(`${url}${path.includes('?') ? '&' : '?'}token=${listening.token}`, { method })
    expect(inQuery.status).toBe(401)
    expect(await listening.list()).toHaveLength(1)
  })

  it.each([
    ['another host', 'evil.example'],
    ['another host with the right port', 'evil.example:PORT'],
    ['another port', '127.0.0.1:1'],
    ['no port', '127.0.0.1'],
    ['a host that starts like its own', '127.0.0.1.evil.example:PORT'],
  ])('is refused with %s in the Host header, even with the token', async (_, host) => {
    const listening = await listen()
    const headers = {
      host: host.replace('PORT', new URL(listening.inspector).port),
      'x-inspector-token': listening.token,
    }
    for (const path of ['/', '/api/state', '/api/live']) {
      const { status, text } = await rawRequest(`${listening.inspector}${path}`, { headers })
      expect([status, text]).toEqual([421, '{"error":"Open the inspector at the address that listen printed."}'])
    }
  })

  it('is refused from another site, and no site gets CORS headers', async () => {
    const listening = await listen()
    const url = `${listening.inspector}/api/state`
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:1', 'http://localhost']) {
      const { status } = await rawRequest(url, { headers: { origin, 'x-inspector-token': listening.token } })
      expect(status).toBe(403)
    }
    const preflight = await rawRequest(url, { method: 'OPTIONS', headers: { origin: 'https://evil.example' } })
    expect(preflight.headers['access-control-allow-origin']).toBeUndefined()
    const own = await rawRequest(url, {
      headers: { origin: listening.inspector, 'x-inspector-token': listening.token },
    })
    expect(own.status).toBe(200)
  })

  it('is possible only on loopback, even if the endpoint listens on every address', async () => {
    const listening = await start({ cwd, args: ['--file', `log-${logs++}.jsonl`, '--host', '0.0.0.0'] })
    const addresses = listenersOf(Number(new URL(listening.inspector).port))
    expect(addresses).toEqual(['0100007F'])
    expect(listenersOf(Number(new URL(listening.endpoint).port))).toEqual(['00000000'])
  })
})

/** Returns the local addresses that listen on a port, in the kernel's notation. */
function listenersOf(port: number): readonly string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  const lines = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
  return lines.flatMap(([, local = '', , state]) =>
    state === '0A' && local.endsWith(`:${wanted}`) ? [local.slice(0, 8)] : [],
  )
}

describe('the page', () => {
  it('allows only its own script and style', async () => {
    const listening = await listen()
    const response = await fetch(`${listening.inspector}/`)
    const html = await response.text()
    const policy = response.headers.get('content-security-policy') ?? ''
    const hashOf = (tag: string) => {
      const [, text = ''] = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(html) ?? []
      expect(text.length).toBeGreaterThan(1000)
      return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
    }
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      `script-src ${hashOf('script')}`,
      `style-src ${hashOf('style')}`,
      "connect-src 'self'",
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ])
    expect(html.match(/<(script|style|link|img|iframe)\b/g)).toEqual(['<link', '<style', '<script'])
    const addresses = html.match(/https?:\/\/[^\s"'`\\)]+/g) ?? []
    expect(addresses.filter((address) => !address.startsWith('http://www.w3.org/2000/svg'))).toEqual([])
    expect(response.headers.get('x-frame-options')).toBe('DENY')
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  it('contains no data, and every other path is a 404', async () => {
    const listening = await listen()
    const before = await (await fetch(`${listening.inspector}/`)).text()
    await deliverOne(listening)
    expect(await (await fetch(`${listening.inspector}/`)).text()).toBe(before)
    for (const path of ['/index.html', '/../package.json', '/api', '//api/state']) {
      expect((await rawRequest(listening.inspector + path)).status).toBe(404)
    }
  })
})

describe('the API', () => {
  it('searches events, paths, headers and bodies', async () => {
    const listening = await listen()
    await deliver(listening, eventBody('qr.scanned', { qr_id: 'needle-77' }))
    await deliver(listening, eventBody('qr.created'), undefined, { 'x-trace': 'TRACE-5' })
    const found = async (search: string) => (await listening.list(search)).map(({ event }) => event)
    expect(await found('NEEDLE-77')).toEqual(['qr.scanned'])
    expect(await found('trace-5')).toEqual(['qr.created'])
    expect(await found('webhooks/govalid')).toEqual(['qr.created', 'qr.scanned'])
    expect(await found('nowhere')).toEqual([])
  })

  it('replays the same bytes and headers', async () => {
    const listening = await listen()
    const original = await deliverOne(listening)
    const replayed = (await (await listening.ask('POST', `deliveries/${original.id}/replay`)).json()) as DeliverySummary
    expect(replayed).toMatchObject({ origin: 'replayed', verified: true, outcome: 'duplicate', attempt: 2 })
    const [first, second] = await Promise.all([original, replayed].map(({ id }) => listening.details(id)))
    expect([second!.body, second!.headers]).toEqual([first!.body, first!.headers])
  })

  it('sends an edited body with a new signature or with the original headers', async () => {
    const listening = await listen()
    const { id } = await deliverOne(listening)
    const body = Buffer.from(eventBody('qr.created', { edited: true })).toString('base64')
    const send = async (isSigned: boolean) =>
      (await (await listening.ask('POST', 'send', { body, isSigned, from: id })).json()) as DeliverySummary
    expect(await send(true)).toMatchObject({ origin: 'sent', event: 'qr.created', verified: true, status: 200 })
    expect(await send(false)).toMatchObject({ origin: 'sent', verified: false, status: 401 })
  })

  it.each([...EVENT_TYPES, 'govalid-webhooks.unknown'])(
    'returns a test event for %s with new bytes every time',
    async (event) => {
      const listening = await listen()
      const fixture = async () =>
        ((await (await listening.ask('GET', `fixture?event=${event}`)).json()) as { text: string }).text
      const [one, two] = [await fixture(), await fixture()]
      expect(JSON.parse(one)).toMatchObject({ event })
      expect(one).not.toBe(two)
    },
  )

  it('refuses invalid requests', async () => {
    const listening = await listen()
    for (const body of [undefined, 1, {}, { body: 7, isSigned: true }, { body: 'eA==' }]) {
      expect((await listening.ask('POST', 'send', body)).status).toBe(400)
    }
    expect((await listening.ask('GET', 'fixture')).status).toBe(400)
    for (const path of ['deliveries/none', 'deliveries/__proto__', 'nothing', '', 'deliveries/x/y/z']) {
      expect((await listening.ask('GET', path)).status).toBe(404)
    }
    expect((await listening.ask('PUT', 'deliveries')).status).toBe(404)
    const tooLarge = { body: 'A'.repeat(9 * 1024 * 1024), isSigned: true, from: null }
    expect(
      await listening.ask('POST', 'send', tooLarge).then(
        ({ status }) => status,
        () => 413,
      ),
    ).toBe(413)
    expect(await listening.list()).toEqual([])
  })

  it('streams every delivery and its response', async () => {
    const listening = await listen()
    const live = await listening.ask('GET', 'live')
    expect(live.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    const reader = live.body!.pipeThrough(new TextDecoderStream()).getReader()
    const { id } = await deliverOne(listening)
    await listening.ask('DELETE', 'deliveries')
    let text = ''
    while (!text.includes('cleared')) text += (await reader.read()).value
    const messages = [...text.matchAll(/^data: (.*)\n$/gm)].map(([, data = '']) => JSON.parse(data) as LiveMessage)
    expect(messages).toMatchObject([
      { kind: 'delivery', delivery: { id, finished: false } },
      { kind: 'delivery', delivery: { id, finished: true, status: 200 } },
      { kind: 'cleared' },
    ])
    await reader.cancel()
  })
})

describe('the secret', () => {
  it('is in no response, page, file or printed line', async () => {
    const file = `log-${logs++}.jsonl`
    const listening = await start({
      cwd,
      args: ['--file', file, '--other-secret-env', 'OTHER'],
      env: { OTHER: 'other-secret-0b7' },
    })
    const live = await listening.ask('GET', 'live')
    const reader = live.body!.pipeThrough(new TextDecoderStream()).getReader()
    const body = eventBody('qr.scanned')
    const signatures = [
      signatureOf(body),
      signatureOf(`${body} `),
      null,
      'sha256=x',
      signatureOf(body, 'other-secret-0b7'),
    ]
    for (const signature of signatures) await deliver(listening, body, signature)
    let seen = await (await fetch(`${listening.inspector}/`)).text()
    for (const { id } of await listening.list()) {
      for (const [method, path] of REQUESTS.filter(([, path]) => path !== 'live')) {
        if (method === 'DELETE') continue
        const sent = path === 'send' ? { body: 'e30=', isSigned: true, from: id } : undefined
        const response = await listening.ask(method, path.replace('ID', id), sent)
        seen += JSON.stringify([...response.headers]) + (await response.text())
      }
    }
    while (seen.split('data: ').length < 10) seen += (await reader.read()).value
    seen += listening.output() + readFileSync(join(cwd, file), 'utf8')
    await reader.cancel()
    expect(seen.length).toBeGreaterThan(20_000)
    for (const secret of [LISTEN_SECRET, 'other-secret-0b7']) {
      for (const form of [
        secret,
        Buffer.from(secret).toString('base64').slice(0, -3),
        Buffer.from(secret).toString('hex'),
      ]) {
        expect(seen.includes(form)).toBe(false)
      }
    }
  })
})
