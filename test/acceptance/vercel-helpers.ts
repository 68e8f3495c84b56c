/**
 * The request helpers that `@vercel/node` 24 adds in front of a function (`addHelpers`). The package has 100 MB of dependencies, so these
 * are its steps: read the body, replay it through `read`, `on` and `addListener`, and parse it in a getter that throws.
 */
import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'

/** Adds the helpers to a request. Resolves when its body has been read. */
export async function addVercelHelpers(request: IncomingMessage): Promise<void> {
  const contentType = request.headers['content-type']
  const body = contentType === undefined ? Buffer.alloc(0) : await readBody(request)
  Object.defineProperty(request, 'body', {
    configurable: true,
    enumerable: true,
    get: () => parseBody(body, contentType?.split(';')[0]),
  })
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const replayed = new PassThrough()
  const originalOn = request.on.bind(request)
  const on = (name: string, listener: (...values: unknown[]) => void) =>
    name === 'data' || name === 'end' ? replayed.on(name, listener) : originalOn(name, listener)
  Object.assign(request, { read: replayed.read.bind(replayed), on, addListener: on })
  replayed.write(body)
  replayed.end()
  return body
}

function parseBody(body: Buffer, type: string | undefined): unknown {
  if (type === 'application/octet-stream') return body
  if (type === 'text/plain') return body.toString()
  if (type !== 'application/json') return undefined
  try {
    return body.length > 0 ? JSON.parse(body.toString()) : {}
  } catch {
    throw new Error('Invalid JSON')
  }
}
