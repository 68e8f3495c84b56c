/** The server of a load benchmark, in its own process: Express or Fastify with one subject. Reports what it has done on request. */
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import fastify from 'fastify'
import { toHandler } from '../../src/adapters/express.js'
import { toPlugin } from '../../src/adapters/fastify.js'
import { createReceiver, type Receiver } from '../../src/index.js'
import { receiveByHand } from '../by-hand.js'
import { SECRET } from '../deliveries.js'
import { watchBlocks } from './longest-block.js'
import { type Opened, type Place, SUBJECTS } from './subjects.js'

/** The framework of a server. */
export type Framework = 'Express' | 'Fastify'

/** What a server process serves. */
export interface ServerTask {
  readonly framework: Framework
  /** A key of `SUBJECTS`. */
  readonly subject: string
  readonly place: Place
  /** Measures blocks of the event loop, which takes a few microseconds per delivery. */
  readonly watchesBlocks: boolean
}

/** What a server has done since the last report. */
export interface ServerReport {
  readonly port: number
  readonly cpuMicros: number
  /** Handler calls, and how many of them were for a delivery that was already handled. */
  readonly handled: number
  readonly doubled: number
  readonly longestBlockMs: number
  /** The codes that were reported to `onError`. */
  readonly reports: readonly string[]
}

const PATH = '/webhooks/govalid'
/** Node's default of 511 drops connections of a burst, and their clients try again after a second. */
const BACKLOG = 4096

/** Serves until the parent process sends `end` or exits. Sends a report in reply to every other message. */
export async function serveLoad({ framework, subject, place, watchesBlocks }: ServerTask): Promise<void> {
  const opened = await (SUBJECTS[subject] ?? unknownSubject(subject)).open(place)
  const tally = createTally()
  const receiver = opened.insert ? undefined : createSubjectReceiver(opened, tally)
  const respond = opened.insert && respondByHand(opened.insert, tally.handle)
  const server =
    framework === 'Express' ? await listenExpress(receiver, respond) : await listenFastify(receiver, respond)
  server.keepAliveTimeout = 0
  const blocks = watchesBlocks ? watchBlocks() : { take: () => 0 }
  let cpu = process.cpuUsage()
  const report = () => {
    const { user, system } = process.cpuUsage(cpu)
    cpu = process.cpuUsage()
    const { port } = server.address() as AddressInfo
    const found = { port, cpuMicros: user + system, longestBlockMs: blocks.take(), ...tally.take() }
    process.send?.(found satisfies ServerReport)
  }
  const end = async () => {
    server.closeAllConnections()
    server.close()
    await receiver?.close()
    await opened.end()
    process.exit()
  }
  process.on('message', (message) => void (message === 'end' ? end() : report()))
  process.on('disconnect', end)
  report()
}

function unknownSubject(name: string): never {
  throw new Error(`There is no subject ${name}.`)
}

interface Tally {
  handle(id: string): void
  report(code: string): void
  take(): Pick<ServerReport, 'handled' | 'doubled' | 'reports'>
}

function createTally(): Tally {
  const ids = new Set<string>()
  const reports = new Set<string>()
  let handled = 0
  let doubled = 0
  return {
    handle(id) {
      handled++
      if (ids.has(id)) doubled++
      ids.add(id)
    },
    report: (code) => void reports.add(code),
    take() {
      const taken = { handled, doubled, reports: [...reports] }
      reports.clear()
      handled = 0
      doubled = 0
      return taken
    },
  }
}

function createSubjectReceiver({ store, inbox }: Opened, tally: Tally): Receiver {
  const onError = ({ code }: { readonly code: string }) => tally.report(code)
  return createReceiver({ secret: SECRET, store, inbox, onError }).on('qr.scanned', ({ data }) =>
    tally.handle(data.qr_id),
  ) as Receiver
}

/** Verifies, deduplicates and handles a delivery. Returns the outcome. */
type Respond = (body: Buffer, signature: string) => Promise<string>

function respondByHand(insert: (key: string) => unknown, handle: (id: string) => void): Respond {
  return async (body, signature) => {
    const event = receiveByHand({ body, signature })
    if (!isInserted(await insert(createHash('sha256').update(body).digest('hex')))) return 'duplicate'
    handle(event.data.qr_id)
    return 'processed'
  }
}

/** Whether the key is new, by the reply of Redis, Postgres or SQLite. */
function isInserted(reply: unknown): boolean {
  if (reply === null) return false
  const { rowCount, changes } = Object(reply) as { readonly rowCount?: number; readonly changes?: number | bigint }
  return rowCount !== 0 && Number(changes ?? 1) !== 0
}

async function listenExpress(receiver: Receiver | undefined, respond: Respond | undefined): Promise<Server> {
  const app = express()
  if (receiver) app.post(PATH, toHandler(receiver))
  else if (respond) {
    app.post(PATH, express.raw({ type: 'application/json' }), async (request, response) => {
      const status = await respond(request.body as Buffer, request.get('x-govalid-signature') ?? '')
      response.status(200).json({ status })
    })
  }
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: BACKLOG }, resolve))
  return server
}

async function listenFastify(receiver: Receiver | undefined, respond: Respond | undefined): Promise<Server> {
  const app = fastify()
  if (receiver) await app.register(toPlugin(receiver), { path: PATH })
  else if (respond) {
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    app.post(PATH, async (request) => {
      const status = await respond(request.body as Buffer, String(request.headers['x-govalid-signature']))
      return { status }
    })
  }
  await app.listen({ port: 0, host: '127.0.0.1', backlog: BACKLOG })
  return app.server
}
