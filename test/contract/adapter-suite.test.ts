/** The adapter suite of `/testing`: it passes on `node:http`, and each planted fault fails the test that names it. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toHandler } from '../../src/adapters/node.js'
import { createReceiver, type Delivery, type Outcome, type Receiver } from '../../src/index.js'
import { type AdapterTarget, testAdapter } from '../../src/testing/index.js'

const SECRET = 'a secret for tests'
const SLOW_MS = 6000

interface Application {
  readonly server: Server
  readonly target: AdapterTarget
}

/** Creates an application. `wrap` may plant a fault around its receiver, and `serve` another one around its request handler. */
function createApplication({
  wrap = (receiver: Receiver): Pick<Receiver, 'receive'> => receiver,
  serve = (handle: RequestListener): RequestListener => handle,
  store = undefined as false | undefined,
} = {}): Application {
  const handled: string[] = []
  const receiver = createReceiver({ secret: SECRET, store, onError: () => {} })
    .on('qr.scanned', (event) => void handled.push(event.data.qr_id))
    .on('qr.expired', async (event) => {
      handled.push(String(event.data['qr_id']))
      await new Promise((resolve) => setTimeout(resolve, SLOW_MS))
    })
  const server = createServer(serve(toHandler(wrap(receiver))))
  return {
    server,
    target: {
      name: 'node:http',
      url: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/govalid`,
      secret: SECRET,
      handled: (qrId) => handled.filter((id) => id === qrId).length,
      slowEvent: 'qr.expired',
    },
  }
}

describe('on a sound application', () => {
  const { server, target } = createApplication()
  beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'))
  afterAll(() => void server.close())
  testAdapter({ describe, test }, target)
})

/** Runs one test of the suite on an application. */
async function runOn({ server, target }: Application, name: string): Promise<void> {
  const tests = new Map<string, () => Promise<void>>()
  testAdapter({ describe: (_, body) => body(), test: (title, body) => tests.set(title, body) }, target)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  try {
    await tests.get(name)?.()
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

const withBody =
  (change: (bytes: Buffer) => string | Uint8Array) =>
  (handle: RequestListener): RequestListener =>
    async function readFirst(request, response) {
      Object.assign(request, { rawBody: Buffer.from(change(await buffer(request))) })
      void handle(request, response)
    }
const refusing =
  (isRefused: (request: IncomingMessage) => boolean, status: number) =>
  (handle: RequestListener): RequestListener =>
    function refuseFirst(request, response) {
      if (isRefused(request)) response.writeHead(status).end()
      else void handle(request, response)
    }
const answering =
  (receive: (delivery: Delivery, receiver: Receiver) => Promise<Outcome>) =>
  (receiver: Receiver): Pick<Receiver, 'receive'> => ({ receive: (delivery) => receive(delivery, receiver) })

const FAULTS: readonly (readonly [fault: string, name: string, application: () => Application])[] = [
  [
    'an application that parses and serializes the body',
    'the body is verified as it was sent: spaces, escapes, number formats, non-ASCII text',
    () => createApplication({ serve: withBody((bytes) => JSON.stringify(JSON.parse(String(bytes)))) }),
  ],
  [
    'an application that decodes the body as text',
    'signed bytes that are not text get 200',
    () => createApplication({ serve: withBody(String) }),
  ],
  [
    'an application that decodes the body as latin-1',
    'the body is verified as it was sent: spaces, escapes, number formats, non-ASCII text',
    () => createApplication({ serve: withBody((bytes) => bytes.toString('latin1')) }),
  ],
  [
    'an application that responds before it knows the signature',
    'a forged delivery gets 401 and is not handled',
    () => createApplication({ wrap: answering(async () => ({ status: 'processed' })) }),
  ],
  [
    'an application that says processed without processing',
    'a signed delivery is handled once and gets 200',
    () => createApplication({ wrap: answering(async () => ({ status: 'processed' })) }),
  ],
  [
    'an application without deduplication',
    '10 copies at the same time are handled once',
    () => createApplication({ store: false }),
  ],
  [
    'an application that waits for slow handlers',
    'a slow handler gets 503 in time, continues, and makes the retry a duplicate',
    () =>
      createApplication({
        wrap: answering(async (delivery, receiver) => {
          const work: Promise<unknown>[] = []
          const outcome = await receiver.receive({ ...delivery, waitUntil: (promise) => void work.push(promise) })
          await Promise.all(work)
          return outcome
        }),
      }),
  ],
  [
    'an application that accepts only JSON',
    'the content type may be text/plain',
    () => createApplication({ serve: refusing(({ headers }) => headers['content-type'] === 'text/plain', 415) }),
  ],
  [
    'an application that refuses form posts from other sites',
    'the content type may be application/x-www-form-urlencoded',
    () => createApplication({ serve: refusing(({ headers }) => !!headers['content-type']?.includes('form'), 403) }),
  ],
  [
    'an application with a limit of 100 kB',
    'a body of 600 kB is handled',
    () => createApplication({ serve: refusing(({ headers }) => Number(headers['content-length']) > 1e5, 413) }),
  ],
  [
    'an application that redirects',
    'an address with a trailing slash gets 200 or 404, never a redirect',
    () => createApplication({ serve: refusing(({ url }) => !!url?.endsWith('/'), 308) }),
  ],
  [
    'an application that responds to GET',
    'GET gets 404 or 405',
    () => createApplication({ serve: refusing(({ method }) => method === 'GET', 200) }),
  ],
]

test.each(FAULTS)('the suite detects %s', async (_, name, application) => {
  await expect(runOn(application(), name)).rejects.toThrow('expected')
})

test('a target without a slow event skips the test of slow handlers', () => {
  const skipped: string[] = []
  const runTest = Object.assign(() => {}, { skip: (name: string) => void skipped.push(name) })
  const { slowEvent: _, ...target } = createApplication().target
  testAdapter({ describe: (_name, body) => body(), test: runTest }, target)
  expect(skipped).toEqual([expect.stringContaining('(skipped: the target has no slowEvent)')])
})
