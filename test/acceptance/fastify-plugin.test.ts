// Acceptance cases 74 and 75, and the plugin's other promises to the app around it, in Fastify 5 and 4.
import { Readable } from 'node:stream'
import fastify5, { type FastifyInstance } from 'fastify'
import fastify3 from 'fastify3'
import fastify4 from 'fastify4'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { toPlugin } from '../../src/adapters/fastify.js'
import { isWebhookError } from '../../src/index.js'
import { PROCESSED, refused, UNAUTHENTIC } from './case.js'
import { h, scan, signatureOf, signed, withSignature } from './deliveries.js'
import { createStage } from './run.js'
import type { Target } from './target.js'
import { close, createInProcess, type InProcess, portOf } from './targets/in-process.js'
import { exchange, toBytes } from './tcp.js'

const VERSIONS = [
  { name: 'Fastify 5', fastify: fastify5 },
  // Typed as Fastify 5, because the parts used here are the same.
  { name: 'Fastify 4', fastify: fastify4 as unknown as typeof fastify5 },
]

describe.each(VERSIONS)('the plugin in an app of $name', ({ name, fastify }) => {
  let app: FastifyInstance
  let inProcess: InProcess
  let logged: string[]

  beforeEach(async () => {
    inProcess = createInProcess()
    logged = []
    app = fastify({ logger: { level: 'info', stream: { write: (line: string) => void logged.push(line) } } })
  })
  afterEach(async () => {
    if (app.server.listening) await close(app.server)
    await app.close()
    inProcess.dispose()
  })

  const register = (options: object = { path: '/webhooks/default' }) =>
    app.register(toPlugin(inProcess.lab.receiver('default')), options as { path: string })

  async function listen(): Promise<Target> {
    await app.listen({ port: 0, host: '127.0.0.1' })
    const unused = { status: 404, by: 'framework', why: 'these tests send only POST' } as const
    const traits = { parser: 'node', otherMethods: unused, options: unused } as const
    return {
      name,
      class: 'fastify',
      traits,
      port: portOf(app.server),
      control: inProcess.control,
      stop: async () => {},
    }
  }

  const postTo = (target: Target, path: string, type: string, text: string) =>
    exchange(target.port, toBytes({ path, headers: [h('Content-Type', type)], body: Buffer.from(text) }, path))

  test('74 other routes keep the app’s parsers', async () => {
    app.post('/echo', async (request) => ({ got: request.body }))
    register()
    app.post('/echo-after', async (request) => ({ got: request.body, type: request.headers['content-type'] }))
    const target = await listen()
    await createStage(target).step({ request: signed(scan()), expected: PROCESSED })
    expect((await postTo(target, '/echo', 'application/json', '{"a":1}')).body).toBe('{"got":{"a":1}}')
    expect((await postTo(target, '/echo-after', 'application/json', '{"a":1}')).body).toBe(
      '{"got":{"a":1},"type":"application/json"}',
    )
    expect((await postTo(target, '/echo', 'application/json', '{')).status).toBe(400)
    expect((await postTo(target, '/echo', 'application/x-unknown', 'x')).status).toBe(415)
  })

  test('75 the webhook is processed, and another plugin keeps its parser for every type', async () => {
    app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, `parsed: ${body}`))
    app.post('/echo', async (request) => ({ got: request.body }))
    register()
    const target = await listen()
    const stage = createStage(target)
    for (const type of ['application/json', 'text/plain', 'application/x-unknown', ';;;']) {
      const { body, headers } = signed(scan())
      await stage.step({
        request: { body: body as Buffer, headers: [...headers.slice(1), h('Content-Type', type)] },
        expected: PROCESSED,
      })
    }
    expect((await postTo(target, '/echo', 'application/x-unknown', 'x')).body).toBe('{"got":"parsed: x"}')
  })

  test.each([
    { what: 'binary bodies', type: 'application/octet-stream' as string | RegExp },
    { what: 'content types that match a pattern', type: /^.*$/ as string | RegExp },
  ])('75b another plugin’s parser for $what does not read the webhook’s body', async ({ type }) => {
    app.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    app.post('/echo', async (request) => ({ bytes: (request.body as Buffer).byteLength }))
    register()
    const target = await listen()
    await createStage(target).step({ request: signed(scan()), expected: PROCESSED })
    expect((await postTo(target, '/echo', 'application/octet-stream', 'four')).body).toBe('{"bytes":4}')
  })

  test.each([
    { options: {}, received: 'undefined' },
    { options: { path: '' }, received: '""' },
    { options: { path: 'webhooks' }, received: '"webhooks"' },
    { options: { path: 12 }, received: 'number' },
    { options: undefined, received: 'undefined' },
  ])(
    'an unusable path ($received) fails at registration, and the error names the fix',
    async ({ options, received }) => {
      app.register(toPlugin(inProcess.lab.receiver('default')), options as unknown as { path: string })
      const error: unknown = await app.ready().then(
        () => undefined,
        (reason: unknown) => reason,
      )
      expect(isWebhookError(error) && error.code).toBe('option_invalid')
      expect((error as Error).message).toContain(`it is ${received}`)
      expect((error as Error).message).toContain("{ path: '/webhooks/govalid' }")
    },
  )

  test('an app can have two receivers, and a prefix precedes the path', async () => {
    register({ path: '/govalid', prefix: '/hooks' })
    app.register(toPlugin(inProcess.lab.receiver('schema')), { path: '/other' })
    const target = await listen()
    const stage = createStage(target)
    await stage.step({ request: signed(scan(), { path: '/hooks/govalid' }), expected: PROCESSED })
    const { seen } = await stage.step({ request: signed(scan(), { path: '/other' }), expected: PROCESSED })
    expect(seen.handled[0]?.variant).toBe('schema')
  })

  test('the app’s hooks and log see the response', async () => {
    const responses: unknown[] = []
    app.addHook('onSend', async (_request, reply, payload) => {
      responses.push([reply.statusCode, String(payload)])
      reply.header('x-request-seen', 'yes')
      return payload
    })
    register()
    const target = await listen()
    const { reply } = await createStage(target).step({ request: withSignature(scan(), 'x'), expected: UNAUTHENTIC })
    expect(responses).toEqual([[401, '{"status":"refused"}']])
    expect(reply.headers['x-request-seen']).toBe('yes')
    expect(
      logged.filter((line) => line.includes('request completed') && line.includes('"statusCode":401')),
    ).toHaveLength(1)
  })

  test('an onRequest hook of the app can reject a request', async () => {
    app.addHook('onRequest', async (request, reply) => {
      if (request.headers['x-blocked']) return reply.code(403).send({ blocked: true })
    })
    register()
    const target = await listen()
    const reply = await createStage(target).send(signed(scan(), { headers: [h('X-Blocked', '1')] }))
    expect(reply.status).toBe(403)
    expect((await inProcess.control({ do: 'observe' })).outcomes).toEqual([])
  })

  test('a delivery is processed even if a hook of the app reads the media type', async () => {
    const seen: unknown[] = []
    app.addHook('onRequest', async (request) => void seen.push((request as { mediaType?: string }).mediaType))
    register()
    const target = await listen()
    const stage = createStage(target)
    await stage.step({ request: signed(scan()), expected: PROCESSED })
    const { body, headers } = signed(scan())
    await stage.step({
      request: { body: body as Buffer, headers: [...headers.slice(1), h('Content-Type', 'text/plain')] },
      expected: PROCESSED,
    })
    expect(seen).toEqual(name === 'Fastify 5' ? ['application/json', 'text/plain'] : [undefined, undefined])
  })

  test('the receiver’s body limit applies instead of the app’s', async () => {
    await app.close()
    app = fastify({ bodyLimit: 16 })
    register()
    const target = await listen()
    const stage = createStage(target)
    await stage.step({ request: signed(scan()), expected: PROCESSED })
    await stage.step({ request: signed(Buffer.alloc(2 * 1024 * 1024, 'x')), expected: refused('body_too_large') })
  })

  test('after a preParsing hook that consumed the stream: 500 immediately, and the report names the fix', async () => {
    app.addHook('preParsing', async (_request, _reply, payload) => {
      const chunks: Buffer[] = []
      for await (const chunk of payload) chunks.push(chunk as Buffer)
      return Readable.from(chunks)
    })
    register()
    const target = await listen()
    const { seen, reply } = await createStage(target).step({
      request: signed(scan()),
      expected: refused('body_already_parsed'),
    })
    expect(reply.tookMs).toBeLessThan(1000)
    expect(seen.reports[0]?.message).toContain('preParsing hook')
    expect(seen.reports[0]?.message).toContain('request.rawBody')
  })

  test('bytes that a preParsing hook kept in request.rawBody are used, but a string is not', async () => {
    let keepText = false
    app.addHook('preParsing', async (request, _reply, payload) => {
      const chunks: Buffer[] = []
      for await (const chunk of payload) chunks.push(chunk as Buffer)
      const bytes = Buffer.concat(chunks)
      Object.assign(request, { rawBody: keepText ? bytes.toString() : bytes })
      return Readable.from(chunks)
    })
    register()
    const target = await listen()
    const stage = createStage(target)
    await stage.step({ request: signed(scan()), expected: PROCESSED })
    keepText = true
    await stage.step({ request: signed(scan()), expected: refused('body_already_parsed') })
  })

  test('app.inject works without a socket', async () => {
    register()
    const body = scan()
    const inject = (signature: string) =>
      app.inject({
        method: 'POST',
        url: '/webhooks/default',
        headers: { 'content-type': 'application/json', 'x-govalid-signature': signature },
        payload: body,
      })
    const good = await inject(signatureOf(body))
    expect({ status: good.statusCode, body: good.json() }).toEqual({ status: 200, body: { status: 'processed' } })
    expect((await inject('x')).statusCode).toBe(401)
  })

  test('the quarantine receives the original headers', async () => {
    app.register(toPlugin(inProcess.lab.receiver('quarantine-sink')), { path: '/webhooks/quarantine-sink' })
    const target = await listen()
    const body = Buffer.from('no json')
    const headers = [h('Content-Type', 'application/x-strange; a=b'), h('X-GoValid-Signature', signatureOf(body))]
    const reply = await createStage(target).send({ headers, body }, 'quarantine-sink')
    expect(reply.status).toBe(200)
    const [entry] = (await inProcess.control({ do: 'observe' })).quarantined
    expect(entry?.headers['content-type']).toBe('application/x-strange; a=b')
  })

  test('the app’s error handler, serializer and not-found handler do not change a response', async () => {
    app.setErrorHandler((_error, _request, reply) => reply.code(418).send({ teapot: true }))
    app.setReplySerializer((payload) => JSON.stringify({ wrapped: payload }))
    app.setNotFoundHandler((_request, reply) => reply.code(404).send({ none: true }))
    register()
    const target = await listen()
    const stage = createStage(target)
    await stage.step({ request: signed(scan()), expected: PROCESSED })
    await stage.step({ request: withSignature(scan(), undefined), expected: UNAUTHENTIC })
  })
})

test('an app of Fastify 3 is refused at registration, and the error names the version and the update', async () => {
  const app = (fastify3 as unknown as typeof fastify5)()
  app.register(toPlugin({ receive: async () => ({ status: 'ignored' }) }), { path: '/webhooks/govalid' })
  const error = await app.ready().then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(isWebhookError(error) && error.code).toBe('option_invalid')
  expect(String(error)).toMatch(/version 4 or newer is needed\. Run: npm install fastify@latest/)
})
