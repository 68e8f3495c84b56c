// Group B: the transport of the body.
import { Agent, request } from 'node:http'
import { gzipSync } from 'node:zlib'
import { expect } from 'vitest'
import {
  broken,
  byParser,
  byTransport,
  type Case,
  PROCESSED,
  quarantined,
  type RequestSpec,
  refused,
  type Stage,
  type Step,
  UNAUTHENTIC,
} from '../case.js'
import {
  bytesOf,
  h,
  JSON_TYPE,
  payload,
  SCAN,
  scan,
  scanOf,
  signatureOf,
  signed,
  withSignature,
} from '../deliveries.js'
import type { Line, Reply } from '../tcp.js'
import { until } from '../until.js'
import { HURRIED_BODY_MS, MAX_BODY_BYTES } from '../variants.js'
import { expectWithin } from '../within.js'

/** Returns the head of a request that declares the length of its body, for a body that is sent in parts. */
function inParts(body: Buffer, more: Partial<RequestSpec> = {}): RequestSpec {
  const { headers } = signed(body)
  return { headers: [...headers, h('Content-Length', String(body.byteLength))], framing: 'none', ...more }
}

/** Sends only the head and waits for the response. */
function responseToHead({ open, bytes, expectResponse }: Stage, request: RequestSpec, withinMs: number): Promise<void> {
  return expectWithin(withinMs, async () => {
    const line = await open()
    await line.write(bytes(request))
    const reply = await line.reply
    expectResponse(reply, 'body_too_large')
    line.end()
    return reply.tookMs
  })
}

const tooLarge = refused('body_too_large')

