/**
 * The scenario, the same file on every runtime: published vectors on one crypto path, then a receiver from end to end. It only records
 * what happens; its input has the expected responses (see fixtures.ts). It imports nothing of any platform.
 */
import type { FetchHandler } from '../../../src/adapters/fetch.js'
import type { Outcome, Receiver } from '../../../src/index.js'

/** The crypto of the platform to use. */
export type CryptoPath = 'node:crypto' | 'WebCrypto'

/** The package under test, loaded in one format. */
export interface Sdk {
  readonly assertSignature: typeof import('../../../src/index.js').assertSignature
  readonly createReceiver: typeof import('../../../src/index.js').createReceiver
  readonly isWebhookError: typeof import('../../../src/index.js').isWebhookError
  readonly toHandler: (receiver: Receiver) => FetchHandler
}

/** A published signature and its verdict. */
export interface VectorCase {
  readonly set: string
  readonly name: string
  readonly bodyHex: string
  readonly header: string
  readonly secretHex: string
  readonly accept: boolean
}

/** A request to a receiver and its expected response. */
export interface Step {
  readonly title: string
  readonly method: string
  readonly signature?: string
  readonly bodyHex: string
  readonly response: string
}

/** The input of a scenario. */
export interface ScenarioInput {
  readonly path: CryptoPath
  readonly vectors: readonly VectorCase[]
  readonly steps: readonly Step[]
}

/** The result of a scenario. */
export interface ScenarioReport {
  /** Whether WebCrypto was used. */
  readonly usedWebCrypto: boolean
  /** The vectors with another verdict, each with the actual one. */
  readonly differing: readonly string[]
  readonly judged: number
  /** The responses, in the order of the steps. */
  readonly responses: readonly string[]
  /** The calls of the handlers. */
  readonly handled: readonly string[]
  /** The status of every delivery, as passed to `onOutcome`. */
  readonly outcomes: readonly string[]
}

/** The receiver of the scenario. `handled` and `outcomes` grow with each delivery. */
export interface Scene {
  readonly receiver: Receiver
  readonly handled: string[]
  readonly outcomes: string[]
}

/** The secret of the receiver. One of its letters is two bytes in UTF-8. */
export const SECRET = 'rahasia-Ø-7'

/** The maximum size of a body, in bytes. */
export const MAX_BODY_BYTES = 4096

/** Runs the vectors and the receiver on a crypto path. */
export async function runScenario(sdk: Sdk, input: ScenarioInput): Promise<ScenarioReport> {
  const watched = watchWebCrypto()
  const restore = input.path === 'WebCrypto' ? hideNodeCrypto() : () => {}
  try {
    const differing: string[] = []
    for (const vector of input.vectors) {
      const verdict = await judge(sdk, vector)
      if (verdict !== String(vector.accept)) differing.push(`${vector.set}: ${vector.name}: ${verdict}`)
    }
    const { receiver, handled, outcomes } = createScene(sdk)
    const handle = sdk.toHandler(receiver)
    const responses: string[] = []
    for (const step of input.steps) responses.push(await readResponse(await handle(requestOf(step))))
    await receiver.close()
    return {
      usedWebCrypto: watched.calls() > 0,
      differing,
      judged: input.vectors.length,
      responses,
      handled,
      outcomes,
    }
  } finally {
    restore()
    watched.stop()
  }
}

/** The receiver that the steps are written for. */
export function createScene(sdk: Sdk): Scene {
  const handled: string[] = []
  const outcomes: string[] = []
  const receiver = sdk
    .createReceiver({
      secret: SECRET,
      maxBodyBytes: MAX_BODY_BYTES,
      onError: () => {},
      onOutcome: (outcome: Outcome) => void outcomes.push(outcome.status),
    })
    .on('qr.scanned', (event, { attempt, rawBody }) => {
      handled.push(`${event.data.qr_id} ${event.data.qr_title}, attempt ${attempt}, ${rawBody.byteLength} bytes`)
      if (event.data.qr_id === 'fails-once' && attempt === 1) throw new Error('the first attempt fails')
    })
  return { receiver, handled, outcomes }
}

/** The request of a step, as GoValid would send it. */
export function requestOf(step: Step, url = 'https://example.com/webhooks/govalid'): Request {
  const headers = {
    'content-type': 'application/json',
    ...(step.signature === undefined ? {} : { 'x-govalid-signature': step.signature }),
  }
  const body = step.method === 'POST' ? { body: decodeHex(step.bodyHex) } : {}
  return new Request(url, { method: step.method, headers, ...body })
}

/** The status and body of a response. */
export async function readResponse(response: Response): Promise<string> {
  return `${response.status} ${await response.text()}`
}

async function judge({ assertSignature, isWebhookError }: Sdk, vector: VectorCase): Promise<string> {
  try {
    await assertSignature(decodeHex(vector.bodyHex), vector.header, decodeHex(vector.secretHex))
    return 'true'
  } catch (error) {
    const refused = isWebhookError(error) && error.code.startsWith('signature_')
    return refused ? 'false' : `threw ${String(error)}`
  }
}

function decodeHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

interface Host {
  getBuiltinModule?: unknown
}

/** Hides `node:crypto` from the package. Returns a function that restores it. */
function hideNodeCrypto(): () => void {
  const host = (globalThis as { process?: Host }).process
  const found = host?.getBuiltinModule
  if (host === undefined || found === undefined) return () => {}
  host.getBuiltinModule = undefined
  if (host.getBuiltinModule !== undefined) throw new Error('node:crypto cannot be hidden on this runtime')
  return () => {
    host.getBuiltinModule = found
  }
}

/** Counts the calls of WebCrypto and passes them on. */
function watchWebCrypto(): { calls(): number; stop(): void } {
  const { subtle } = crypto
  const names = ['verify', 'sign'] as const
  let calls = 0
  for (const name of names) {
    const original = subtle[name].bind(subtle) as (...values: unknown[]) => unknown
    const watching = (...values: unknown[]) => {
      calls++
      return original(...values)
    }
    Object.defineProperty(subtle, name, { value: watching, configurable: true, writable: true })
  }
  return {
    calls: () => calls,
    stop: () => {
      for (const name of names) Reflect.deleteProperty(subtle, name)
    },
  }
}
