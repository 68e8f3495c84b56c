// Features that only Next.js has: routes that read the body first, the pages router, a proxy, a build without the secret, and `after`.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import type { RequestSpec } from '../acceptance/case.js'
import { bytesOf, payload, scan, scanOf, signed } from '../acceptance/deliveries.js'
import { remoteControl } from '../acceptance/target.js'
import { exchange, openLine, type Reply, toBytes } from '../acceptance/tcp.js'
import { until } from '../acceptance/until.js'
import { MAX_BODY_BYTES, SECRET } from '../acceptance/variants.js'
import { expectWithin } from '../acceptance/within.js'
import { type NextServer, startNext } from './next-server.js'

const ALREADY_PARSED = '{"status":"refused","code":"body_already_parsed"}'

describe.each(['next16', 'next15'] as const)('%s', (version) => {
  let server: NextServer
  let control: ReturnType<typeof remoteControl>
  beforeAll(async () => {
    server = await startNext(inject('nextBuilds')[version], SECRET)
    control = remoteControl(server.port)
  })
  afterAll(() => server?.stop())
  beforeEach(() => control({ do: 'reset' }))

  const send = (path: string, request: RequestSpec): Promise<Reply> => exchange(server.port, toBytes(request, path))

  it.each([
    ['a route that read the body', '/read-before', 'export const POST = toHandler(receiver)'],
    ['the pages router with its body parser', '/api/parsed', 'bodyParser: false'],
  ])('%s gets a 500 immediately, and the report names the fix', async (_, path, fix) => {
    await expectWithin(100, async () => {
      const reply = await send(path, signed(scan()))
      expect({ status: reply.status, body: reply.body }).toEqual({ status: 500, body: ALREADY_PARSED })
      const { handled, store, reports } = await control({ do: 'observe' })
      expect({ handled, claims: store.claim }).toEqual({ handled: [], claims: 0 })
      expect(reports.map(({ code }) => code)).toEqual(['body_already_parsed'])
      expect(reports[0]?.message).toContain(fix)
      return reply.tookMs
    })
  })

  it('a route that is forced to be static gets a 500, and the log names the fix', async () => {
    expect((await send('/forced-static', signed(scan()))).status).toBe(500)
    const { logged, handled } = await control({ do: 'observe' })
    expect(logged).toEqual([expect.stringContaining("remove `export const dynamic = 'force-static'`")])
    expect(handled).toEqual([])
  })

  it.each([
    ['a route that read a clone', '/cloned-before'],
    ['the pages router without its body parser', '/api/unparsed'],
    ['a route behind a proxy', '/proxied'],
  ])('%s receives the delivery, byte for byte', async (_, path) => {
    const body = bytesOf(`\ufeff${JSON.stringify(payload({ note: 'ü\u0000 \ud83d\ude00' }))}\n`)
    const reply = await send(path, signed(body))
    expect({ status: reply.status, body: reply.body }).toEqual({ status: 200, body: '{"status":"processed"}' })
    const { handled } = await control({ do: 'observe' })
    expect(handled.map(({ rawBase64 }) => rawBase64)).toEqual([body.toString('base64')])
  })

  it('a body with a too large Content-Length is read before its 413, so its sender can read the response', async () => {
    const line = await openLine(server.port)
    const faults: unknown[] = []
    line.socket.on('error', (error) => faults.push(error))
    const piece = Buffer.alloc(64 * 1024, 'x')
    const pieces = 400
    await line.write(
      `POST /webhooks/default HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${pieces * piece.length}\r\n\r\n`,
    )
    // The pieces are sent one after another, because each must reach the connection's buffers before the next.
    for (let count = 0; count < pieces; count++) await line.write(piece)
    expect(await line.reply).toMatchObject({ status: 413, headers: { connection: 'close' } })
    await line.closed
    expect(faults).toEqual([])
  })

  it('an unsigned request is refused before its body arrives, and a sender in the middle of the body can read the 401', async () => {
    const head = 'POST /webhooks/default HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n'
    const early = await openLine(server.port)
    await early.write(head)
    expect((await early.reply).status).toBe(401)
    early.end()
    const line = await openLine(server.port)
    const faults: unknown[] = []
    line.socket.on('error', (error) => faults.push(error))
    const piece = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    await line.write(head)
    for (let count = 0; count < 400; count++) await line.write(piece)
    await line.write('0\r\n\r\n')
    expect((await line.reply).status).toBe(401)
    expect(faults).toEqual([])
    line.end()
  })

  it('a body with a too large Content-Length is refused even if other code holds its reader', async () => {
    const reply = await send('/locked-before', signed(scanOf(MAX_BODY_BYTES + 1)))
    expect({ status: reply.status, body: reply.body }).toEqual({ status: 413, body: '{"status":"refused"}' })
  })

  it('behind a proxy, a body of exactly the limit is processed and a larger body is refused', async () => {
    expect((await send('/proxied', signed(scanOf(MAX_BODY_BYTES)))).status).toBe(200)
    expect((await send('/proxied', signed(scanOf(MAX_BODY_BYTES + 1)))).status).toBe(413)
  })

  describe('the example', () => {
    const path = '/webhooks/govalid'

    it('passes a signed delivery to its handler', async () => {
      expect((await send(path, signed(scan()))).body).toBe('{"status":"processed"}')
      await until(
        async () => server.printed().includes('qr.scanned: Product Certificate #001, scan 15, Jakarta'),
        'the printed line',
      )
    })

    it('passes the other known event to its handler', async () => {
      const alarm = payload({ event: 'counterfeit.detected', data: { a: 1 } })
      expect((await send(path, signed(bytesOf(alarm)))).body).toBe('{"status":"processed"}')
      await until(
        async () => server.printed().includes(`counterfeit.detected at ${alarm.timestamp}: {"a":1}`),
        'the printed line',
      )
    })

    it('refuses a forged delivery', async () => {
      expect((await send(path, signed(scan(), {}, 'a guess'))).status).toBe(401)
    })
  })
})

