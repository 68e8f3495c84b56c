// The observations of a receiver under test: everything it did, as plain JSON, so that another process can send them.

/** One call of a handler. */
export interface HandledCall {
  readonly variant: string
  /** The event type that the handler was registered for, or `(unknown)`. */
  readonly handler: string
  readonly eventType: string
  /** The event as JSON, or `null` if it is too deep or too large to print. */
  readonly event: string | null
  readonly attempt: number
  readonly redelivery: boolean
  readonly idempotencyKey: string
  /** Each issue as `path: expected, received`. */
  readonly issues: readonly string[]
  readonly rawBytes: number
  /** The first 4,096 bytes of the raw body. */
  readonly rawBase64: string
  /** Whether an object or array in the event has a prototype other than the built-in one. */
  readonly foreignPrototype: boolean
}

/** One entry that the quarantine received. */
export interface QuarantinedEntry {
  readonly variant: string
  readonly key: string
  readonly code: string
  readonly eventType: string | null
  readonly rawBytes: number
  readonly rawBase64: string
  readonly headers: Readonly<Record<string, string>>
}

/** One outcome that `onOutcome` received. */
export interface SeenOutcome {
  readonly variant: string
  readonly status: string
  readonly code: string | null
  readonly hint: string | null
  readonly secretIndex: number | null
  readonly attempt: number | null
}

/** One report that `onError` received. */
export interface SeenReport {
  readonly variant: string
  readonly code: string
  readonly message: string
  readonly eventType: string | null
}

/** Everything that happened since the last `observe` or `reset`. */
export interface Observations {
  readonly handled: readonly HandledCall[]
  /** The number of store calls of all variants. */
  readonly store: {
    readonly claim: number
    readonly renew: number
    readonly complete: number
    readonly release: number
  }
  /** The `retainUntil` of each claim, in epoch milliseconds. */
  readonly retainUntil: readonly number[]
  readonly outcomes: readonly SeenOutcome[]
  readonly reports: readonly SeenReport[]
  readonly quarantined: readonly QuarantinedEntry[]
  readonly discarded: readonly string[]
  /** The variants whose `close` has resolved. */
  readonly closed: readonly string[]
  /** The lines printed with `console.error`. */
  readonly logged: readonly string[]
  /** The unhandled rejections and uncaught exceptions of the process or isolate, as text. */
  readonly faults: readonly string[]
  /** The property names of `Object.prototype`, to detect pollution. */
  readonly objectPrototype: readonly string[]
  /** The receiver's clock, in epoch milliseconds. */
  readonly now: number
}

/** A command of the control channel: `POST /control` with one of these as JSON. The response is {@link Observations}. */
export type Command =
  /** Starts over: new receivers, empty stores, the real time. */
  | { readonly do: 'reset'; readonly ownSecretBase64?: string; readonly ownSecretText?: string }
  /** Returns the observations and starts with empty ones. */
  | { readonly do: 'observe' }
  /** Sets the receivers' clock, which keeps running from there. */
  | { readonly do: 'set-time'; readonly epochMs: number }
  /** Lets every held handler continue, and every later one. */
  | { readonly do: 'release' }
  /** Starts to close the receiver of a variant, without waiting for it. */
  | { readonly do: 'close'; readonly variant: string }
