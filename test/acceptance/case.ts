// What a case of the acceptance list is made of: requests, and the verdict each must get.
import type { Observations } from './observations.js'
import type { Target, TargetClass, Traits } from './target.js'
import type { Line, Reply } from './tcp.js'
import type { VariantName } from './variants.js'

/** One HTTP request, as it goes over the wire. Names and values of headers are sent as they stand (latin-1). */
export interface RequestSpec {
  /** Default: POST. */
  readonly method?: string
  /** Default: the path of the variant. */
  readonly path?: string
  /** Default: `HTTP/1.1`. */
  readonly version?: string
  /** Without Host and the body's framing, which are added. */
  readonly headers: readonly Header[]
  readonly body?: Uint8Array
  /** How the body's end is told. Default: a Content-Length. `chunked` takes the size of a chunk; `none` sends the headers given. */
  readonly framing?: 'length' | 'none' | { readonly chunked: number }
  /** Default: a Host header is sent. */
  readonly host?: false
}

export interface Header {
  readonly name: string
  readonly value: string
}

/** What a request must get, and what it must do on the way. */
export interface Verdict {
  /** The exact answer, where it is the SDK's own; its status, where a transport or framework answers. */
  readonly response: ResponseName | TransportResponse
  /** How often a handler is called. */
  readonly handled: number
  /** The outcome's code, where it has one. */
  readonly code?: string
}

/** An answer that does not come from the SDK. */
interface TransportResponse {
  /** `transport`, `framework`: the request never reached the SDK. `either`: it may have, and was refused there as well. */
  readonly by: 'transport' | 'framework' | 'either'
  /** The statuses that are right; `closed` where the connection may end without an answer. */
  readonly status: readonly (number | 'closed')[]
}

/** The SDK's answers. `docs` and `answers.ts` of these tests spell each out byte for byte. */
export type ResponseName =
  | 'processed'
  | 'duplicate'
  | 'ignored'
  | 'quarantined'
  | 'busy'
  | 'unfinished'
  | 'unavailable'
  | 'failed'
  | 'not_authentic'
  | 'method_not_allowed'
  | 'body_read_failed'
  | 'body_timeout'
  | 'body_too_large'
  | 'body_encoded'
  | 'body_already_parsed'

/** One verdict for all, one per class of target, or what a target's traits make of it. */
export type Expected =
  | Verdict
  | (Partial<Record<TargetClass, Verdict>> & { readonly others: Verdict })
  | ((traits: Traits) => Verdict)

/** One request and what it must get. */
export interface Step {
  /** Default: `default`. */
  readonly variant?: VariantName
  readonly request: RequestSpec
  readonly expected: Expected
  /** What else must hold. */
  readonly check?: (seen: Observations, reply: Reply) => void
}

/** A case of the list, numbered as there. */
export interface Case {
  /** The number in the list; a letter behind it where one line is several tests. */
  readonly number: string
  /** What happens, in words of a user. */
  readonly title: string
  /** Which targets it is about. Default: all. */
  readonly only?: readonly TargetClass[]
  /** Its requests, one after the other, against fresh receivers. */
  readonly steps?: () => readonly Step[]
  /** For what is no row of requests: sockets held open, copies at once, a clock that goes on. */
  readonly play?: (stage: Stage) => Promise<void>
  readonly timeoutMs?: number
}

/** What a case plays on. */
export interface Stage {
  readonly target: Target
  /** Sends a step's request and checks its verdict. */
  step(step: Step): Promise<{ readonly seen: Observations; readonly reply: Reply }>
  /** Sends a request, checks nothing. */
  send(request: RequestSpec, variant?: VariantName): Promise<Reply>
  /** Checks an answer against a verdict's, byte for byte. */
  expectResponse(reply: Reply, response: Verdict['response']): void
  observe(): Promise<Observations>
  setTime(epochMs: number): Promise<void>
  release(): Promise<void>
  reset(ownSecret?: Uint8Array | string): Promise<void>
  /** Opens a connection that is written to piece by piece. */
  open(): Promise<Line>
  /** The bytes of a request to a variant. */
  bytes(request: RequestSpec, variant?: VariantName): Buffer
}

/** 200, one handler call. */
export const PROCESSED: Verdict = { response: 'processed', handled: 1 }
/** 200 without a call: finished before. */
export const DUPLICATE: Verdict = { response: 'duplicate', handled: 0 }
/** 200 without a call: nobody handles it. */
export const IGNORED: Verdict = { response: 'ignored', handled: 0 }
/** 401, no call, and no call of the store. */
export const UNAUTHENTIC: Verdict = { response: 'not_authentic', handled: 0 }

/** 200 without a call: verified, but unusable. */
export function quarantined(code: string): Verdict {
  return { response: 'quarantined', handled: 0, code }
}

/** Refused by the SDK before anything was verified. */
export function refused(response: ResponseName): Verdict {
  return { response, handled: 0, code: response }
}

/** Refused by what reads HTTP before the SDK. */
export function byTransport(...status: readonly (number | 'closed')[]): Verdict {
  return { response: { by: 'transport', status }, handled: 0 }
}

/** Refused by the transport, whether or not the SDK had begun to read. */
export function broken(...status: readonly (number | 'closed')[]): Verdict {
  return { response: { by: 'either', status }, handled: 0 }
}

/** Answered by the framework; the adapter is not asked. */
export function byFramework(...status: readonly number[]): Verdict {
  return { response: { by: 'framework', status }, handled: 0 }
}

/** One verdict where Node reads HTTP, another in workerd. */
export function byParser(node: Verdict, workerd: Verdict): Expected {
  return { workerd, others: node }
}

/** The verdict for a target. */
export function verdictFor(expected: Expected, target: Pick<Target, 'class' | 'traits'>): Verdict {
  if (typeof expected === 'function') return expected(target.traits)
  return 'others' in expected ? (expected[target.class] ?? expected.others) : expected
}
