// Mistakes that webhook libraries have shipped, each a test of ours: over the sockets of every target of this process where HTTP shows
// it, else on the core. What concerns stores is in their conformance suite; that nothing is mocked away is in `test/architecture`.
import express from 'express'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toHandler } from '../../src/adapters/express.js'
import * as sdk from '../../src/index.js'
import { describeOnBothCryptos } from '../support/crypto-paths.js'
import { DUPLICATE, IGNORED, PROCESSED, quarantined, type Stage, UNAUTHENTIC } from './case.js'
import { bytesOf, mac, payload, SCAN, scan, signatureOf, signed, withSignature } from './deliveries.js'
import { createStage } from './run.js'
import type { Target } from './target.js'
import { express4, express5 } from './targets/express.js'
import { fastify4, fastify5 } from './targets/fastify.js'
import { hono } from './targets/hono.js'
import { close, createInProcess } from './targets/in-process.js'
import { nodeHttp } from './targets/node.js'
import { until } from './until.js'
import { SECRET } from './variants.js'

interface Trap {
  readonly name: string
  /** Who fell into it. */
  readonly seenIn: string
  readonly play: (stage: Stage) => Promise<unknown>
}

/** Headers that strict and lenient readers disagree on. */
function malformed(digits: string): readonly string[] {
  return [
    `sha256=${digits.slice(0, 62)}zz`,
    `sha256=${digits.slice(0, 62)}`,
    `sha256=${digits}zz`,
    `sha256=${digits.slice(0, 10)}-${digits.slice(10)}`,
    `sha256=${digits.replace(/../g, '$& ')}`,
    `sha256=0x${digits}`,
    `sha256=${digits.toUpperCase()}`,
    `sha256=${digits}\u00e9`,
    `sha256=sha256=${digits}`,
    `sha256=`,
    digits,
  ]
}

