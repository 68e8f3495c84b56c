// Cases 69 to 73: what a body parser in front of the webhook does, in Express 5 and 4.
import { createServer, type RequestListener } from 'node:http'
import { gzipSync } from 'node:zlib'
import express5 from 'express'
// @ts-expect-error: the types of Express are those of version 5
import express4 from 'express4'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { toHandler } from '../../src/adapters/express.js'
import type { Expected, RequestSpec, Verdict } from './case.js'
import { PROCESSED, refused, UNAUTHENTIC } from './case.js'
import { h, scan, signed, withSignature } from './deliveries.js'
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
  raw(options: { type: string }): Middleware
  text(options?: { type: string }): Middleware
  urlencoded(options: { extended: boolean }): Middleware
}

const VERSIONS = [
  { name: 'Express 5', express: express5 as unknown as ExpressModule },
  { name: 'Express 4', express: express4 as ExpressModule },
]

const parsedBefore = refused('body_already_parsed')

describe.each(VERSIONS)('a body parser before the webhook, $name', ({ name, express }) => {
  let inProcess: InProcess
  let stop: (() => Promise<void>) | undefined

  beforeEach(() => {
    inProcess = createInProcess()
  })
  afterEach(async () => {
    await stop?.()
    inProcess.dispose()
  })

  /** Serves the webhook behind these middlewares. */
  async function serveBehind(...middlewares: readonly Middleware[]): Promise<Target> {
    const app = express()
    for (const middleware of middlewares) app.use(middleware)
    for (const variant of VARIANT_NAMES) app.post(`/webhooks/${variant}`, toHandler(inProcess.lab.receiver(variant)))
    const server = createServer(app)
    const port = await listen(server)
    stop = () => close(server)
    const none = { status: 404, by: 'framework', why: 'not asked here' } as const
    return {
      name,
      class: 'express',
      traits: { parser: 'node', otherMethods: none, options: none },
      port,
      control: inProcess.control,
      stop,
    }
  }

  /** Sends a delivery and checks its verdict and how soon it came. */
  async function expectVerdict(target: Target, request: RequestSpec, expected: Expected) {
    const { seen, reply } = await createStage(target).step({ request, expected })
    expect(reply.tookMs).toBeLessThan(1000)
    return seen
  }

  const GOOD: readonly { request: () => RequestSpec; expected: Verdict }[] = [
    { request: () => signed(scan()), expected: PROCESSED },
    { request: () => withSignature(scan(), `sha256=${'0'.repeat(64)}`), expected: UNAUTHENTIC },
  ]

  test('69 express.json() before it: 500 at once, and the report says what to change', async () => {
    const target = await serveBehind(express.json())
    const seen = await expectVerdict(target, signed(scan()), parsedBefore)
    expect(seen.outcomes[0]?.hint).toContain('app.use(express.json())')
    expect(seen.reports[0]?.message).toContain('above app.use(express.json())')
    expect(seen.handled).toEqual([])
  })

  test('69b express.json() that had nothing to parse does not matter', async () => {
    const target = await serveBehind(express.json())
    for (const type of ['text/plain', 'application/octet-stream']) {
      const { body, headers } = signed(scan())
      const others = headers.filter((header) => header.name !== 'Content-Type')
      await expectVerdict(target, { body: body as Buffer, headers: [...others, h('Content-Type', type)] }, PROCESSED)
      await expectVerdict(target, { body: scan(), headers: others }, UNAUTHENTIC)
    }
  })

  test('70 express.json({ verify }) that kept the bytes in rawBody: processed', async () => {
    const verify: KeepBytes = (request, _response, bytes) => {
      request.rawBody = bytes
    }
    await runCase(await serveBehind(express.json({ verify })), {
      number: '70',
      title: '',
      steps: () => GOOD.map(({ request, expected }) => ({ request: request(), expected })),
    })
  })

  test('71 express.raw() before it: processed; what it inflated is refused', async () => {
    const target = await serveBehind(express.raw({ type: '*/*' }))
    for (const { request, expected } of GOOD) await expectVerdict(target, request(), expected)
    const plain = scan()
    for (const signedBytes of [plain, gzipSync(plain)]) {
      const zipped = { ...signed(signedBytes, { headers: [h('Content-Encoding', 'gzip')] }), body: gzipSync(plain) }
      await expectVerdict(target, zipped, refused('body_encoded'))
    }
  })

  test('71b express.raw() for another type leaves the stream to the webhook', async () => {
    const target = await serveBehind(express.raw({ type: 'application/octet-stream' }))
    for (const { request, expected } of GOOD) await expectVerdict(target, request(), expected)
  })

  test('72 express.text() or urlencoded() before it: 500 at once', async () => {
    const asText = await serveBehind(express.text({ type: '*/*' }))
    await expectVerdict(asText, signed(scan()), parsedBefore)
    await stop?.()
    const asForm = await serveBehind(express.urlencoded({ extended: true }))
    const { body, headers } = signed(scan())
    const form = headers.map((header) =>
      header.name === 'Content-Type' ? h('Content-Type', 'application/x-www-form-urlencoded') : header,
    )
    await expectVerdict(asForm, { body: body as Buffer, headers: form }, parsedBefore)
  })

  test('73 a middleware that consumed the stream and left no body: 500 at once, no hang', async () => {
    const drain: Middleware = (request, _response, next) => {
      const read = async () => {
        for await (const _chunk of request);
        next()
      }
      void read()
    }
    const target = await serveBehind(drain)
    const seen = await expectVerdict(target, signed(scan()), parsedBefore)
    expect(seen.outcomes[0]?.code).toBe('body_already_parsed')
  })
})
