// Sends the same requests to several targets and compares their responses byte by byte: status, the SDK's headers, and body.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RequestSpec } from './case.js'
import { h, scan, signatureOf, signed, withSignature } from './deliveries.js'
import { OWN_HEADERS } from './responses.js'
import { pathOf, type Target, type TargetFactory } from './target.js'
import { exchange, type Reply, toBytes } from './tcp.js'
import { MAX_BODY_BYTES, type VariantName } from './variants.js'

interface Sent {
  readonly what: string
  readonly status: number
  readonly variant?: VariantName
  /** Sent one after another. The test compares the last response. */
  readonly requests: () => readonly RequestSpec[]
}

const twice = () => {
  const request = signed(scan())
  return [request, request]
}

const SENT: readonly Sent[] = [
  { what: 'processed', status: 200, requests: () => [signed(scan())] },
  { what: 'duplicate', status: 200, requests: twice },
  { what: 'ignored', status: 200, requests: () => [signed(scan({ event: 'ping' }))] },
  { what: 'quarantined', status: 200, requests: () => [signed(Buffer.from('x'))] },
  { what: 'stale', status: 200, requests: () => [signed(scan({ timestamp: '2025-01-29T12:00:00Z' }))] },
  { what: 'unfinished', status: 503, variant: 'hurried-held', requests: () => [signed(scan())] },
  { what: 'busy', status: 503, variant: 'hurried-held', requests: twice },
  { what: 'failed', status: 500, variant: 'fails', requests: () => [signed(scan())] },
  { what: 'no signature', status: 401, requests: () => [withSignature(scan(), undefined)] },
  { what: 'malformed signature', status: 401, requests: () => [withSignature(scan(), 'x')] },
  { what: 'wrong signature', status: 401, requests: () => [withSignature(scan(), signatureOf(scan()))] },
  {
    what: 'too large',
    status: 413,
    requests: () => [{ headers: [h('Content-Length', String(MAX_BODY_BYTES + 1))], framing: 'none' }],
  },
  { what: 'encoded', status: 415, requests: () => [signed(scan(), { headers: [h('Content-Encoding', 'br')] })] },
  {
    what: 'too slow',
    status: 408,
    variant: 'hurried',
    requests: () => [
      { headers: [h('Content-Length', '10'), h('X-GoValid-Signature', signatureOf(scan()))], framing: 'none' },
    ],
  },
]

/** The statuses that close the connection, because the rest of the request isn't read. */
const CLOSING = [408, 413]

/** Registers the tests of a group of targets. */
export function describeSameResponses(factories: readonly TargetFactory[]): void {
  describe(`identical responses from ${factories.map(({ name }) => name).join(', ')}`, () => {
    let targets: readonly Target[]
    beforeAll(async () => {
      targets = await Promise.all(factories.map((factory) => factory.start()))
    })
    afterAll(async () => {
      await Promise.all(targets.map((target) => target.stop()))
    })

    test.each(SENT)('$what', async (sent) => {
      const responses: { readonly target: string; readonly response: string; readonly closes: boolean }[] = []
      for (const target of targets) responses.push({ target: target.name, ...(await responseOf(target, sent)) })
      const [first] = responses
      expect(first?.response).toMatch(new RegExp(`^${sent.status}\\n`))
      for (const { target, response, closes } of responses) {
        expect({ target, response }).toEqual({ target, response: first?.response })
        expect({ target, closes }).toEqual({ target, closes: CLOSING.includes(sent.status) })
      }
    })
  })
}

async function responseOf(target: Target, { variant = 'default', requests }: Sent) {
  await target.control({ do: 'reset' })
  let last: Reply | undefined
  for (const request of requests()) {
    last = await exchange(target.port, toBytes(request, (target.path ?? pathOf)(variant)))
  }
  // A host that sends chunks removes the Content-Length, so the length of the received body takes its place.
  const measured = target.traits.sendsChunks === undefined ? {} : { 'content-length': String(last?.body.length) }
  const headers: Readonly<Record<string, string>> = { ...last?.headers, ...measured }
  const lines = OWN_HEADERS.map((name) => `${name}: ${headers[name] ?? '(none)'}`)
  return {
    response: [last?.status, ...lines, last?.body].join('\n'),
    closes: last?.headers['connection']?.toLowerCase() === 'close',
  }
}
