// @vitest-environment jsdom
/** Real deliveries under `environment: 'jsdom'`, whose `Uint8Array`, `ArrayBuffer` and `Headers` differ from Node's. */
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingMessage, request, type Server } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, test } from 'vitest'
import { toHandler as toFetchHandler } from '../../src/adapters/fetch.js'
import { isError } from '../../src/errors.js'
import { sqliteInbox } from '../../src/inboxes/sqlite/sqlite-inbox.js'
import { assertSignature, createReceiver, type Receiver } from '../../src/index.js'
import { errorText } from '../../src/receiver/reporter.js'
import { sqliteStore } from '../../src/stores/sqlite/sqlite-store.js'
import { createEvent, explain, signDelivery, simulateSender } from '../../src/testing/index.js'
import { NODE_SERVERS } from './node-servers.js'
import { close, portOf } from './targets/in-process.js'

const secret = 'your_webhook_secret'
let server: Server | undefined

afterEach(async () => {
  if (server) await close(server)
  server = undefined
})

test('the environment has its own classes', () => {
  expect('document' in globalThis).toBe(true)
  expect(Buffer.from('x') instanceof Uint8Array).toBe(false)
})

async function post(receiver: Receiver, start: (receiver: Receiver) => Promise<Server>) {
  server = await start(receiver)
  const body = Buffer.from(JSON.stringify(createEvent('qr.scanned')))
  const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
  const headers = { 'x-govalid-signature': signature, 'content-length': String(body.length) }
  const sent = request({ port: portOf(server), host: '127.0.0.1', method: 'POST', headers, agent: false }).end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: response.statusCode, body: await text(response) }
}

describe.each(Object.entries(NODE_SERVERS))('%s', (_, start) => {
  test('processes a delivery', async () => {
    const seen: unknown[] = []
    const receiver = createReceiver({ secret }).on('qr.scanned', (_event, { rawBody }) => seen.push(rawBody.byteLength))
    expect(await post(receiver, start)).toEqual({ status: 200, body: '{"status":"processed"}' })
    expect(seen).toHaveLength(1)
  })
})

test('the SQLite store keeps a quarantined delivery with its bytes', async () => {
  const store = sqliteStore({ database: new DatabaseSync(':memory:') })
  const receiver = createReceiver({ secret, store, onError: () => {} })
  const { delivery, rawBody } = await signDelivery('not JSON', { secret })
  expect(await receiver.receive(delivery)).toMatchObject({ status: 'quarantined' })
  const [entry] = await store.quarantine.list()
  expect(Buffer.from(entry?.rawBody ?? []).toString()).toBe(Buffer.from(rawBody).toString())
})

test('bytes, text, buffers and secrets of either realm are accepted', async () => {
  const body = JSON.stringify(createEvent('qr.created'))
  const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
  const bytes = new TextEncoder().encode(body)
  for (const payload of [body, bytes, new Uint8Array(bytes), Buffer.from(body)])
    for (const key of [secret, Buffer.from(secret), new TextEncoder().encode(secret)])
      await expect(assertSignature(payload, signature, key)).resolves.toBeUndefined()
})

test('the testing tools sign, explain and deliver', async () => {
  const signed = await signDelivery(createEvent('qr.scanned'), { secret })
  const handle = toFetchHandler(createReceiver({ secret }).on('qr.scanned', () => {}))
  expect((await handle(signed.request('https://example.com/'))).status).toBe(200)
  for (const rawBody of [signed.rawBody, Buffer.from(signed.rawBody)])
    for (const headers of [new Headers(signed.headers), signed.headers])
      expect(await explain({ rawBody, headers, secret })).toEqual({ valid: true, secretIndex: 0 })
  const { deliveries } = await simulateSender({ to: handle, secret, payloads: [Buffer.from(signed.rawBody)] })
  expect(deliveries[0]).toMatchObject({ status: 'delivered' })
})

test('the SQLite inbox processes an accepted delivery', async () => {
  const inbox = sqliteInbox({ database: new DatabaseSync(':memory:') })
  const receiver = createReceiver({ secret, inbox })
  const processed = new Promise((resolve) => receiver.on('qr.scanned', resolve))
  const { delivery } = await signDelivery(createEvent('qr.scanned'), { secret })
  expect(await receiver.receive(delivery)).toMatchObject({ status: 'accepted' })
  await processed
  await receiver.close()
})

test('errors of another realm are recognized and printed with their stack', () => {
  const foreign: unknown = runInNewContext('new TypeError("from another realm")')
  expect(foreign instanceof Error).toBe(false)
  expect(isError(foreign)).toBe(true)
  expect(errorText(foreign)).toMatch(/^TypeError: from another realm\n\s+at /)
})
