/** A body that isn't read to its end: the response arrives although the sender keeps sending, and then the connection ends. */
import { expect, test } from 'vitest'
import { toHandler as toNodeHandler } from '../../src/adapters/node.js'
import { createReceiver } from '../../src/index.js'
import { listenNode, NODE_SERVERS } from './node-servers.js'
import { close, portOf } from './targets/in-process.js'
import { openLine } from './tcp.js'

const receiver = createReceiver({ secret: 'your_webhook_secret', maxBodyBytes: 1000, onError: () => {} })

// A well-formed signature, because the body of an unsigned request isn't read.
const SIGNATURE = `x-govalid-signature: sha256=${'0'.repeat(64)}`
const HEAD = `POST / HTTP/1.1\r\nhost: localhost\r\n${SIGNATURE}\r\ntransfer-encoding: chunked\r\n\r\n`
const PIECE = `10000\r\n${'x'.repeat(0x10000)}\r\n`

test.each(Object.entries(NODE_SERVERS))(
  '%s responds with 413, reads the rest of the body for a moment, and ends the connection',
  async (_, start) => {
    const server = await start(receiver)
    const line = await openLine(portOf(server))
    const faults: unknown[] = []
    line.socket.on('error', (error) => faults.push(error))
    await line.write(HEAD)
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
  const server = await listenNode(toNodeHandler(receiver))
  const line = await openLine(portOf(server))
  await line.write(HEAD)
  await line.write(PIECE)
  expect((await line.reply).status).toBe(413)
  await line.closed
  await close(server)
})

test('a request that was already read to its end gets its 413 without a delay', async () => {
  const handle = toNodeHandler(receiver)
  let isEnded: boolean | undefined
  const server = await listenNode(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    await handle(Object.assign(request, { rawBody: Buffer.concat(chunks) }), response)
    isEnded = response.writableEnded
  })
  const line = await openLine(portOf(server))
  await line.write(HEAD)
  await line.write(`${PIECE}0\r\n\r\n`)
  expect((await line.reply).status).toBe(413)
  await line.closed
  expect(isEnded).toBe(true)
  await close(server)
})