const TRAPS: readonly Trap[] = [
  {
    name: 'verification over decoded text: a byte order mark and invalid UTF-8 collide',
    seenIn: 'Stripe, Octokit, Polar, Clerk, Standard Webhooks',
    async play({ step }) {
      const plain = scan()
      const marked = Buffer.concat([Buffer.from('\ufeff'), plain])
      await step({ request: withSignature(marked, signatureOf(plain)), expected: UNAUTHENTIC })
      await step({ request: signed(marked), expected: PROCESSED })
      const [bad, replaced] = [Buffer.from('{"a":"\xff"}', 'latin1'), Buffer.from('{"a":"\ufffd"}')]
      await step({ request: withSignature(bad, signatureOf(replaced)), expected: UNAUTHENTIC })
      await step({ request: signed(bad), expected: quarantined('not_utf8') })
    },
  },
  {
    name: 'verification over re-serialised JSON: 10.0, blanks and escapes are lost',
    seenIn: 'Stripe, Octokit, Polar, Clerk, Standard Webhooks',
    async play({ step }) {
      const { timestamp } = payload()
      const text = `{ "event": "qr.scanned", "timestamp": "${timestamp}", "webhook_id": "wh", "data": { "amount": 10.0, "qr_title": "\\u00e9" } }`
      const body = Buffer.from(text)
      await step({ request: withSignature(body, signatureOf(bytesOf(JSON.parse(text)))), expected: UNAUTHENTIC })
      await step({ request: signed(body), expected: PROCESSED })
    },
  },
  {
    name: 'hex that is read leniently: it stops at a bad digit, or skips junk between pairs',
    seenIn: 'Octokit’s web build',
    async play({ step }) {
      const body = scan()
      for (const value of malformed(mac(body)))
        await step({ request: withSignature(body, value), expected: UNAUTHENTIC })
    },
  },
  {
    name: 'a wrong path is answered 200',
    seenIn: 'Octokit’s web middleware',
    async play({ send, observe }) {
      for (const path of ['/', '/webhooks', '/webhooks/defaul', '/webhooks/default/more', '/elsewhere']) {
        for (const method of ['POST', 'GET']) {
          expect((await send({ ...signed(scan(), { path }), method })).status, `${method} ${path}`).toBe(404)
        }
      }
      expect((await observe()).outcomes).toEqual([])
    },
  },
  {
    name: 'a failure after the answer is logged nowhere',
    seenIn: 'Octokit',
    async play({ step, release, observe }) {
      const variant = 'hurried-fails-late'
      await step({ variant, request: signed(scan()), expected: { response: 'unfinished', handled: 1 } })
      await release()
      const reports: string[] = []
      await until(async () => {
        for (const { code, message } of (await observe()).reports) reports.push(`${code}: ${message}`)
        return reports.length > 0
      }, 'the report')
      expect(reports).toEqual([expect.stringMatching(/^handler_failed: .*after the response/)])
    },
  },
  {
    name: 'an unknown event is answered 500 or 404',
    seenIn: 'Polar, Shopify',
    play: ({ step }) => step({ request: signed(scan({ event: 'qr.archived' })), expected: IGNORED }),
  },
  {
    name: 'the retry after a failure is called a duplicate or a replay, and the event is lost',
    seenIn: 'SafeHook, better-webhook',
    async play({ step }) {
      const request = signed(scan())
      await step({ variant: 'fails-once', request, expected: { response: 'failed', handled: 1 } })
      await step({ variant: 'fails-once', request, expected: PROCESSED })
      await step({ variant: 'fails-once', request, expected: DUPLICATE })
    },
  },
  {
    name: 'a payload without an id is refused',
    seenIn: 'better-webhook',
    play: ({ step }) => step({ request: signed(scan({ webhook_id: undefined })), expected: PROCESSED }),
  },
  {
    name: 'the subscription’s id is taken for the event’s, and every event after the first is dropped',
    seenIn: 'whoever reads “use event IDs” in the guide',
    async play({ step }) {
      for (let count = 0; count < 3; count++)
        await step({ request: signed(scan({ webhook_id: 'wh-001' })), expected: PROCESSED })
    },
  },
  {
    name: 'a body with characters beyond ASCII is read as something else',
    seenIn: 'Slack Bolt on Lambda',
    async play({ step }) {
      const title = 'Sertifikat № 1 — “kopi” ☕ 日本語'
      const { seen } = await step({
        request: signed(scan({ data: { ...SCAN, qr_title: title } })),
        expected: PROCESSED,
      })
      expect(JSON.parse(seen.handled[0]?.event ?? '').data.qr_title).toBe(title)
    },
  },
  {
    name: 'a window of seconds, or of minutes, refuses a retry',
    seenIn: 'Paddle',
    async play({ step }) {
      for (const ago of [6_000, 360_000, 4_885_000]) {
        const timestamp = new Date(Date.now() - ago).toISOString()
        await step({ request: signed(scan({ timestamp })), expected: PROCESSED })
      }
    },
  },
  {
    name: 'a handler’s error, or the payload, leaks to the caller or into a report',
    seenIn: 'Octokit, Stripe',
    async play({ step }) {
      const secretTitle = 'personal data 4711'
      const body = scan({ data: { ...SCAN, qr_title: secretTitle } })
      const { seen, reply } = await step({
        variant: 'fails',
        request: signed(body),
        expected: { response: 'failed', handled: 1 },
      })
      expect(reply.body).toBe('{"status":"failed"}')
      const refusal = await step({ request: withSignature(body, signatureOf(scan())), expected: UNAUTHENTIC })
      const dropped = await step({
        variant: 'schema',
        request: signed(scan({ data: { qr_title: secretTitle } })),
        expected: quarantined('schema_refused'),
      })
      for (const { reports } of [seen, refusal.seen, dropped.seen]) {
        expect(reports.length).toBeGreaterThan(0)
        const told = JSON.stringify(reports)
        expect(told).not.toContain('4711')
        expect(told).not.toContain(SECRET)
        expect(told).not.toMatch(/[0-9a-f]{64}/)
      }
    },
  },
  {
    name: 'a thrown handler error is logged nowhere',
    seenIn: 'Linear',
    async play({ step }) {
      const { seen } = await step({
        variant: 'printing',
        request: signed(scan()),
        expected: { response: 'failed', handled: 1 },
      })
      expect(seen.logged).toEqual([expect.stringMatching(/handler_failed.*the handler failed: text/)])
    },
  },
]

