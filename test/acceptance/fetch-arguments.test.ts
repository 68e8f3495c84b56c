/** The arguments of the handlers for `Request`: platform contexts that throw, and values that aren't a `Request`. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { afterEach, describe, expect, test } from 'vitest'
import { toHandler as toWorkerHandler } from '../../src/adapters/cloudflare.js'
import { type FetchHandler, toHandler } from '../../src/adapters/fetch.js'
import { createReceiver } from '../../src/index.js'
import { createEvent, signDelivery } from '../../src/testing/index.js'
import { close, listen } from './targets/in-process.js'

const SECRET = 'your_webhook_secret'
const URL_OF_TESTS = 'http://localhost/webhooks/govalid'
const newReceiver = () => createReceiver({ secret: SECRET, onError: () => {} }).on('*', () => {})
const signed = () => signDelivery(createEvent('qr.scanned'), { secret: SECRET })

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await close(server)
})

/** Sends one delivery to Hono on Node, where `context.executionCtx` throws. */
async function sendToHono(
  route: (context: Context) => Promise<Response>,
): Promise<{ status: number; errors: string[] }> {
  const errors: string[] = []
  const app = new Hono()
  app.post('/webhooks/govalid', route)
  app.onError((error, context) => {
    errors.push(String(error))
    return context.text('failed', 500)
  })
  const server = createAdaptorServer({ fetch: app.fetch }) as Server
  servers.push(server)
  const port = await listen(server)
  const { rawBody, headers } = await signed()
  const url = `http://127.0.0.1:${port}/webhooks/govalid`
  return { status: (await fetch(url, { method: 'POST', headers, body: rawBody })).status, errors }
}

describe('Hono on a server', () => {
  test('may pass its context, although it has no execution context there', async () => {
    const handle = toHandler(newReceiver())
    expect(await sendToHono((context) => handle(context.req.raw, context))).toEqual({ status: 200, errors: [] })
  })

  test.each<[string, (handle: FetchHandler, context: Context) => Promise<Response>, string]>([
    ['context.req', (handle, context) => handle(context.req as never), 'given Hono’s c.req. Pass c.req.raw'],
    ['the context', (handle, context) => handle(context as never), 'given Hono’s context. Pass c.req.raw'],
  ])('that passes %s as the request gets an error with the fix', async (_, route, place) => {
    const handle = toHandler(newReceiver())
    const { status, errors } = await sendToHono((context) => route(handle, context))
    expect(status).toBe(500)
    expect(errors).toEqual([expect.stringMatching(new RegExp(`${place}.*option_invalid`))])
  })
})

test('Hono’s context on a platform passes its waitUntil on', async () => {
  const kept: unknown[] = []
  const receiver = createReceiver({ secret: SECRET, onOutcome: async () => {} }).on('*', () => {})
  const app = new Hono().post('/webhooks/govalid', (context) => toHandler(receiver)(context.req.raw, context))
  const platform = { waitUntil: (work: Promise<unknown>) => void kept.push(work), passThroughOnException: () => {} }
  const response = await app.fetch((await signed()).request(URL_OF_TESTS), {}, platform as never)
  expect(await response.json()).toEqual({ status: 'processed' })
  expect(kept).toHaveLength(1)
})

test('a platform’s waitUntil that throws does not disturb the delivery', async () => {
  const waitUntil = () => {
    throw new Error('the request is over')
  }
  const receiver = createReceiver({ secret: SECRET, onOutcome: async () => {} }).on('*', () => {})
  const response = await toHandler(receiver)((await signed()).request(URL_OF_TESTS), { waitUntil })
  expect(response.status).toBe(200)
  const fromWorker = await toWorkerHandler(receiver)((await signed()).request(URL_OF_TESTS), {}, { waitUntil })
  expect(fromWorker.status).toBe(200)
})

describe.each<[string, (request: never) => Promise<Response>]>([
  ['fetch', toHandler(newReceiver())],
  ['cloudflare', (request) => toWorkerHandler(newReceiver())(request, {}, { waitUntil: () => {} })],
])('the handler of /%s', (name, handle) => {
  test.each([
    ['nothing', undefined, 'was given undefined'],
    ['null', null, 'was given null'],
    ['a body', '{}', 'was given string'],
  ])('refuses %s with the fix', async (_, value, message) => {
    const handled = async () => handle(value as never)
    await expect(handled()).rejects.toThrow(message)
    await expect(handled()).rejects.toMatchObject({ code: 'option_invalid' })
  })

  test('refuses the request of node:http', async () => {
    const error = await new Promise<unknown>((resolve) => {
      const server = createServer((request: IncomingMessage, response) => {
        response.end()
        handle(request as never).catch(resolve)
      }).listen(0, '127.0.0.1')
      servers.push(server)
      void once(server, 'listening').then(() =>
        fetch(`http://127.0.0.1:${(server.address() as { port: number }).port}`),
      )
    })
    expect(String(error)).toContain(name === 'fetch' ? 'Use govalid-webhooks/node' : 'was given object')
  })
})

test.each([
  [
    'SvelteKit’s event',
    { request: new Request(URL_OF_TESTS), params: {} },
    'SvelteKit, Astro, React Router). Pass event.request.',
  ],
  ['an event of h3 2', { req: new Request(URL_OF_TESTS) }, 'In h3, pass event.req.'],
  [
    'an event of h3 1 with a Request',
    { web: { request: new Request(URL_OF_TESTS) } },
    'an h3 event. Pass toWebRequest(event).',
  ],
  ['an event of h3 1', { node: { req: { headers: { host: 'x' } } } }, 'an h3 event. Pass toWebRequest(event).'],
  [
    'Koa’s context',
    { req: { headers: { host: 'x' } } },
    'In Koa, use govalid-webhooks/node with Node’s request and response.',
  ],
  ['a Lambda event', { requestContext: {}, headers: {} }, 'a Lambda event. Use govalid-webhooks/aws-lambda.'],
])('the handler of /fetch refuses %s in the terms of its framework', async (_, value, message) => {
  const handled = toHandler(newReceiver())(value as never)
  await expect(handled).rejects.toThrow(message)
  await expect(handled).rejects.toMatchObject({ code: 'option_invalid' })
})

test.each([toHandler, toWorkerHandler])('refuses at creation what is no receiver', (create) => {
  for (const value of [undefined, null, {}, 'text']) {
    expect(() => create(value as never)).toThrow(/toHandler must be given a receiver.*option_invalid/)
  }
})