export const TRANSPORT_CASES: readonly Case[] = [
  {
    number: '46',
    title: 'an empty body with a correct signature is quarantined with every content type',
    steps: () =>
      ['application/json', 'text/plain', 'application/x-www-form-urlencoded', '', ';;;', undefined].flatMap((type) =>
        (['length', { chunked: 1 }] as const).map((framing) => ({
          request: {
            headers: [
              ...(type === undefined ? [] : [h('Content-Type', type)]),
              h('X-GoValid-Signature', signatureOf(Buffer.alloc(0))),
            ],
            framing,
          },
          expected: quarantined('not_json'),
        })),
      ),
  },
  {
    number: '47',
    title: 'an empty body without a signature is refused',
    steps: () => [
      { request: { headers: [JSON_TYPE] }, expected: UNAUTHENTIC },
      { request: { headers: [], framing: 'none' }, expected: UNAUTHENTIC },
    ],
  },
  {
    number: '48',
    title: 'a body of exactly the limit is processed, and one byte more is refused unread',
    async play(stage) {
      await stage.step({ request: signed(scanOf(MAX_BODY_BYTES)), expected: PROCESSED })
      await stage.step({ request: signed(scanOf(MAX_BODY_BYTES + 1)), expected: tooLarge })
      await responseToHead(stage, inParts(scanOf(MAX_BODY_BYTES + 1)), 100)
    },
  },
  {
    number: '49',
    title: 'a chunked body above the limit is refused after at most one excess chunk, and the connection ends',
    async play({ open, bytes, expectResponse, observe }) {
      const body = scanOf(MAX_BODY_BYTES + 1)
      const line = await open()
      await line.write(bytes(signed(body, { framing: { chunked: 64 * 1024 } })).subarray(0, -5))
      const reply = await line.reply
      expectResponse(reply, 'body_too_large')
      await line.closed
      const { handled, store } = await observe()
      expect({ handled, claims: store.claim }).toEqual({ handled: [], claims: 0 })
    },
  },
  {
    number: '50',
    title: 'a Content-Length of 1 GB is refused before any byte of the body arrives',
    play: (stage) => responseToHead(stage, { headers: [h('Content-Length', String(1024 ** 3))], framing: 'none' }, 100),
  },
  {
    number: '51',
    title: 'a body of 30 MB is refused',
    // workerd ends the connection right after its response, so a client that is still sending may never read it.
    steps: () => [
      { request: signed(Buffer.alloc(30_000_000, 'x')), expected: byParser(tooLarge, broken(413, 'closed')) },
    ],
  },
  {
    number: '52',
    title: 'a body that stops before its end is refused at the body deadline',
    timeoutMs: 15_000,
    async play(stage) {
      for (const [variant, deadlineMs] of [
        ['hurried', HURRIED_BODY_MS],
        ['default', 2500],
      ] as const) {
        await expectWithin(deadlineMs + 200, async () => {
          const { tookMs } = await stopShort(stage, variant)
          expect(tookMs).toBeGreaterThan(deadlineMs - 20)
          return tookMs
        })
      }
    },
  },
  {
    number: '53',
    title: '1,000 trickling bodies are refused, and a valid delivery meanwhile gets its response within 100 ms',
    timeoutMs: 30_000,
    play: trickle,
  },
  {
    number: '54',
    title: 'trickling headers do not delay other deliveries',
    async play({ open, send, expectResponse, observe }) {
      const lines = await Promise.all(Array.from({ length: 100 }, () => open()))
      for (const line of lines) await line.write('POST /webhooks/default HTTP/1.1\r\nHost: a\r\nX-GoVal')
      expectResponse(await send(signed(scan())), 'processed')
      for (const line of lines) line.end()
      expect((await observe()).handled).toHaveLength(1)
    },
  },
  {
    number: '55',
    title: 'a client that disconnects in the middle of a body leaves no connection and no claim',
    async play({ target, open, bytes, observe }) {
      const whole = bytes(signed(scanOf(2000)))
      const start = whole.indexOf('\r\n\r\n') + 4
      const connections = await target.connections?.()
      let outcomes = 0
      for (let round = 0; round < 20; round++) {
        for (const leave of ['reset', 'end'] as const) {
          const line = await open()
          await line.write(whole.subarray(0, start + ((round * 7919) % 2000)))
          line[leave]()
          await line.closed
        }
      }
      const isEveryConnectionClosed = async () => {
        const seen = await observe()
        expect(seen.handled).toEqual([])
        expect(seen.store.claim).toBe(0)
        outcomes += seen.outcomes.length
        expect(seen.outcomes.every(({ code }) => code === 'body_read_failed')).toBe(true)
        return ((await target.connections?.()) ?? 0) <= (connections ?? 0)
      }
      await until(isEveryConnectionClosed, 'the connections to close')
      expect(outcomes).toBeLessThanOrEqual(40)
    },
  },
  {
    number: '55b',
    title: 'a disconnect after a refusal breaks nothing, and after a complete body the delivery is still processed',
    // A Worker's request ends with its connection. workerd-only.test.ts tests its handlers.
    only: ['express', 'fastify', 'next', 'node', 'fetch'],
    async play({ open, bytes, observe }) {
      for (const leave of ['reset', 'end'] as const) {
        const refusedUnread = [
          inParts(scanOf(MAX_BODY_BYTES + 1)),
          encoded(Buffer.alloc(5000), 'gzip'),
          { headers: [] },
        ]
        for (const request of refusedUnread) {
          const line = await open()
          await line.write(bytes(request).subarray(0, 1000))
          line[leave]()
          await line.closed
        }
        const line = await open()
        await line.write(bytes(signed(scan()), 'hurried-brief'))
        await until(async () => (await observe()).handled.length === 1, 'the handler to be called')
        line[leave]()
        await until(async () => (await observe()).outcomes.some(({ status }) => status === 'processed'), 'the outcome')
      }
    },
  },
  {
    number: '56',
    title: 'a chunked body is processed',
    steps: () => [{ request: signed(scan(), { framing: { chunked: 100 } }), expected: PROCESSED }],
  },
  {
    number: '57',
    title: 'a body in chunks of one byte, split inside characters, arrives unchanged',
    async play({ step, open, bytes, expectResponse, observe }) {
      const title = 'Kopi ☕ “Gayo” 🇮🇩 é'
      const body = bytesOf(payload({ data: { ...SCAN, qr_title: title } }))
      const check: Step['check'] = ({ handled }) =>
        expect(JSON.parse(handled[0]?.event ?? '').data.qr_title).toBe(title)
      await step({ request: signed(body, { framing: { chunked: 1 } }), expected: PROCESSED, check })
      const line = await open()
      const other = bytesOf(payload({ data: { ...SCAN, qr_title: title } }))
      for (const byte of bytes(signed(other))) await line.write(Uint8Array.of(byte))
      const reply = await line.reply
      line.end()
      expectResponse(reply, 'processed')
      check?.(await observe(), reply)
    },
  },
  {
    number: '58',
    title: 'an invalid chunk size gets a 400',
    steps: () => [
      { request: chunkedRaw('zz\r\n{}\r\n0\r\n\r\n'), expected: byParser(broken(400), refused('body_read_failed')) },
    ],
  },
  {
    number: '59',
    title: 'a chunk extension of 20 KB is refused',
    steps: () => [
      { request: chunkedRaw(`1;${'x'.repeat(20 * 1024)}\r\n{\r\n0\r\n\r\n`), expected: broken(400, 401, 413, 431) },
    ],
  },
  {
    number: '60',
    title: 'Content-Length and Transfer-Encoding together are refused',
    steps: () => [
      {
        request: withSignature(Buffer.from('2\r\n{}\r\n0\r\n\r\n'), signatureOf(scan()), {
          framing: 'none',
          headers: [h('Content-Length', '12'), h('Transfer-Encoding', 'chunked')],
        }),
        expected: byParser(byTransport(400), UNAUTHENTIC),
      },
    ],
  },
  {
    number: '61',
    title: 'two different Content-Lengths and a negative Content-Length are refused by the transport',
    steps: () =>
      [[h('Content-Length', '2'), h('Content-Length', '3')], [h('Content-Length', '-2')]].map((headers) => ({
        request: withSignature(Buffer.from('{}'), signatureOf(Buffer.from('{}')), { framing: 'none', headers }),
        expected: byParser(byTransport(400), byTransport(400, 500, 'closed')),
      })),
  },
  {
    number: '62',
    title: 'a gzip transfer coding is never inflated, and the received bytes are verified',
    steps: () => {
      const plain = scan()
      const zipped = gzipSync(plain)
      const coding = [h('Transfer-Encoding', 'gzip, chunked')]
      const send = (body: Buffer, signature: string) =>
        withSignature(
          Buffer.from(`${body.byteLength.toString(16)}\r\n${body.toString('latin1')}\r\n0\r\n\r\n`, 'latin1'),
          signature,
          {
            framing: 'none',
            headers: coding,
          },
        )
      return [
        { request: send(zipped, signatureOf(plain)), expected: UNAUTHENTIC },
        { request: send(zipped, signatureOf(zipped)), expected: quarantined('not_utf8') },
      ]
    },
  },
  {
    number: '63',
    title: 'a gzip body signed over the compressed bytes is refused, and nothing is inflated',
    steps: () => [{ request: encoded(gzipSync(scan()), 'gzip'), expected: refused('body_encoded') }],
  },
  {
    number: '64',
    title: 'a gzip body signed over the plain bytes is refused',
    steps: () => {
      const plain = scan()
      const request = withSignature(gzipSync(plain), signatureOf(plain), { headers: [h('Content-Encoding', 'gzip')] })
      return [{ request, expected: refused('body_encoded') }]
    },
  },
  {
    number: '65',
    title: 'a gzip bomb of 1 MB that inflates to 1 GB is refused and uses less than 20 MB of memory',
    async play({ step }) {
      const bomb = gzipBomb()
      expect(bomb.byteLength).toBeLessThan(1.1 * 1024 * 1024)
      const before = process.memoryUsage.rss()
      await step({ request: encoded(bomb, 'gzip'), expected: refused('body_encoded') })
      expect(process.memoryUsage.rss() - before).toBeLessThan(20 * 1024 * 1024)
    },
  },
  {
    number: '66',
    title: 'the encoding identity is accepted, and br, deflate, zstd and double gzip are refused',
    steps: () => [
      ...['identity', 'Identity'].map((coding) => ({ request: encoded(scan(), coding), expected: PROCESSED })),
      ...['br', 'deflate', 'zstd', 'gzip, gzip', 'GZIP', 'x-gzip', 'unknown'].map((coding) => ({
        request: encoded(scan(), coding),
        expected: refused('body_encoded'),
      })),
    ],
  },
  {
    number: '66b',
    title: 'after a refusal with an unread body, the same connection serves the next delivery',
    async play({ target }) {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      const zipped = encoded(Buffer.alloc(100 * 1024, 'x'), 'gzip')
      // workerd ends a connection whose request wasn't read to its end, so the next delivery opens another.
      const reused = target.traits.parser === 'node'
      expect(await post(agent, target.port, zipped)).toEqual({ status: 415, reused: false })
      expect(await post(agent, target.port, signed(scan()))).toEqual({ status: 200, reused })
      expect(await post(agent, target.port, withSignature(scan(), 'x'))).toEqual({ status: 401, reused: true })
      expect(await post(agent, target.port, signed(scan()))).toEqual({ status: 200, reused: true })
      agent.destroy()
    },
  },
  {
    number: '67',
    title: 'a sender that expects 100 Continue gets it, and its delivery is processed',
    async play({ open, bytes, expectResponse }) {
      const body = scan()
      const line = await open()
      await line.write(bytes(inParts(body, { headers: [...inParts(body).headers, h('Expect', '100-continue')] })))
      await line.continued
      await line.write(body)
      expectResponse(await line.reply, 'processed')
      line.end()
    },
  },
  {
    number: '68',
    title: 'HTTP/1.0 is processed, and HTTP/1.1 without Host is refused by the transport',
    steps: () => [
      { request: signed(scan(), { version: 'HTTP/1.0' }), expected: PROCESSED },
      { request: signed(scan(), { host: false }), expected: byTransport(400) },
    ],
  },
  {
    number: '68b',
    title: 'two deliveries in one packet are both processed',
    async play({ open, bytes, observe }) {
      const line = await open()
      let received = ''
      line.socket.on('data', (chunk) => {
        received += chunk.toString()
      })
      await line.write(Buffer.concat([bytes(signed(scan())), bytes(signed(scan()))]))
      await until(() => received.split('{"status":"processed"}').length === 3, 'both responses')
      line.end()
      expect((await observe()).handled).toHaveLength(2)
    },
  },
  {
    number: '80',
    title: 'a body that a proxy reformatted is refused under its original signature',
    steps: () => {
      const original = Buffer.from(JSON.stringify(payload(), null, 2))
      const parsed = JSON.parse(original.toString())
      const { event, ...rest } = parsed
      return [JSON.stringify(parsed), JSON.stringify({ ...rest, event }), `${original} `].map((text) => ({
        request: withSignature(Buffer.from(text), signatureOf(original)),
        expected: UNAUTHENTIC,
      }))
    },
  },
]

