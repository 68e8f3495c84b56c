/** A body that isn't read to its end: the response arrives although the sender keeps sending, and then the connection ends. */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import express5 from 'express'
// @ts-expect-error: the installed types are for Express 5
import express4 from 'express4'
import fastify5 from 'fastify'
import fastify4 from 'fastify4'
import { expect, test } from 'vitest'
import { toHandler as toExpressHandler } from '../../src/adapters/express.js'
import { toPlugin } from '../../src/adapters/fastify.js'
import { toHandler as toNodeHandler } from '../../src/adapters/node.js'
import { createReceiver } from '../../src/index.js'
import { close, portOf } from './targets/in-process.js'
import { openLine } from './tcp.js'

const receiver = createReceiver({ secret: 'your_webhook_secret', maxBodyBytes: 1000, onError: () => {} })

async function listen(listener: RequestListener): Promise<Server> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function listenFastify(fastify: typeof fastify5): Promise<Server> {
  const app = fastify()
  app.register(toPlugin(receiver), { path: '/' })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server
}

const SERVERS: Readonly<Record<string, () => Promise<Server>>> = {
  'node:http': () => listen(toNodeHandler(receiver)),
  'Express 5': () => listen(express5().post('/', toExpressHandler(receiver))),
  'Express 4': () => listen(express4().post('/', toExpressHandler(receiver))),
  'Fastify 5': () => listenFastify(fastify5),
  'Fastify 4': () => listenFastify(fastify4 as unknown as typeof fastify5),
}

const PIECE = `10000\r\n${'x'.repeat(0x10000)}\r\n`

test.each(Object.entries(SERVERS))(
  '%s responds with 413, reads the rest of the body for a moment, and ends the connection',
  async (_, start) => {
    const server = await start()
    const line = await openLine(portOf(server))
    const faults: unknown[] = []
    line.socket.on('error', (error) => faults.push(error))
    await line.write('POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n')
    await line.write(PIECE)
    const reply = await line.reply
    expect(reply).toMatchObject({ status: 413, headers: { connection: 'close' } })
    // This exceeds the connection's buffers, so the writes finish only if the server reads.
    for (let count = 0; count < 160; count++) await line.write(PIECE)
    await line.write('0\r\n\r\n')
    await line.closed
    expect(faults).toEqual([])
    await close(server)
  },
)

test('the connection ends even if the sender stops sending', async () => {
  const server = await listen(toNodeHandler(receiver))
  const line = await openLine(portOf(server))
  await line.write('POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n')
  await line.write(PIECE)
  expect((await line.reply).status).toBe(413)
  await line.closed
  await close(server)
})

test('a request that was already read to its end gets its 413 without a delay', async () => {
  const handle = toNodeHandler(receiver)
  let isEnded: boolean | undefined
  const server = await listen(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    await handle(Object.assign(request, { rawBody: Buffer.concat(chunks) }), response)
    isEnded = response.writableEnded
  })
  const line = await openLine(portOf(server))
  await line.write('POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n')
  await line.write(`${PIECE}0\r\n\r\n`)
  expect((await line.reply).status).toBe(413)
  await line.closed
  expect(isEnded).toBe(true)
  await close(server)
})
