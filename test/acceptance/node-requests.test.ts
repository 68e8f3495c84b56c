/** Node requests that other code has changed: helpers of a platform, mocks, throwing getters, listeners and kept bodies. */
import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createMocks } from 'node-mocks-http'
import { afterEach, describe, expect, test } from 'vitest'
import { toHandler as toCloudflareHandler } from '../../src/adapters/cloudflare.js'
import { toHandler as toExpressHandler } from '../../src/adapters/express.js'
import { toPlugin } from '../../src/adapters/fastify.js'
import { toHandler as toFetchHandler } from '../../src/adapters/fetch.js'
import { toHandler as toNodeHandler } from '../../src/adapters/node.js'
import { createReceiver, type ErrorReport } from '../../src/index.js'
import { scan, signatureOf } from './deliveries.js'
import { listenNode } from './node-servers.js'
import { close, portOf } from './targets/in-process.js'
import { SECRET } from './variants.js'
import { addVercelHelpers } from './vercel-helpers.js'

const handled: string[] = []
const reports: ErrorReport[] = []
const receiver = createReceiver({ secret: SECRET, bodyDeadlineMs: 300, onError: (report) => reports.push(report) })
receiver.on('qr.scanned', (event) => handled.push(event.data.qr_id))

let server: Server | undefined
afterEach(async () => {
  if (server) await close(server)
  server = undefined
  handled.length = 0
  reports.length = 0
})

const HANDLERS = { node: toNodeHandler(receiver), express: toExpressHandler(receiver) }

/** Serves a handler after `prepare` has changed the request, and sends a body. */
async function send(
  prepare: (request: IncomingMessage) => unknown,
  body: Buffer,
  { adapter = 'node', ...headers }: { readonly adapter?: keyof typeof HANDLERS; readonly [name: string]: string } = {},
): Promise<{ status: number; body: unknown }> {
  server = await listenNode(async (request, response) => {
    await prepare(request)
    await HANDLERS[adapter](request, response)
  })
  const signed = { 'content-type': 'application/json', 'x-govalid-signature': signatureOf(body), ...headers }
  const sent = { method: 'POST', headers: signed, body: new Uint8Array(body) }
  const response = await fetch(`http://127.0.0.1:${portOf(server)}/`, sent)
  return { status: response.status, body: await response.json() }
}

const FORGED = { 'x-govalid-signature': `sha256=${'0'.repeat(64)}` }

describe('behind the request helpers of Vercel', () => {
  test.each(['application/json', 'text/plain', 'application/octet-stream', 'application/json; charset=utf-8'])(
    'processes a delivery with the content type %s',
    async (type) => {
      expect(await send(addVercelHelpers, scan(), { 'content-type': type })).toMatchObject({ status: 200 })
      expect(handled).toHaveLength(1)
    },
  )

  test('verifies the bytes, not the parsed body', async () => {
    const spaced = Buffer.from(JSON.stringify(JSON.parse(scan().toString()), null, 2))
    expect(await send(addVercelHelpers, spaced)).toMatchObject({ status: 200 })
    expect(await send(addVercelHelpers, scan(), FORGED)).toMatchObject({ status: 401 })
    expect(handled).toHaveLength(1)
  })

  test('refuses the invalid JSON of a stranger with 401, and quarantines signed invalid JSON', async () => {
    expect(await send(addVercelHelpers, Buffer.from('{"event":'), FORGED)).toMatchObject({ status: 401 })
    expect(await send(addVercelHelpers, Buffer.from('{"event":'))).toEqual({
      status: 200,
      body: { status: 'quarantined' },
    })
  })
})

test('a `body` and a `rawBody` that throw don’t prevent reading the stream', async () => {
  const fail = () => {
    throw new Error('a getter of the application')
  }
  const prepare = (request: object) => Object.defineProperties(request, { body: { get: fail }, rawBody: { get: fail } })
  expect(await send(prepare, scan())).toMatchObject({ status: 200 })
  expect(handled).toHaveLength(1)
})

describe('a mocked request', () => {
  async function handle(body: Buffer, isSent: boolean): Promise<number> {
    const headers = { 'x-govalid-signature': signatureOf(body), 'content-length': String(body.length) }
    const { req, res } = createMocks({ method: 'POST', headers })
    const handling = HANDLERS.node(req as unknown as IncomingMessage, res as unknown as ServerResponse)
    if (isSent) req['send'](body)
    await handling
    return res.statusCode
  }

  test('whose body is sent is processed', async () => {
    expect(await handle(scan(), true)).toBe(200)
    expect(handled).toHaveLength(1)
  })

  // An error in a timer would end the process, and the test run with it.
  test('whose body never comes gets a 408', async () => {
    expect(await handle(scan(), false)).toBe(408)
  })
})

describe('the report of a body that was read before names the reason and the fix', () => {
  const read = async (request: IncomingMessage) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  }

  test('for a "data" listener', async () => {
    const listen = (request: IncomingMessage) => {
      request.on('data', () => {})
      return once(request, 'end')
    }
    expect(await send(listen, scan(), { adapter: 'express' })).toMatchObject({ status: 500 })
    expect(reports[0]?.message).toContain('The request stream was read, for example by a "data" listener')
  })

  test('for a rawBody that is a string', async () => {
    const keepText = async (request: IncomingMessage) => {
      Object.assign(request, { rawBody: (await read(request)).toString() })
    }
    expect(await send(keepText, scan())).toMatchObject({ status: 500 })
    expect(reports[0]?.message).toContain('request.rawBody is a string: keep the Buffer')
  })

  test('for a body that a parser replaced', async () => {
    const parse = async (request: IncomingMessage) => {
      Object.assign(request, { body: JSON.parse((await read(request)).toString()) })
    }
    expect(await send(parse, scan())).toMatchObject({ status: 500 })
    expect(reports[0]?.message).toContain('request.body is a parsed value')
    // The adapter for node:http serves several frameworks, and names each one once.
    expect(reports[0]?.message.match(/Next\.js/g)).toHaveLength(1)
    expect(reports[0]?.message.match(/NestJS/g)).toHaveLength(1)
  })

  test('and rawBody with the bytes is used', async () => {
    const keepBytes = async (request: IncomingMessage) => {
      Object.assign(request, { rawBody: await read(request), body: { parsed: true } })
    }
    expect(await send(keepBytes, scan())).toMatchObject({ status: 200 })
    expect(handled).toHaveLength(1)
  })
})

test.each(Object.entries({ toNodeHandler, toExpressHandler, toFetchHandler, toCloudflareHandler, toPlugin }))(
  '%s refuses anything but a receiver at creation, with the fix',
  (_name, create) => {
    for (const value of [undefined, null, {}, 'a secret', { receive: true }, { secret: SECRET }])
      expect(() => (create as (receiver: never) => unknown)(value as never)).toThrow(
        /^to\w+ must be given a receiver, and was given \w+\. Write: to\w+\(createReceiver\(\{ secret: … \}\)\).*option_invalid/,
      )
  },
)