function chunkedRaw(text: string): RequestSpec {
  const headers = [h('Transfer-Encoding', 'chunked'), h('X-GoValid-Signature', signatureOf(Buffer.from('{}')))]
  return { headers, framing: 'none', body: Buffer.from(text) }
}

function encoded(body: Buffer, coding: string): RequestSpec {
  return signed(body, { headers: [h('Content-Encoding', coding)] })
}

/** Sends a request on the agent's only connection. */
function post(
  agent: Agent,
  port: number,
  { headers, body }: RequestSpec,
): Promise<{ status: number; reused: boolean }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { agent, port, host: '127.0.0.1', method: 'POST', path: '/webhooks/default' },
      (response) => {
        response.resume()
        response.once('end', () => resolve({ status: response.statusCode ?? 0, reused: outgoing.reusedSocket }))
      },
    )
    outgoing.once('error', reject)
    for (const { name, value } of headers) outgoing.setHeader(name, value)
    outgoing.end(body)
  })
}

/** Returns 64 gzip members of 16 MB of zeros each. It is valid gzip that inflates to 1 GB. */
function gzipBomb(): Buffer {
  return Buffer.concat(Array.from({ length: 64 }, () => BOMB_PART))
}

const BOMB_PART = gzipSync(Buffer.alloc(16 * 1024 * 1024))

