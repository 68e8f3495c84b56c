/** The webhook on every Node framework, each on a free port. */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import express5 from 'express'
// @ts-expect-error: the installed types are for Express 5
import express4 from 'express4'
import fastify5 from 'fastify'
import fastify4 from 'fastify4'
import { toHandler as toExpressHandler } from '../../src/adapters/express.js'
import { toPlugin } from '../../src/adapters/fastify.js'
import { toHandler as toNodeHandler } from '../../src/adapters/node.js'
import type { Receiver } from '../../src/index.js'

/** Starts `node:http` with a request handler. */
export async function listenNode(listener: RequestListener): Promise<Server> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function listenFastify(fastify: typeof fastify5, receiver: Receiver): Promise<Server> {
  const app = fastify()
  app.register(toPlugin(receiver), { path: '/' })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server
}

/** Starts the webhook at `/`, by the name of the framework. */
export const NODE_SERVERS: Readonly<Record<string, (receiver: Receiver) => Promise<Server>>> = {
  'node:http': (receiver) => listenNode(toNodeHandler(receiver)),
  'Express 5': (receiver) => listenNode(express5().post('/', toExpressHandler(receiver))),
  'Express 4': (receiver) => listenNode(express4().post('/', toExpressHandler(receiver))),
  'Fastify 5': (receiver) => listenFastify(fastify5, receiver),
  'Fastify 4': (receiver) => listenFastify(fastify4 as unknown as typeof fastify5, receiver),
}
