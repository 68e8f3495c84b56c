// What the acceptance cases see of a receiver under test: everything it did, as plain JSON, so that it can come from another process.

/** One call of a handler. */
export interface HandledCall {
  readonly variant: string
  /** The event type the handler was registered for, or `(unknown)`. */
  readonly handler: string
  readonly eventType: string
  /** The event as JSON text; `null` when it is too deep or too large to be printed. */
  readonly event: string | null
  readonly attempt: number
  readonly redelivery: boolean
  readonly idempotencyKey: string
  /** `path: expected, received` of each issue. */
  readonly issues: readonly string[]
  readonly rawBytes: number
  /** The first 4,096 bytes of the raw body. */
  readonly rawBase64: string
  /** Whether any object of the event has another prototype than its kind's own. */
  readonly foreignPrototype: boolean
}

/** One entry that the quarantine sink was given. */
export interface QuarantinedEntry {
  readonly variant: string
  readonly key: string
  readonly code: string
  readonly eventType: string | null
  readonly rawBytes: number
  readonly rawBase64: string
  readonly headers: Readonly<Record<string, string>>
}

/** One outcome, as `onOutcome` was told. */
export interface SeenOutcome {
  readonly variant: string
  readonly status: string
  readonly code: string | null
  readonly hint: string | null
  readonly secretIndex: number | null
  readonly attempt: number | null
}

/** One report, as `onError` was told. */
export interface SeenReport {
  readonly variant: string
  readonly code: string
  readonly message: string
  readonly eventType: string | null
}

/** Everything since the last time it was taken. */
export interface Observations {
  readonly handled: readonly HandledCall[]
  /** Calls of the store, of every variant. */
  readonly store: {
    readonly claim: number
    readonly renew: number
    readonly complete: number
    readonly release: number
  }
  /** `retainUntil` of each claim, in epoch milliseconds. */
  readonly retainUntil: readonly number[]
  readonly outcomes: readonly SeenOutcome[]
  readonly reports: readonly SeenReport[]
  readonly quarantined: readonly QuarantinedEntry[]
  readonly discarded: readonly string[]
  /** Variants whose `close` has resolved. */
  readonly closed: readonly string[]
  /** What was printed on `console.error`. */
  readonly logged: readonly string[]
  /** Unhandled rejections and uncaught exceptions of the process or isolate, as text. */
  readonly faults: readonly string[]
  /** The names of `Object.prototype`, to see that nothing was added. */
  readonly objectPrototype: readonly string[]
  /** The receiver's clock, in epoch milliseconds. */
  readonly now: number
}

/** What a target can be told over its control channel: `POST /control` with one of these as JSON, answered with {@link Observations}. */
export type Command =
  /** Forgets everything: new receivers, empty stores, the real time. */
  | { readonly do: 'reset'; readonly ownSecretBase64?: string; readonly ownSecretText?: string }
  /** Takes the observations: they are given once. */
  | { readonly do: 'observe' }
  /** Sets the receivers' clock; it goes on from there. */
  | { readonly do: 'set-time'; readonly epochMs: number }
  /** Lets every held handler go on, now and from now on. */
  | { readonly do: 'release' }
  /** Closes the receiver of a variant; the answer does not wait for it. */
  | { readonly do: 'close'; readonly variant: string }
