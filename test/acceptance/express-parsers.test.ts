// Acceptance cases 69 to 73: a body parser in front of the webhook, in Express 5 and 4.
import { createServer, type RequestListener } from 'node:http'
import { gzipSync } from 'node:zlib'
import express5 from 'express'
// @ts-expect-error: the installed types are for Express 5
import express4 from 'express4'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { toHandler } from '../../src/adapters/express.js'
import type { Expected, RequestSpec, Verdict } from './case.js'
import { PROCESSED, refused, UNAUTHENTIC } from './case.js'
import { h, scan, scanOf, signed, withSignature } from './deliveries.js'
import { createStage, runCase } from './run.js'
import type { Target } from './target.js'
import { close, createInProcess, type InProcess, listen } from './targets/in-process.js'
import { VARIANT_NAMES } from './variants.js'

type Middleware = (request: Readable, response: unknown, next: () => void) => void
type Readable = AsyncIterable<Uint8Array> & { rawBody?: Uint8Array; readonly headers: Readonly<Record<string, string>> }
type KeepBytes = (request: Readable, response: unknown, bytes: Uint8Array) => void

interface ExpressModule {
  (): RequestListener & { use(middleware: Middleware): unknown; post(path: string, handler: unknown): unknown }
  json(options?: { verify?: KeepBytes; type?: string }): Middleware
  raw(options: { type: string; limit?: string }): Middleware
  text(options?: { type: string }): Middleware
  urlencoded(options: { extended: boolean }): Middleware
}

const VERSIONS = [
  { name: 'Express 5', express: express5 as unknown as ExpressModule },
  { name: 'Express 4', express: express4 as ExpressModule },
]

const alreadyParsed = refused('body_already_parsed')

describe.each(VERSIONS)('a body parser before the webhook in $name', ({ name, express }) => {
  let inProcess: InProcess
  let stop: (() => Promise<void>) | undefined

  beforeEach(() => {
    inProcess = createInProcess()
  })
  afterEach(async () => {
    await stop?.()
    inProcess.dispose()
  })

  /** Serves the webhook after these middlewares. */
  async function serveAfter(...middlewares: readonly Middleware[]): Promise<Target> {
    const app = express()
    for (const middleware of middlewares) app.use(middleware)
    for (const variant of VARIANT_NAMES) app.post(`/webhooks/${variant}`, toHandler(inProcess.lab.receiver(variant)))
    const server = createServer(app)
    const port = await listen(server)
    stop = () => close(server)
    const unused = { status: 404, by: 'framework', why: 'these tests send only POST' } as const
    return {
      name,
      class: 'express',
      traits: { parser: 'node', otherMethods: unused, options: unused },
      port,
      control: inProcess.control,
      stop,
    }
  }

  /** Sends a delivery and checks its verdict and the response time. */
  async function expectVerdict(target: Target, request: RequestSpec, expected: Expected) {
    const { seen, reply } = await createStage(target).step({ request, expected })
    expect(reply.tookMs).toBeLessThan(1000)
    return seen
  }

  const DELIVERIES: readonly { request: () => RequestSpec; expected: Verdict }[] = [
    { request: () => signed(scan()), expected: PROCESSED },
    { request: () => withSignature(scan(), `sha256=${'0'.repeat(64)}`), expected: UNAUTHENTIC },
  ]

  test('69 after express.json(): 500 immediately, and the report names the fix', async () => {
    const target = await serveAfter(express.json())
    const seen = await expectVerdict(target, signed(scan()), alreadyParsed)
    expect(seen.outcomes[0]?.hint).toContain('app.use(express.json())')
    expect(seen.reports[0]?.message).toContain('above app.use(express.json())')
    expect(seen.handled).toEqual([])
  })

  test('69b after express.json() that ignored the content type: processed', async () => {
    const target = await serveAfter(express.json())
    for (const type of ['text/plain', 'application/octet-stream']) {
      const { body, headers } = signed(scan())
      const others = headers.filter((header) => header.name !== 'Content-Type')
      await expectVerdict(target, { body: body as Buffer, headers: [...others, h('Content-Type', type)] }, PROCESSED)
      await expectVerdict(target, { body: scan(), headers: others }, UNAUTHENTIC)
    }
  })

  test('70 after express.json({ verify }) that kept the bytes in rawBody: processed', async () => {
    const verify: KeepBytes = (request, _response, bytes) => {
      request.rawBody = bytes
    }
    await runCase(await serveAfter(express.json({ verify })), {
      number: '70',
      title: '',
      steps: () => DELIVERIES.map(({ request, expected }) => ({ request: request(), expected })),
    })
  })

  test('71 after express.raw(): processed, and an inflated body is refused', async () => {
    const target = await serveAfter(express.raw({ type: '*/*' }))
    for (const { request, expected } of DELIVERIES) await expectVerdict(target, request(), expected)
    const plain = scan()
    for (const signedBytes of [plain, gzipSync(plain)]) {
      const zipped = { ...signed(signedBytes, { headers: [h('Content-Encoding', 'gzip')] }), body: gzipSync(plain) }
      await expectVerdict(target, zipped, refused('body_encoded'))
    }
  })

  test('71b after express.raw() for another content type: processed', async () => {
    const target = await serveAfter(express.raw({ type: 'application/octet-stream' }))
    for (const { request, expected } of DELIVERIES) await expectVerdict(target, request(), expected)
  })

  test('71c after express.raw() with its default limit: the parser refuses more than 100 kB, and the fix raises the limit', async () => {
    const large = scanOf(200_000)
    const limited = await serveAfter(express.raw({ type: '*/*' }))
    await expectVerdict(limited, signed(large), { response: { by: 'framework', status: [413] }, handled: 0 })
    await stop?.()
    await expectVerdict(await serveAfter(express.raw({ type: '*/*', limit: '1mb' })), signed(large), PROCESSED)
    await stop?.()
    const seen = await expectVerdict(await serveAfter(express.json()), signed(scan()), alreadyParsed)
    expect(seen.reports[0]?.message).toContain(
      "express.raw, pass { type: '*/*', limit: '1mb' }: its default limit is 100 kB",
    )
  })

  test('72 after express.text() or express.urlencoded(): 500 immediately', async () => {
    const asText = await serveAfter(express.text({ type: '*/*' }))
    await expectVerdict(asText, signed(scan()), alreadyParsed)
    await stop?.()
    const asForm = await serveAfter(express.urlencoded({ extended: true }))
    const { body, headers } = signed(scan())
    const form = headers.map((header) =>
      header.name === 'Content-Type' ? h('Content-Type', 'application/x-www-form-urlencoded') : header,
    )
    await expectVerdict(asForm, { body: body as Buffer, headers: form }, alreadyParsed)
  })

  test('73 after a middleware that consumed the stream: 500 immediately, without hanging', async () => {
    const drain: Middleware = (request, _response, next) => {
      const read = async () => {
        for await (const _chunk of request);
        next()
      }
      void read()
    }
    const target = await serveAfter(drain)
    const seen = await expectVerdict(target, signed(scan()), alreadyParsed)
    expect(seen.outcomes[0]?.code).toBe('body_already_parsed')
  })
})
