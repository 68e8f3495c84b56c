/**
 * Runs one test of the adapter suite. A test gets a context that sends requests to the application as GoValid would, and checks its
 * responses and handlers.
 */
import { encodeHex } from '../../crypto/encoding.js'
import { createEvent } from '../create-event.js'
import { type SignedDelivery, signDelivery } from '../sign-delivery.js'
import { expectEqual, expectTrue } from '../store-suite/expect.js'
import type { AdapterTarget } from './adapter-target.js'

/** One test of the suite. */
export interface AdapterTest {
  /** The title. Unique in the suite. */
  readonly name: string
  /** Whether the test needs {@link AdapterTarget.slowEvent}. */
  readonly needsSlowEvent?: boolean
  /** Runs the test. Rejects if the application misbehaves. */
  run(context: AdapterContext): Promise<void>
}

/** The application's response. */
export interface Response {
  readonly status: number
  /** Lowercase names. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** A request, in addition to its signed delivery. */
export interface RequestOptions {
  /** Replaces the delivery's headers. */
  readonly headers?: Readonly<Record<string, string>>
  /** A suffix of the address. */
  readonly suffix?: string
}

/** The environment of one test. */
export interface AdapterContext {
  readonly target: AdapterTarget
  /** Signs a payload with the application's secret, or with another one. */
  sign(payload: object | string | Uint8Array, secret?: string): Promise<SignedDelivery>
  /** Sends a delivery. Fails if the response takes longer than GoValid waits. */
  send(signed: SignedDelivery, options?: RequestOptions): Promise<Response>
  /** Sends a request without a body. */
  get(): Promise<Response>
  /** Checks how often the application handled an event so far. */
  expectHandled(qrId: string, times: number): Promise<void>
}

const SENDER_WAITS_MS = 5000
/** Another process may print a handled event later than it responds. */
const PRINTED_WITHIN_MS = 5000
const POLL_MS = 20

/** Runs a test against the application. */
export function runAdapterTest(target: AdapterTarget, test: AdapterTest): Promise<void> {
  return test.run(createContext(target))
}

/** Returns an id that no other test has. `mark` is a part of it. */
export function newId(mark = ''): string {
  return `suite-${encodeHex(crypto.getRandomValues(new Uint8Array(8)))}${mark}`
}

/** Creates the event of a scan. */
export function scan(qrId: string): object {
  return createEvent('qr.scanned', { data: { qr_id: qrId, qr_title: qrId } })
}

/** Checks the whole response: the status, the content type and the body. */
export function expectResponse(response: Response, status: number, outcome: string): void {
  const { 'content-type': type = '' } = Object.fromEntries(response.headers)
  expectEqual(`${response.status} ${response.body.slice(0, 200)}`, `${status} {"status":"${outcome}"}`, 'the response')
  expectTrue(/^application\/json\b/.test(type), `the content type to be application/json, got ${JSON.stringify(type)}`)
}

/** Waits until a condition holds. */
export async function until(condition: () => Promise<boolean>, withinMs: number, what: string): Promise<void> {
  const giveUpAt = performance.now() + withinMs
  while (!(await condition())) {
    expectTrue(performance.now() < giveUpAt, `${what} within ${withinMs} ms`)
    await new Promise<void>((resolve) => setTimeout(resolve, POLL_MS))
  }
}

function createContext(target: AdapterTarget): AdapterContext {
  const context: AdapterContext = {
    target,
    sign: (payload, secret = target.secret) => signDelivery(payload, { secret }),
    async send({ rawBody, headers: signedHeaders }, { headers = signedHeaders, suffix = '' } = {}) {
      return request(`${await target.url()}${suffix}`, { method: 'POST', headers, body: rawBody })
    },
    get: async () => request(await target.url(), { method: 'GET' }),
    async expectHandled(qrId, times) {
      // An application in another process prints in order, so everything before this event is visible after it.
      const last = newId()
      expectResponse(await context.send(await context.sign(scan(last))), 200, 'processed')
      await until(async () => (await target.handled(last)) > 0, PRINTED_WITHIN_MS, 'the next event to be handled')
      expectEqual(await target.handled(qrId), times, 'the number of times that the event was handled')
    },
  }
  return context
}

async function request(url: string, init: RequestInit): Promise<Response> {
  const started = performance.now()
  const response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(2 * SENDER_WAITS_MS) })
  const body = await response.text()
  const tookMs = Math.round(performance.now() - started)
  expectTrue(tookMs < SENDER_WAITS_MS, `a response within ${SENDER_WAITS_MS} ms, got it after ${tookMs} ms`)
  return { status: response.status, headers: new Map(response.headers), body }
}
