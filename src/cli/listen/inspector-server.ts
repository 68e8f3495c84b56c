/**
 * The inspector's HTTP server, on loopback only. The page itself contains no data. Deliveries are sent only to requests with the token of
 * this start. The token is in the URL's fragment, which browsers never send, and comes back in a header, which other sites can't set.
 * Requests with a foreign host name (DNS rebinding) or from another site's page are refused.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { ApiReply, InspectorApi } from './inspector-api.js'
import type { Watchers } from './watchers.js'

/** The built page: one document, and the hashes of its inline script and style. */
export interface Page {
  readonly html: string
  readonly scriptHash: string
  readonly styleHash: string
}

/** The options of `createInspectorServer`. */
export interface InspectorServerOptions {
  readonly page: Page
  /** The token that every API request must send. */
  readonly token: string
  readonly watchers: Watchers
  readonly api: InspectorApi
}

const TOKEN_HEADER = 'x-inspector-token'
const MAX_REQUEST_BYTES = 8 * 1024 * 1024

/** Creates the server. */
export function createInspectorServer(options: InspectorServerOptions): Server {
  return createServer((request, response) => {
    serve(options, request, response).catch(() => response.destroy())
  })
}

async function serve(
  { page, token, watchers, api }: InspectorServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams: query } = new URL(`http://inspector${request.url ?? '/'}`)
  const method = request.method ?? ''
  const refused = refuseForeign(request)
  if (refused) return reply(response, refused)
  if (pathname === '/' && method === 'GET') return sendPage(response, page)
  if (!pathname.startsWith('/api/')) return reply(response, error(404, 'Not found.'))
  if (!isToken(request.headers[TOKEN_HEADER], token)) {
    return reply(response, error(401, 'The token is missing or belongs to an earlier start.'))
  }
  const path = pathname.slice('/api'.length)
  if (path === '/live' && method === 'GET') return watch(response, watchers)
  const bytes = await readBody(request)
  if (!bytes) return reply(response, error(413, 'The request is too large.'))
  reply(response, await api({ method, path, query, body: parse(bytes) }))
}

/** Refuses requests with another host name or origin than this server's own, even if that name resolves to this machine. */
function refuseForeign({ headers, socket }: IncomingMessage): ApiReply | undefined {
  const names = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${socket.localPort}`)
  if (!names.includes(headers.host ?? '')) return error(421, 'Open the inspector at the address that listen printed.')
  const { origin } = headers
  const isOwn = origin === undefined || names.some((name) => origin === `http://${name}`)
  return isOwn ? undefined : error(403, "Requests from another site aren't allowed.")
}

/** Compares digests, because they have the same length and can be compared in constant time. */
function isToken(value: unknown, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return typeof value === 'string' && timingSafeEqual(digest(value), digest(token))
}

const SECURITY_HEADERS = {
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
    // The browser throws if future code turns text into markup.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ]
  response.writeHead(200, {
    ...SECURITY_HEADERS,
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy.join('; '),
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    'x-frame-options': 'DENY',
  })
  response.end(html)
}

/** Starts a stream of server-sent events. The page reads it with `fetch`, because an EventSource can't send the token in a header. */
function watch(response: ServerResponse, watchers: Watchers): void {
  response.writeHead(200, { ...SECURITY_HEADERS, 'content-type': 'text/event-stream; charset=utf-8' })
  watchers.add(response)
}

function error(status: number, message: string): ApiReply {
  return { status, value: { error: message } }
}

function reply(response: ServerResponse, { status, value }: ApiReply): void {
  response.writeHead(status, { ...SECURITY_HEADERS, 'content-type': 'application/json; charset=utf-8' })
  response.end(JSON.stringify(value))
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = []
  let total = 0
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    total += chunk.length
    if (total > MAX_REQUEST_BYTES) return undefined
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
