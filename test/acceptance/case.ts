// The types of an acceptance case: its requests, and the verdict that each request must get.
import type { Observations } from './observations.js'
import type { Target, TargetClass, Traits } from './target.js'
import type { Line, Reply } from './tcp.js'
import type { VariantName } from './variants.js'

/** One HTTP request, as it goes over the wire. Header names and values are sent unchanged (latin-1). */
export interface RequestSpec {
  /** Default: POST. */
  readonly method?: string
  /** Default: the path of the variant. */
  readonly path?: string
  /** Default: `HTTP/1.1`. */
  readonly version?: string
  /** All headers except Host and the body's framing, which are added. */
  readonly headers: readonly Header[]
  readonly body?: Uint8Array
  /** How the body is framed. Default: a Content-Length. `chunked` takes the size of a chunk. `none` adds no header. */
  readonly framing?: 'length' | 'none' | { readonly chunked: number }
  /** Default: a Host header is sent. */
  readonly host?: false
}

export interface Header {
  readonly name: string
  readonly value: string
}

/** The response that a request must get, and the handler calls that it must cause. */
export interface Verdict {
  /** The exact response if the SDK responds, or the allowed statuses if the transport or the framework responds. */
  readonly response: ResponseName | TransportResponse
  /** The number of handler calls. */
  readonly handled: number
  /** The outcome's code, if it has one. */
  readonly code?: string
}

/** A response that doesn't come from the SDK. */
interface TransportResponse {
  /** `transport` and `framework`: the request never reached the SDK. `either`: it may have reached the SDK, which then refused it. */
  readonly by: 'transport' | 'framework' | 'either'
  /** The allowed statuses. `closed` means that the connection may end without a response. */
  readonly status: readonly (number | 'closed')[]
}

/** The SDK's responses. `responses.ts` defines each of them byte for byte. */
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

/** One verdict for every target, one per class of target, or a function of a target's traits. */
export type Expected =
  | Verdict
  | (Partial<Record<TargetClass, Verdict>> & { readonly others: Verdict })
  | ((traits: Traits) => Verdict)

/** One request and its verdict. */
export interface Step {
  /** Default: `default`. */
  readonly variant?: VariantName
  readonly request: RequestSpec
  readonly expected: Expected
  /** Further assertions. */
  readonly check?: (seen: Observations, reply: Reply) => void
}

/** A case of the acceptance list. */
export interface Case {
  /** The number in README.md, with a letter if one line of the list has several tests. */
  readonly number: string
  /** The expected behavior, in a user's words. */
  readonly title: string
  /** The targets that it applies to. Default: all. */
  readonly only?: readonly TargetClass[]
  /** Its requests, sent one after another to fresh receivers. */
  readonly steps?: () => readonly Step[]
  /** For cases that need more than a sequence of requests: open sockets, concurrent copies, a moving clock. */
  readonly play?: (stage: Stage) => Promise<void>
  readonly timeoutMs?: number
}

/** The operations that a case can use on its target. */
export interface Stage {
  readonly target: Target
  /** Sends a step's request and checks its verdict. */
  step(step: Step): Promise<{ readonly seen: Observations; readonly reply: Reply }>
  /** Sends a request without checking its response. */
  send(request: RequestSpec, variant?: VariantName): Promise<Reply>
  /** Compares a response with a verdict, byte for byte. */
  expectResponse(reply: Reply, response: Verdict['response']): void
  observe(): Promise<Observations>
  setTime(epochMs: number): Promise<void>
  release(): Promise<void>
  reset(ownSecret?: Uint8Array | string): Promise<void>
  /** Opens a connection, for requests that are written in parts. */
  open(): Promise<Line>
  /** Returns the bytes of a request to a variant. */
  bytes(request: RequestSpec, variant?: VariantName): Buffer
}

/** 200 and one handler call. */
export const PROCESSED: Verdict = { response: 'processed', handled: 1 }
/** 200 without a handler call, because the delivery was already processed. */
export const DUPLICATE: Verdict = { response: 'duplicate', handled: 0 }
/** 200 without a handler call, because no handler is registered for the event. */
export const IGNORED: Verdict = { response: 'ignored', handled: 0 }
/** 401 without a handler call or a store call. */
export const UNAUTHENTIC: Verdict = { response: 'not_authentic', handled: 0 }

/** 200 without a handler call: the delivery is authentic but can't be processed. */
export function quarantined(code: string): Verdict {
  return { response: 'quarantined', handled: 0, code }
}

/** Refused by the SDK before the signature was verified. */
export function refused(response: ResponseName): Verdict {
  return { response, handled: 0, code: response }
}

/** Refused by the HTTP parser, before the SDK sees the request. */
export function byTransport(...status: readonly (number | 'closed')[]): Verdict {
  return { response: { by: 'transport', status }, handled: 0 }
}

/** Refused by the transport, whether or not the SDK had started to read. */
export function broken(...status: readonly (number | 'closed')[]): Verdict {
  return { response: { by: 'either', status }, handled: 0 }
}

/** The framework responds without calling the adapter. */
export function byFramework(...status: readonly number[]): Verdict {
  return { response: { by: 'framework', status }, handled: 0 }
}

/** One verdict for targets with Node's HTTP parser, another for workerd. */
export function byParser(node: Verdict, workerd: Verdict): Expected {
  return { workerd, others: node }
}

/** Returns the verdict for a target. */
export function verdictFor(expected: Expected, target: Pick<Target, 'class' | 'traits'>): Verdict {
  if (typeof expected === 'function') return expected(target.traits)
  return 'others' in expected ? (expected[target.class] ?? expected.others) : expected
}