describe.each([express5, express4, fastify5, fastify4, nodeHttp, hono])('traps, $name', (factory) => {
  let target: Target
  beforeAll(async () => {
    target = await factory.start()
  })
  afterAll(() => target.stop())

  test.each(TRAPS)('$name ($seenIn)', async ({ play }) => {
    await target.control({ do: 'reset' })
    await play(createStage(target))
  })
})

test('express.json() first: it hangs 9 s, answers 202, and the handler never runs (Octokit)', async () => {
  const { lab, control, dispose } = createInProcess()
  const app = express()
  app.use(express.json())
  app.post('/webhooks/default', toHandler(lab.receiver('default')))
  const server = app.listen(0, '127.0.0.1')
  await until(() => server.listening, 'the server')
  const { port } = server.address() as { port: number }
  const { body, headers } = signed(scan())
  const startedAt = performance.now()
  const response = await fetch(`http://127.0.0.1:${port}/webhooks/default`, {
    method: 'POST',
    headers: headers.map(({ name, value }) => [name, value] as [string, string]),
    body: new Uint8Array(body as Buffer),
  })
  expect(response.status).toBe(500)
  expect(performance.now() - startedAt).toBeLessThan(1000)
  expect((await control({ do: 'observe' })).outcomes[0]?.code).toBe('body_already_parsed')
  await close(server)
  dispose()
})

test('an empty secret is accepted (Standard Webhooks, and Node’s createHmac itself)', () => {
  for (const secret of ['', ' ', new Uint8Array(0), undefined, []]) {
    expect(() => sdk.createReceiver({ secret })).toThrow(/secret_(blank|missing)/)
  }
})

describeOnBothCryptos('the two runtimes’ verifiers disagree on malformed headers (octokit/webhooks-methods)', () => {
  test('both refuse each, and accept the right one', async () => {
    const body = scan()
    await sdk.assertSignature(body, signatureOf(body), SECRET)
    for (const value of malformed(mac(body))) {
      await expect(sdk.assertSignature(body, value, SECRET)).rejects.toMatchObject({ code: 'signature_malformed' })
    }
  })

  test('the offset of a view is ignored by the constant-time compare (Standard Webhooks)', async () => {
    const body = scan()
    const padded = new Uint8Array(body.byteLength + 64).fill(0x41)
    padded.set(body, 33)
    const view = padded.subarray(33, 33 + body.byteLength)
    const secret = Buffer.concat([Buffer.alloc(17, 'x'), Buffer.from(SECRET), Buffer.alloc(3, 'y')]).subarray(
      17,
      17 + SECRET.length,
    )
    await sdk.assertSignature(view, signatureOf(body), secret)
    await expect(sdk.assertSignature(padded, signatureOf(body), secret)).rejects.toMatchObject({
      code: 'signature_mismatch',
    })
  })
})

test('a promise of a boolean lets every forgery in where an await is forgotten (Octokit’s own docs sample)', async () => {
  const body = scan()
  for (const verify of [sdk.assertSignature, sdk.verifyAndParse]) {
    await expect(verify(body, signatureOf(body, 'another'), SECRET)).rejects.toThrow(sdk.WebhookError)
    const verdict: unknown = await verify(body, signatureOf(body), SECRET)
    expect(typeof verdict).not.toBe('boolean')
  }
  expect(Object.keys(sdk).filter((name) => /^(verify|isValid|check)/i.test(name))).toEqual(['verifyAndParse'])
})
