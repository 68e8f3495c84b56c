/** `listen --forward` with real servers: the forwarded request, the response, and missing responses. */
import type { IncomingMessage, RequestListener } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { toHandler } from '../../src/adapters/node.js'
import { createReceiver } from '../../src/index.js'
import { temporaryFolder, temporaryServers } from '../support/command-line.js'
import { deliver, eventBody, LISTEN_SECRET, signatureOf, temporaryListening } from '../support/listening.js'

const serve = temporaryServers()
const start = temporaryListening()
const cwd = temporaryFolder()
let logs = 0
const forwarding = async (listener: RequestListener) => forwardingTo(await serve(listener))
const forwardingTo = (url: string, args: readonly string[] = [], env = {}) =>
  start({ cwd, args: ['--file', `log-${logs++}.jsonl`, '--forward', url, ...args], env })

interface Got {
  readonly body: Buffer
  readonly url: string | undefined
  readonly method: string | undefined
  readonly rawHeaders: readonly string[]
  readonly headers: IncomingMessage['headers']
}

function recording(respond: RequestListener): { listener: RequestListener; got: Got[] } {
  const got: Got[] = []
  return {
    got,
    async listener(request, response) {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const { url, method, rawHeaders, headers } = request
      got.push({ body: Buffer.concat(chunks), url, method, rawHeaders, headers })
      respond(request, response)
    },
  }
}

describe('a forwarded delivery', () => {
  it('reaches the handlers of a receiver', async () => {
    const handled: unknown[] = []
    const receiver = createReceiver({ secret: LISTEN_SECRET }).on('qr.scanned', (event) => {
      handled.push(event.data.qr_title)
    })
    const listening = await forwarding(toHandler(receiver))
    const body = eventBody('qr.scanned', { qr_title: 'Étiquette' })
    const responses = [await deliver(listening, body), await deliver(listening, body)]
    expect(await Promise.all(responses.map((response) => response.text()))).toEqual([
      '{"status":"processed"}',
      '{"status":"duplicate"}',
    ])
    expect(handled).toEqual(['Étiquette'])
    const [again, first] = await listening.list()
    expect([again?.outcome, first?.outcome]).toEqual(['duplicate', 'processed'])
    expect((await listening.details(first!.id)).response).toMatchObject({ by: 'forward', status: 200, failure: null })
  })

  it('keeps its bytes and headers and goes to exactly the given URL', async () => {
    const { listener, got } = recording((_, response) => response.end())
    const listening = await forwarding(listener)
    const body = Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0xff, 0x00, 0x0d, 0x0a])
    await deliver(listening, body, undefined, { 'X-Trace': 'a', 'user-agent': 'GoValid/1' })
    const { body: arrived, url, method, headers } = got[0]!
    expect([arrived, url, method]).toEqual([body, '/webhooks/govalid', 'POST'])
    expect(headers).toMatchObject({
      'x-govalid-signature': signatureOf(body),
      'x-trace': 'a',
      'user-agent': 'GoValid/1',
    })
    const shown = (await listening.details((await listening.list())[0]!.id)).headers.map(([name]) => name.toLowerCase())
    const own = ['host', 'content-length', 'connection']
    expect(Object.keys(headers).filter((name) => !own.includes(name) && !shown.includes(name))).toEqual([])
    expect(headers.host).toBe(new URL(await forwardUrlOf(listening.output())).host)
  })
})

/** Returns the URL that deliveries are forwarded to. */
async function forwardUrlOf(output: string): Promise<string> {
  return JSON.parse(output.split('\n')[0] ?? '').listening.forward
}

