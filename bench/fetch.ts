/**
 * `npm run bench -- fetch`: compares the CPU time per `Request` on Node, without sockets. It compares the fetch handler (without a store and
 * with `memoryStore`) with native HMAC by hand, WebCrypto by hand, and the web middleware of a peer.
 *
 * Options: `--rounds N` (41), `--batch N` (1,000 requests per round), `--ours` (skips the peers).
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { parseArgs } from 'node:util'
import { toHandler } from '../src/adapters/fetch.js'
import { createReceiver, type ReceiverOptions } from '../src/index.js'
import type { ScannedEvent } from './by-hand.js'
import { createDeliveries, KEY, type Received, SECRET } from './deliveries.js'
import { type Figure, measure, type Subject } from './measure.js'
import { loadPeers, type Peer } from './peers.js'
import { compareRow, printHead, printRows } from './report.js'

/** A body can be read only once, so each subject has its own request. */
type Item = ReadonlyMap<string, Request>
type Handle = (request: Request) => Promise<Response>

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '41' },
    batch: { type: 'string', default: '1000' },
    ours: { type: 'boolean', default: false },
  },
})
const FLOOR = 'by hand: `text()`, native HMAC, `JSON.parse`'
const aims: Readonly<Record<string, number>> = { 'ours, `store: false`': 1.15, 'ours, `memoryStore`': 1.15 }
const algorithm = { name: 'HMAC', hash: 'SHA-256' }
const webKey = await crypto.subtle.importKey('raw', Buffer.from(SECRET), algorithm, false, ['verify'])

printHead('A `Request` on Node')
const octokit = values.ours ? undefined : (await loadPeers()).find(({ name }) => name === 'Octokit')
const ours: Readonly<Record<string, Handle>> = {
  [FLOOR]: handleByHand,
  'ours, `store: false`': handlerOf({ store: false }),
  'ours, `memoryStore`': handlerOf({}),
}
const others: Readonly<Record<string, Handle>> = {
  'by hand: `arrayBuffer()`, WebCrypto, `JSON.parse`': handleOnWebCrypto,
  ...(octokit?.webMiddleware && { "Octokit's web middleware": octokit.webMiddleware() }),
}
const rows = await compare(ours)
for (const [name, handle] of Object.entries(others))
  rows.push(...(await compare({ [FLOOR]: handleByHand, [name]: handle })))
printRows('Bodies of about 300 bytes, an empty handler', rows)

async function compare(handlers: Readonly<Record<string, Handle>>) {
  const names = Object.keys(handlers)
  const figures = await measure<Item>(
    names.map((name) => subjectOf(name, handlers[name] as Handle)),
    {
      createBatch: (count) => Promise.all(createDeliveries(count).map((received) => itemOf(received, names))),
      batch: Number(values.batch),
      rounds: Number(values.rounds),
    },
  )
  const floor = figures.get(FLOOR) as Figure
  return names.slice(1).map((name) => compareRow(name, figures.get(name) as Figure, floor, aims[name]))
}

function subjectOf(name: string, handle: Handle): Subject<Item> {
  return {
    name,
    async run(batch) {
      for (const requests of batch) {
        const response = await handle(requests.get(name) as Request)
        if (response.status !== 200) throw new Error(`${name} returned ${response.status}, expected 200.`)
      }
    },
  }
}

async function itemOf(received: Received, names: readonly string[]): Promise<Item> {
  const requests = names.map(
    async (name) => [name, await requestOf(received, name.startsWith('Octokit') ? octokit : undefined)] as const,
  )
  return new Map(await Promise.all(requests))
}

let sent = 0

async function requestOf({ body, signature }: Received, peer?: Peer): Promise<Request> {
  const type = { 'content-type': 'application/json' }
  if (!peer)
    return new Request('http://127.0.0.1/', {
      method: 'POST',
      headers: { ...type, 'x-govalid-signature': signature },
      body,
    })
  const hub = (await peer.sign(body, true)).headers['signature'] ?? ''
  const headers = {
    ...type,
    'x-github-event': 'push',
    'x-github-delivery': `delivery-${sent++}`,
    'x-hub-signature-256': hub,
  }
  return new Request('http://127.0.0.1/api/github/webhooks', { method: 'POST', headers, body })
}

function handlerOf(options: Pick<ReceiverOptions, 'store'>): Handle {
  // `memoryStore` reports evictions at its capacity, which is its usual state in this benchmark.
  const receiver = createReceiver({ secret: SECRET, onError: () => {}, ...options }).on('qr.scanned', (event) =>
    count(event as ScannedEvent),
  )
  const handle = toHandler(receiver)
  return (request) => handle(request)
}

async function handleByHand(request: Request): Promise<Response> {
  const text = await request.text()
  const expected = createHmac('sha256', KEY).update(text).digest()
  const actual = Buffer.from(request.headers.get('x-govalid-signature')?.slice('sha256='.length) ?? '', 'hex')
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected))
    return new Response(null, { status: 401 })
  return countAndRespond(text)
}

async function handleOnWebCrypto(request: Request): Promise<Response> {
  const bytes = await request.arrayBuffer()
  const actual = Buffer.from(request.headers.get('x-govalid-signature')?.slice('sha256='.length) ?? '', 'hex')
  if (!(await crypto.subtle.verify('HMAC', webKey, actual, bytes))) return new Response(null, { status: 401 })
  return countAndRespond(new TextDecoder().decode(bytes))
}

function countAndRespond(text: string): Response {
  count(JSON.parse(text) as ScannedEvent)
  return new Response('{"status":"processed"}', { status: 200, headers: { 'content-type': 'application/json' } })
}

/** The handler of every subject. It only reads the event. */
function count(event: ScannedEvent): void {
  if (event.data.scan_count < 0) throw new Error('The event differs from the one that was sent.')
}
