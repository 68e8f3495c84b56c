// Mistakes that webhook libraries have shipped, with one test each. A mistake that is visible over HTTP is tested on every in-process target,
// the others on the core. The conformance suite covers mistakes of stores, and `test/architecture` checks that no test mocks the verifier.
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
  /** The libraries that have shipped the mistake. */
  readonly seenIn: string
  readonly play: (stage: Stage) => Promise<unknown>
}

/** Returns headers on which strict and lenient parsers disagree. */
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
    name: 'verification over decoded text, where a byte order mark and invalid UTF-8 collide',
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
    name: 'verification over re-serialized JSON, where 10.0, spaces and escapes are lost',
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
    name: 'lenient hex parsing, which stops at a bad digit or skips junk between pairs',
    seenIn: 'Octokit’s web build',
    async play({ step }) {
      const body = scan()
      for (const value of malformed(mac(body)))
        await step({ request: withSignature(body, value), expected: UNAUTHENTIC })
    },
  },
  {
    name: 'a wrong path gets a 200',
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
    name: 'a failure after the response is not logged',
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
    name: 'an unknown event gets a 500 or 404',
    seenIn: 'Polar, Shopify',
    play: ({ step }) => step({ request: signed(scan({ event: 'qr.archived' })), expected: IGNORED }),
  },
  {
    name: 'the retry after a failure is refused as a duplicate or replay, so the event is lost',
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
    name: 'the subscription’s id is used as the event’s id, so every event after the first is dropped',
    seenIn: 'code that follows “use event IDs” in the guide',
    async play({ step }) {
      for (let count = 0; count < 3; count++)
        await step({ request: signed(scan({ webhook_id: 'wh-001' })), expected: PROCESSED })
    },
  },
  {
    name: 'a body with non-ASCII characters is decoded incorrectly',
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
    name: 'a replay window of seconds or minutes refuses retries',
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
        const text = JSON.stringify(reports)
        expect(text).not.toContain('4711')
        expect(text).not.toContain(SECRET)
        expect(text).not.toMatch(/[0-9a-f]{64}/)
      }
    },
  },
  {
    name: 'a handler’s error is not logged',
    seenIn: 'Linear',
    async play({ step }) {
      const { seen } = await step({
        variant: 'printing',
        request: signed(scan()),
        expected: { response: 'failed', handled: 1 },
      })
      expect(seen.logged).toEqual([expect.stringMatching(/handler_failed[\s\S]*the handler failed: text/)])
    },
  },
]

describe.each([express5, express4, fastify5, fastify4, nodeHttp, hono])('on $name', (factory) => {
  let target: Target
  beforeAll(async () => {
    target = await factory.start()
  })
  afterAll(() => target.stop())

  test.each(TRAPS)('avoids the trap: $name ($seenIn)', async ({ play }) => {
    await target.control({ do: 'reset' })
    await play(createStage(target))
  })
})

test('avoids the trap: after express.json() the request hangs 9 s, gets a 202, and no handler runs (Octokit)', async () => {
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

test('avoids the trap: an empty secret is accepted (Standard Webhooks, and Node’s createHmac itself)', () => {
  for (const secret of ['', ' ', new Uint8Array(0), undefined, []]) {
    expect(() => sdk.createReceiver({ secret })).toThrow(/secret_(blank|missing)/)
  }
})

describeOnBothCryptos('the verifier', () => {
  test('avoids the trap: the verifiers of two runtimes disagree on malformed headers (octokit/webhooks-methods)', async () => {
    const body = scan()
    await sdk.assertSignature(body, signatureOf(body), SECRET)
    for (const value of malformed(mac(body))) {
      await expect(sdk.assertSignature(body, value, SECRET)).rejects.toMatchObject({ code: 'signature_malformed' })
    }
  })

  test('avoids the trap: the constant-time compare ignores the offset of a view (Standard Webhooks)', async () => {
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

test('avoids the trap: a promise of a boolean accepts every forgery if an await is missing (Octokit’s own docs sample)', async () => {
  const body = scan()
  for (const verify of [sdk.assertSignature, sdk.verifyAndParse]) {
    await expect(verify(body, signatureOf(body, 'another'), SECRET)).rejects.toThrow(sdk.WebhookError)
    const verdict: unknown = await verify(body, signatureOf(body), SECRET)
    expect(typeof verdict).not.toBe('boolean')
  }
  expect(Object.keys(sdk).filter((name) => /^(verify|isValid|check)/i.test(name))).toEqual(['verifyAndParse'])
})
