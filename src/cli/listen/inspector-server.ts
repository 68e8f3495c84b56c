/**
 * The inspector's server, on loopback alone. The page is the same for everybody and holds nothing; what was delivered is given only
 * to who knows this start's token. The token is in the address's fragment, which browsers send nowhere, and comes back in a header, which
 * no other site can set. A request under another host's name (DNS rebinding) or of another site's page is refused.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { ApiMeans } from './inspector-api.js'
import { type ApiReply, type ApiRequest, respondApi } from './inspector-api.js'
import type { Watchers } from './watchers.js'

/** The page as it is built: one document, and the hashes of what is inline in it. */
export interface Page {
  readonly html: string
  readonly scriptHash: string
  readonly styleHash: string
}

/** What the server works with. */
export interface InspectorMeans {
  readonly page: Page
  readonly token: string
  readonly watchers: Watchers
  readonly api: ApiMeans
}

const TOKEN_HEADER = 'x-inspector-token'
const MAX_BYTES = 8 * 1024 * 1024

/** Makes the server. */
export function createInspectorServer(means: InspectorMeans): Server {
  return createServer((request, response) => {
    serve(means, request, response).catch(() => response.destroy())
  })
}

async function serve(means: InspectorMeans, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams: query } = new URL(`http://inspector${request.url ?? '/'}`)
  const method = request.method ?? ''
  const refused = refuseForeign(request)
  if (refused) return reply(response, refused)
  if (pathname === '/' && method === 'GET') return sendPage(response, means.page)
  if (!pathname.startsWith('/api/')) return reply(response, error(404, 'There is nothing here.'))
  if (!isToken(request.headers[TOKEN_HEADER], means.token))
    return reply(response, error(401, 'The token is missing, or of an earlier start.'))
  const path = pathname.slice('/api'.length)
  if (path === '/live' && method === 'GET') return watch(response, means.watchers)
  const bytes = await readWhole(request)
  if (!bytes) return reply(response, error(413, 'That is too large.'))
  reply(response, await respondApi(means.api, { method, path, query, body: parse(bytes) } satisfies ApiRequest))
}

/** The names this server has, with the port it listens on: a page of another name's is not its own, wherever that name leads. */
function refuseForeign({ headers, socket }: IncomingMessage): ApiReply | undefined {
  const names = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${socket.localPort}`)
  if (!names.includes(headers.host ?? '')) return error(421, 'This server has another name.')
  const { origin } = headers
  const isOwn = origin === undefined || names.some((name) => origin === `http://${name}`)
  return isOwn ? undefined : error(403, 'Another site cannot ask here.')
}

/** Digests have one length, and comparing them takes one time. */
function isToken(given: unknown, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return typeof given === 'string' && timingSafeEqual(digest(given), digest(token))
}

const SAFE = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
}

function sendPage(response: ServerResponse, { html, scriptHash, styleHash }: Page): void {
  const policy = [
    "default-src 'none'",
    `script-src '${scriptHash}'`,
    `style-src '${styleHash}'`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    // Text that is made into markup throws, even if somebody should write code that tries.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ]
  response.writeHead(200, {
    ...SAFE,
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy.join('; '),
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    'x-frame-options': 'DENY',
  })
  response.end(html)
}

/** Server-sent events. The page reads them with `fetch`, which unlike an EventSource can send the token in a header. */
function watch(response: ServerResponse, watchers: Watchers): void {
  response.writeHead(200, { ...SAFE, 'content-type': 'text/event-stream; charset=utf-8' })
  watchers.add(response)
}

function error(status: number, message: string): ApiReply {
  return { status, value: { error: message } }
}

function reply(response: ServerResponse, { status, value }: ApiReply): void {
  response.writeHead(status, { ...SAFE, 'content-type': 'application/json; charset=utf-8' })
  response.end(JSON.stringify(value))
}

async function readWhole(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = []
  let total = 0
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    total += chunk.length
    if (total > MAX_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
