/**
 * The servers that the HTTP benchmark compares, each in its own process. A server "by hand" verifies, parses, calls the handler and returns
 * 200. Our servers also validate, and deduplicate in memory.
 */
import { createServer, type RequestListener, type Server } from 'node:http'
import express from 'express'
import fastify from 'fastify'
import { toHandler as toExpressHandler } from '../../src/adapters/express.js'
import { toPlugin } from '../../src/adapters/fastify.js'
import { toHandler as toNodeHandler } from '../../src/adapters/node.js'
import { createReceiver, type Receiver } from '../../src/index.js'
import { receiveByHand, type ScannedEvent, verifyByHand } from '../by-hand.js'
import { SECRET } from '../deliveries.js'
import { loadPeers } from '../peers.js'

/** Starts a server on a free port. */
type Start = () => Promise<Server>

/** The servers, keyed by their name in the tables. */
export const SERVERS: Readonly<Record<string, Start>> = {
  'Express by hand, `express.raw`': () => listenExpress(express.raw({ type: 'application/json' }), respondByHand),
  'Express, ours': () => listenExpress(toExpressHandler(receiver())),
  'Express, ours, `store: false`': () => listenExpress(toExpressHandler(receiver({ store: false }))),
  'Express, Stripe after `express.raw`': () =>
    listenExpress(express.raw({ type: 'application/json' }), peerOnExpress('Stripe')),
  'Fastify by hand, raw parser': fastifyByHand,
  'Fastify, ours': fastifyOurs,
  '`node:http` by hand': () => listen(nodeByHand),
  '`node:http`, ours': () => listen(toNodeHandler(receiver())),
  "`node:http`, Octokit's middleware": async () => {
    const peer = await peerNamed('Octokit')
    if (!peer.middleware) throw new Error('Octokit has no middleware.')
    return listen(peer.middleware())
  },
}

/** Runs in a server's process: starts the server, sends its port to the parent, and sends its CPU usage on every message. */
export async function serve(name: string): Promise<void> {
  const server = await (SERVERS[name] as Start)()
  server.keepAliveTimeout = 0
  process.on('message', () => process.send?.(process.cpuUsage()))
  process.on('disconnect', () => process.exit())
  process.send?.((server.address() as { port: number }).port)
}

function receiver(options: { readonly store?: false } = {}): Receiver {
  // `memoryStore` reports evictions at its capacity, which is its usual state in this benchmark.
  return createReceiver({ secret: SECRET, onError: () => {}, ...options }).on('qr.scanned', (event) =>
    count(event as ScannedEvent),
  )
}

/** The handler of every server. It only reads the event. */
function count(event: ScannedEvent): void {
  if (event.data.scan_count < 0) throw new Error('The event differs from the one that was sent.')
}

function listen(listener: RequestListener): Promise<Server> {
  const server = createServer(listener)
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}

function listenExpress(...handlers: readonly express.RequestHandler[]): Promise<Server> {
  const app = express()
  app.post('/webhooks/govalid', ...handlers)
  return listen(app)
}

const respondByHand: express.RequestHandler = (request, response) => {
  const signature = request.get('x-govalid-signature') ?? ''
  if (!verifyByHand(request.body as Buffer, signature)) {
    response.status(401).end()
    return
  }
  count(JSON.parse((request.body as Buffer).toString('utf8')) as ScannedEvent)
  response.status(200).json({ status: 'processed' })
}

function peerOnExpress(name: string): express.RequestHandler {
  const loading = peerNamed(name)
  return async (request, response) => {
    const peer = await loading
    const signature = request.get('stripe-signature') ?? ''
    await peer.receive({ body: request.body as Buffer, headers: { signature } })
    response.status(200).json({ received: true })
  }
}

async function peerNamed(name: string) {
  const peer = (await loadPeers()).find((one) => one.name === name)
  if (!peer) throw new Error(`${name} is not installed. Run: npm run bench -- install`)
  return peer
}

async function fastifyByHand(): Promise<Server> {
  const app = fastify()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.post('/webhooks/govalid', (request, reply) => {
    const signature = request.headers['x-govalid-signature']
    const body = request.body as Buffer<ArrayBuffer>
    if (typeof signature !== 'string' || !verifyByHand(body, signature)) return reply.code(401).send()
    count(JSON.parse(body.toString('utf8')) as ScannedEvent)
    return reply.code(200).send({ status: 'processed' })
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server
}

async function fastifyOurs(): Promise<Server> {
  const app = fastify()
  await app.register(toPlugin(receiver()), { path: '/webhooks/govalid' })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server
}

const nodeByHand: RequestListener = (request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
    count(receiveByHand({ body, signature: String(request.headers['x-govalid-signature']) }))
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '22' })
    response.end('{"status":"processed"}')
  })
}
