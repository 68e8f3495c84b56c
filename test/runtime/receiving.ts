// Registers the receiver tests that every runtime runs with its own Request, Response and streams. Imports nothing from `node:`.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { toHandler } from '../../src/adapters/fetch.js'
import { assertSignature, createReceiver, type Outcome, type ReceiverOptions, verifyAndParse } from '../../src/index.js'

export const SECRET = 'your_webhook_secret'

/** A body. Python's hmac module computed its signature below. */
const BODY =
  '{"event":"qr.scanned","timestamp":"2025-01-29T12:00:00Z","webhook_id":"wh-001","data":{"qr_id":"abc123","qr_title":"Zertifikat für Ø #001"}}'
const SIGNATURE = 'sha256=41bdfb8fbb35bf05fc19b90f27f87404f39c0040cf077e90b9f9263930ef667b'

/** Hides `node:crypto`, which the test runner adds to runtimes that don't have it. */
function hideNodeCrypto(): void {
  const host = Reflect.get(globalThis, 'process') as { getBuiltinModule?(name: string): unknown } | undefined
  if (host?.getBuiltinModule)
    vi.spyOn(host as { getBuiltinModule(): unknown }, 'getBuiltinModule').mockReturnValue(undefined)
}

/** Returns the value of `X-GoValid-Signature`, computed without the SDK. */
async function sign(body: string, secret = SECRET): Promise<string> {
  const encoder = new TextEncoder()
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ])
  const mac = new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(body)))
  return `sha256=${[...mac].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

let count = 0

/** Returns the body of a scan that happened now. Each call returns a different body. */
export function scan(): string {
  const data = {
    qr_id: `qr-${++count}`,
    qr_title: 'Zertifikat für Ø',
    device: 'mobile',
    platform: 'iOS',
    is_first_scan: false,
    scan_count: 1,
  }
  return JSON.stringify({ event: 'qr.scanned', timestamp: new Date().toISOString(), webhook_id: 'wh-001', data })
}

/** Creates a request as GoValid sends it. */
export async function request(body: string, signature?: string): Promise<Request> {
  const headers = { 'content-type': 'application/json', 'x-govalid-signature': signature ?? (await sign(body)) }
  return new Request('https://example.com/webhooks/govalid', { method: 'POST', headers, body })
}

/** Returns the status and body of a response. */
export async function read(response: Response): Promise<string> {
  return `${response.status} ${await response.text()}`
}

const PROCESSED = '200 {"status":"processed"}'

function createSetup(options: Partial<ReceiverOptions> = {}, handler: () => unknown = () => {}) {
  const outcomes: Outcome[] = []
  const bodies: Uint8Array[] = []
  const receiverOptions: ReceiverOptions = {
    secret: SECRET,
    onError: () => {},
    onOutcome: (outcome) => outcomes.push(outcome),
    ...options,
  }
  const receiver = createReceiver(receiverOptions).on('*', (_, context) => {
    bodies.push(context.rawBody)
    return handler()
  })
  return { handle: toHandler(receiver), outcomes, bodies }
}

/** Registers the tests. With `isNodeCryptoHidden`, the receiver runs on WebCrypto. */
export function describeReceiving(name: string, isNodeCryptoHidden: boolean): void {
  describe(`a receiver ${name}`, () => {
    if (isNodeCryptoHidden) beforeEach(hideNodeCrypto)
    afterEach(() => {
      vi.restoreAllMocks()
    })

    it('processes a signed delivery once, and a copy is a duplicate', async () => {
      const { handle, bodies } = createSetup()
      const body = scan()
      expect(await read(await handle(await request(body)))).toBe(PROCESSED)
      expect(await read(await handle(await request(body)))).toBe('200 {"status":"duplicate"}')
      expect(bodies.map((bytes) => new TextDecoder().decode(bytes))).toEqual([body])
    })

    it('accepts a signature that Python computed', async () => {
      const { handle } = createSetup({ maxAgeMs: false })
      expect(await read(await handle(await request(BODY, SIGNATURE)))).toBe(PROCESSED)
      expect(await verifyAndParse(BODY, SIGNATURE, SECRET)).toMatchObject({
        known: true,
        event: { event: 'qr.scanned' },
      })
      await expect(assertSignature(BODY, SIGNATURE, SECRET)).resolves.toBeUndefined()
    })

    it.each([
      ['of another body', () => sign('{}')],
      ['under another secret', () => sign(BODY, 'a guess')],
      ['with one digit changed', () => SIGNATURE.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))],
      ['without its prefix', () => SIGNATURE.slice(7)],
      ['that is empty', () => ''],
    ])('refuses a signature %s', async (_, makeSignature) => {
      const { handle, bodies } = createSetup({ maxAgeMs: false })
      const signature = await makeSignature()
      expect(await read(await handle(await request(BODY, signature)))).toBe('401 {"status":"refused"}')
      expect(bodies).toEqual([])
      await expect(verifyAndParse(BODY, signature, SECRET)).rejects.toMatchObject({ name: 'WebhookError' })
    })

    it('accepts both secrets during a rotation and reports which one matched', async () => {
      const { handle, outcomes } = createSetup({ secret: ['the new one', SECRET] })
      for (const secret of [SECRET, 'the new one']) {
        const body = scan()
        expect(await read(await handle(await request(body, await sign(body, secret))))).toBe(PROCESSED)
      }
      expect(outcomes.map(({ secretIndex }) => secretIndex)).toEqual([1, 0])
    })

    it('calls a secret function on the first delivery, and again only after a failure', async () => {
      let calls = 0
      const secret = async () => {
        if (++calls === 1) throw new Error('the secret manager is unavailable')
        return SECRET
      }
      const { handle } = createSetup({ secret })
      expect(calls).toBe(0)
      expect(await read(await handle(await request(scan())))).toBe('503 {"status":"unavailable"}')
      expect(await read(await handle(await request(scan())))).toBe(PROCESSED)
      expect(await read(await handle(await request(scan())))).toBe(PROCESSED)
      expect(calls).toBe(2)
    })

    it('reads a body that arrives in chunks, split inside characters', async () => {
      const { handle, bodies } = createSetup()
      const body = scan()
      const bytes = new TextEncoder().encode(body)
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          for (const byte of bytes) controller.enqueue(new Uint8Array([byte]))
          controller.close()
        },
      })
      const headers = { 'x-govalid-signature': await sign(body) }
      const streamed = { method: 'POST', headers, body: stream, duplex: 'half' } as const
      expect(await read(await handle(new Request('https://example.com/', streamed)))).toBe(PROCESSED)
      expect(bodies).toEqual([bytes])
    })

    it('stops reading a body at its size limit', async () => {
      let pulled = 0
      const stream = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            pulled += 1000
            controller.enqueue(new Uint8Array(1000))
          },
        },
        { highWaterMark: 0 },
      )
      const { handle } = createSetup({ maxBodyBytes: 10_000 })
      const headers = { 'x-govalid-signature': SIGNATURE }
      const streamed = { method: 'POST', headers, body: stream, duplex: 'half' } as const
      expect(await read(await handle(new Request('https://example.com/', streamed)))).toBe('413 {"status":"refused"}')
      expect(pulled).toBeLessThan(20_000)
    })

    it('refuses a body that was already read, with its own code', async () => {
      const { handle } = createSetup()
      const spent = await request(scan())
      await spent.text()
      expect(await read(await handle(spent))).toBe('500 {"status":"refused","code":"body_already_parsed"}')
    })

    it('responds at the deadline and finishes in the background', async () => {
      const background: Promise<unknown>[] = []
      const slowHandler = () => new Promise((resolve) => setTimeout(resolve, 100))
      const { handle } = createSetup({ bodyDeadlineMs: 20, deadlineMs: 20 }, slowHandler)
      const body = scan()
      const context = { waitUntil: (task: Promise<unknown>) => background.push(task) }
      expect(await read(await handle(await request(body), context))).toBe('503 {"status":"unfinished"}')
      await Promise.all(background)
      expect(await read(await handle(await request(body), context))).toBe('200 {"status":"duplicate"}')
    })
  })
}
