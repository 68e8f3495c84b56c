/**
 * The program as a process of Node, Bun or Deno. It listens on a free port of 127.0.0.1 and prints it. It uses the runtime's own server
 * with the fetch adapter, or, with the argument `node:http`, the Node server with the Node adapter.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toHandler } from '../../../src/adapters/fetch.js'
import { toHandler as toNodeHandler } from '../../../src/adapters/node.js'
import { assertSignature, createReceiver, isWebhookError } from '../../../src/index.js'
import { createProgram } from './program.js'

type Serve = (request: Request) => Promise<Response>

interface Runtimes {
  readonly Bun?: { serve(options: { hostname: string; port: number; fetch: Serve }): { readonly port: number } }
  readonly Deno?: {
    serve(options: { hostname: string; port: number; onListen(at: { port: number }): void }, handler: Serve): unknown
  }
}

const program = createProgram({ assertSignature, createReceiver, isWebhookError, toHandler })
const receive = toNodeHandler(program.scene.receiver)
const { Bun, Deno } = globalThis as Runtimes
const hostname = '127.0.0.1'
const listening = (port: number) => console.log(JSON.stringify({ port }))

const wanted = process.argv.at(-1)
if (wanted !== 'node:http' && Bun) listening(Bun.serve({ hostname, port: 0, fetch: program.handle }).port)
else if (wanted !== 'node:http' && Deno) {
  Deno.serve({ hostname, port: 0, onListen: ({ port }) => listening(port) }, program.handle)
} else {
  const server = createServer((request, response) => void serve(request, response))
  server.listen(0, hostname, () => listening((server.address() as AddressInfo).port))
}

/** Passes Node's own request to the receiver, and any other path to the program. */
async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url === '/webhooks') return receive(request, response)
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk)
  const body = chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}
  const method = request.method ?? 'GET'
  const result = await program.handle(new Request(`http://${hostname}${request.url}`, { method, ...body }))
  response.writeHead(result.status).end(await result.text())
}