describe('the response', () => {
  it('of 500 is passed on with its body and headers, timed, and counted as a failure', async () => {
    const { listener } = recording((_, response) => {
      const headers = { 'content-type': 'text/plain', 'retry-after': '60', 'set-cookie': ['a=1', 'b=2'] }
      setTimeout(() => response.writeHead(500, headers).end('Error: locked'), 300)
    })
    const listening = await forwarding(listener)
    const response = await deliver(listening, eventBody('qr.scanned'))
    expect([response.status, await response.text(), response.headers.get('retry-after')]).toEqual([
      500,
      'Error: locked',
      '60',
    ])
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    const [summary] = await listening.list()
    expect(summary).toMatchObject({ status: 500, failure: 'only 200 is a success' })
    expect(summary!.tookMs).toBeGreaterThan(290)
    expect((await listening.details(summary!.id)).response).toMatchObject({ by: 'forward', text: 'Error: locked' })
  })

  it('that redirects is not followed', async () => {
    const { listener, got } = recording((_, response) => response.writeHead(302, { location: '/other' }).end())
    const listening = await forwarding(listener)
    const response = await fetch(listening.endpoint, { method: 'POST', body: 'x', redirect: 'manual' })
    expect([response.status, got.length]).toEqual([302, 1])
    expect((await listening.list())[0]).toMatchObject({ status: 302, failure: 'GoValid does not follow redirects' })
  })

  it.each([
    [
      '101 Switching Protocols',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      502,
    ],
    ['100 and 103, and then nothing', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n', 504],
    ['a body that never ends', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx', 504],
    ['a status below 100', 'HTTP/1.1 007 Odd\r\nContent-Length: 0\r\n\r\n', 502],
    ['something that is not HTTP', 'SSH-2.0-x\r\n', 502],
  ])('is missing if the server sends %s; GoValid gets a status that makes it retry', async (_, text, status) => {
    const server = createServer((socket) => void socket.on('error', () => {}).once('data', () => socket.write(text)))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const listening = await forwardingTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    const response = await deliver(listening, eventBody('qr.scanned'))
    expect([response.status, await response.text()]).toEqual([status, '{"status":"not_forwarded"}'])
    expect((await listening.list())[0]).toMatchObject({ finished: true, status: null })
  })

  it('is awaited for 5 s, and the list shows the wait', async () => {
    const { listener } = recording(() => {})
    const listening = await forwarding(listener)
    const startedAt = performance.now()
    const responding = deliver(listening, eventBody('qr.scanned'))
    await expect.poll(() => listening.list()).toMatchObject([{ finished: false, status: null, tookMs: null }])
    const response = await responding
    expect([response.status, await response.text()]).toEqual([504, '{"status":"not_forwarded"}'])
    expect(performance.now() - startedAt).toBeGreaterThan(4900)
    expect((await listening.list())[0]).toMatchObject({
      finished: true,
      status: null,
      failure: 'no response within 5 s',
    })
  })

  it('of a server that is down or closes the connection is a 502, which makes GoValid retry', async () => {
    const down = await forwardingTo('http://127.0.0.1:9/webhooks')
    expect((await deliver(down, eventBody('qr.scanned'))).status).toBe(502)
    expect((await down.list())[0]).toMatchObject({
      status: null,
      failure: 'connection refused: nothing listens on this port (ECONNREFUSED)',
    })
    const closing = await forwarding((request) => request.socket.destroy())
    expect((await deliver(closing, eventBody('qr.scanned'))).status).toBe(502)
    expect((await closing.list())[0]).toMatchObject({ status: null, failure: 'the connection was reset (ECONNRESET)' })
  })

  it('that contains the secret is recorded without it', async () => {
    const { listener } = recording((_, response) =>
      response.writeHead(500, { 'x-leak': LISTEN_SECRET }).end(`bad ${LISTEN_SECRET}`),
    )
    const listening = await forwarding(listener)
    await deliver(listening, eventBody('qr.scanned'))
    const details = await listening.details((await listening.list())[0]!.id)
    expect(details.response?.text).toBe('bad [redacted]')
    expect(JSON.stringify(details)).not.toContain(LISTEN_SECRET)
  })

  it('that contains one of the other secrets is recorded without it', async () => {
    const other = 'the-secret-of-staging'
    const { listener } = recording((_, response) => response.writeHead(500, { 'x-leak': other }).end(`bad ${other}`))
    const listening = await forwardingTo(await serve(listener), ['--other-secret-env', 'STAGING'], { STAGING: other })
    await deliver(listening, eventBody('qr.scanned'))
    const details = await listening.details((await listening.list())[0]!.id)
    expect(details.response?.text).toBe('bad [redacted]')
    expect(JSON.stringify(details)).not.toContain(other)
  })

  it('that never ends is cut off', async () => {
    const { listener } = recording((_, response) => {
      const write = () => {
        while (response.write('x'.repeat(16_384)));
      }
      response.on('drain', write)
      write()
    })
    const listening = await forwarding(listener)
    expect((await deliver(listening, eventBody('qr.scanned'))).status).toBe(200)
    expect((await listening.details((await listening.list())[0]!.id)).response?.text).toHaveLength(65_536)
  })
})