async function stopShort(
  { open, bytes, expectResponse, observe }: Stage,
  variant: 'hurried' | 'default',
): Promise<Reply> {
  const body = scan()
  const line = await open()
  await line.write(bytes(inParts(body), variant))
  await line.write(body.subarray(0, 10))
  const reply = await line.reply
  expectResponse(reply, 'body_timeout')
  await line.closed
  const seen = await observe()
  expect(seen.outcomes.map(({ code }) => code)).toEqual(['body_timeout'])
  expect(seen.store.claim).toBe(0)
  return reply
}

/** Opens 1,000 clients that send one byte per second. Each is refused at its deadline. */
async function trickle({ target, open, bytes, send, expectResponse, observe }: Stage): Promise<void> {
  const body = scan()
  const head = bytes(inParts(body))
  const lines: Line[] = []
  const before = process.memoryUsage.rss()
  for (let batch = 0; batch < 10; batch++) {
    const opened = await Promise.all(Array.from({ length: 100 }, () => open()))
    for (const line of opened) void line.write(head)
    lines.push(...opened)
  }
  for (const line of lines) void line.write(body.subarray(0, 1))
  const drip = setInterval(() => {
    for (const line of lines) if (!line.socket.destroyed) void line.write(body.subarray(1, 2))
  }, 1000)
  await expectWithin(100, async () => {
    const reply = await send(signed(scan()))
    expectResponse(reply, 'processed')
    return reply.tookMs
  })
  const grown = process.memoryUsage.rss() - before
  const replies = await Promise.all(lines.map((line) => line.reply))
  clearInterval(drip)
  for (const reply of replies) expectResponse(reply, 'body_timeout')
  // If the target runs in this process, it holds both ends of 1,000 connections.
  expect(grown, 'bytes').toBeLessThan(50 * 1024 * 1024)
  expect((await observe()).outcomes.filter(({ status }) => status !== 'processed')).toHaveLength(1000)
  for (const line of lines) line.end()
  if (target.connections)
    await until(async () => ((await target.connections?.()) ?? 0) < 10, 'the connections to close')
}