describe('a build without the secret', () => {
  it('responds with 500 and logs the missing secret for each delivery', async () => {
    const server = await startNext(inject('nextBuilds').next16, undefined)
    try {
      for (const _ of [1, 2]) {
        const reply = await exchange(server.port, toBytes(signed(scan()), '/webhooks/govalid'))
        expect({ status: reply.status, body: reply.body }).toEqual({
          status: 500,
          body: '{"status":"refused","code":"secret_missing"}',
        })
      }
      expect(server.printed()).toContain('secret_missing: secret is undefined')
    } finally {
      await server.stop()
    }
  })
})

describe.each(['next16', 'next15'] as const)('a shutdown of %s', (version) => {
  it('waits for a handler that is still running after the response, because of `after`', async () => {
    const server = await startNext(inject('nextBuilds')[version], SECRET)
    try {
      const reply = await exchange(server.port, toBytes(signed(scan()), '/after-response'))
      expect(reply.body).toBe('{"status":"unfinished"}')
      expect(server.printed()).not.toContain('the handler has finished')
      await server.terminate()
      expect(server.printed()).toContain('the handler has finished')
    } finally {
      await server.stop()
    }
  })
})

describe('the Next.js example', () => {
  it('has the same handlers as the other examples', () => {
    const read = (file: string) => readFileSync(join(import.meta.dirname, '../../examples', file), 'utf8')
    const handlers = (source: string) =>
      /^ {2}\.on\('qr\.scanned'[\s\S]+?^ {2}\}\)$\n^ {2}\.on[\s\S]+?^ {2}\}\)$/m.exec(source)?.[0]
    const ours = handlers(read('nextjs/app/webhooks/govalid/route.ts'))
    expect(ours).toContain('counterfeit.detected')
    expect(ours).toBe(handlers(read('express/server.ts')))
  })
})
