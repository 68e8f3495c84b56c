/** Requests without a well-formed signature: refused before their body is read, on connections that stay usable. */
import { once } from 'node:events'
import { Agent, type ClientRequest, type IncomingMessage, request, type Server } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createReceiver } from '../../src/index.js'
import { scan, signatureOf } from './deliveries.js'
import { NODE_SERVERS } from './node-servers.js'
import { close, portOf } from './targets/in-process.js'
import { SECRET } from './variants.js'

const MIB = 1024 * 1024
const NOT_AUTHENTIC = '{"status":"refused"}'

/** Encodes empty bytes in chunks of 64 KiB. */
function inChunks(size: number): Buffer {
  const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000), Buffer.from('\r\n')])
  return Buffer.concat([...Array.from({ length: size / 0x10000 }, () => chunk), Buffer.from('0\r\n\r\n')])
}

describe.each(Object.entries(NODE_SERVERS))('%s', (_, start) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let server: Server | undefined
  const handled: string[] = []

  afterEach(async () => {
    if (server) await close(server)
    handled.length = 0
  })

  async function startServer(): Promise<number> {
    const receiver = createReceiver({ secret: SECRET, onError: () => {} })
    server = await start(receiver.on('qr.scanned', (event) => handled.push(event.data.qr_id)))
    return portOf(server)
  }

  function open(headers: Readonly<Record<string, string>>, pool: Agent | false = agent): ClientRequest {
    return request({
      port: server ? portOf(server) : 0,
      host: '127.0.0.1',
      method: 'POST',
      path: '/',
      headers,
      agent: pool,
    })
  }

  async function finish(sent: ClientRequest, body: Uint8Array): Promise<{ status: number | undefined; body: string }> {
    const responding = once(sent, 'response')
    sent.end(body)
    const [response] = (await responding) as [IncomingMessage]
    return { status: response.statusCode, body: await text(response) }
  }

  async function expectProcessed(): Promise<void> {
    const body = scan()
    const sent = open({ 'content-length': String(body.length), 'x-govalid-signature': signatureOf(body) })
    expect(await finish(sent, body)).toEqual({ status: 200, body: '{"status":"processed"}' })
    expect(sent.reusedSocket).toBe(true)
    expect(handled).toHaveLength(1)
  }

  test.each([
    ['no signature', {}],
    ['a malformed signature', { 'x-govalid-signature': 'sha256=abc' }],
  ])('a client with %s gets its 401 and sends the next request on the same connection', async (_name, headers) => {
    await startServer()
    for (const body of [Buffer.alloc(0), scan(), Buffer.alloc(MIB)]) {
      const sent = open({ ...headers, 'content-length': String(body.length) })
      expect(await finish(sent, body)).toEqual({ status: 401, body: NOT_AUTHENTIC })
    }
    await expectProcessed()
  })

  test.each([
    ['a declared length', `Content-Length: ${MIB}`, Buffer.alloc(MIB)],
    ['chunks', 'Transfer-Encoding: chunked', inChunks(MIB)],
  ])('a sender in the middle of a large body with %s gets its 401 and can continue', async (_name, framing, bytes) => {
    const port = await startServer()
    const socket = connect(port, '127.0.0.1')
    let received = ''
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      received += chunk
    })
    socket.write(`POST / HTTP/1.1\r\nHost: localhost\r\n${framing}\r\n\r\n`)
    socket.write(bytes.subarray(0, MIB / 16))
    await vi.waitFor(() => expect(received).toMatch(/^HTTP\/1\.1 401 .*\{"status":"refused"\}$/s))
    socket.write(bytes.subarray(MIB / 16))
    const body = scan()
    const length = `Content-Length: ${body.length}\r\nX-GoValid-Signature: ${signatureOf(body)}`
    socket.write(`POST / HTTP/1.1\r\nHost: localhost\r\n${length}\r\n\r\n`)
    socket.write(body)
    await vi.waitFor(() => expect(received).toMatch(/HTTP\/1\.1 200 .*\{"status":"processed"\}$/s))
    expect(handled).toHaveLength(1)
    socket.destroy()
  })

  test('300 requests of 1 MiB at once take no memory for their bodies', async () => {
    await startServer()
    const body = Buffer.alloc(MIB)
    const before = process.memoryUsage().rss
    let highest = before
    const sampling = setInterval(() => {
      highest = Math.max(highest, process.memoryUsage().rss)
    }, 5)
    const sent = Array.from({ length: 300 }, () => finish(open({ 'content-length': String(MIB) }, false), body))
    const statuses = (await Promise.all(sent)).map(({ status }) => status)
    clearInterval(sampling)
    expect(new Set(statuses)).toEqual(new Set([401]))
    // The bodies alone are 300 MiB.
    expect((highest - before) / MIB).toBeLessThan(150)
  })
})
