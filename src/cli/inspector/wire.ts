/** What the inspector's page and its server say to each other: types alone, and nothing that could hold a secret. */

/** How a delivery came to be: from outside, again from the log, or made in the inspector. */
export type Origin = 'received' | 'replayed' | 'sent'

/** A header as it came: names keep their case and may repeat. */
export type HeaderLine = readonly [name: string, value: string]

/** What a delivery was answered, and by whom. */
export interface GivenResponse {
  /** `listen` itself, or the address it forwards to. */
  readonly by: 'listen' | 'forward'
  /** `null` when there was no answer. */
  readonly status: number | null
  /** The outcome that a receiver of this package names. */
  readonly outcome: string | null
  /** Why GoValid would count it as a failure; `null` where it would not. */
  readonly failure: string | null
  readonly headers: readonly HeaderLine[]
  /** The beginning of its body. */
  readonly text: string
  readonly tookMs: number
}

/** What the list shows of a delivery. */
export interface DeliverySummary {
  readonly id: string
  /** Epoch milliseconds. */
  readonly receivedAt: number
  readonly origin: Origin
  readonly method: string
  readonly path: string
  /** The name of its event, or in brackets what stands in the place of one. */
  readonly event: string
  /** The length of the body. */
  readonly bytes: number
  readonly verified: boolean
  /** Which time these bytes came, from 1. */
  readonly time: number
  /** Whether the answer is there, be it that there was none. */
  readonly answered: boolean
  readonly status: number | null
  readonly outcome: string | null
  readonly failure: string | null
  readonly tookMs: number | null
}

/** One thing that is wrong with a signature, as `explain` words it. */
export interface SignatureFinding {
  readonly code: string
  readonly message: string
  readonly fix: string
  /** The delivery that the signature belongs to, where it is that of another. */
  readonly delivery: string | null
}

/** Whether a delivery verifies, and if not, why. */
export type Verification =
  | { readonly valid: true }
  | { readonly valid: false; readonly proven: boolean; readonly findings: readonly SignatureFinding[] }

/** What the body says, read as a receiver reads it. */
export type Reading =
  | {
      readonly known: boolean
      readonly issues: readonly { readonly path: string; readonly expected: string; readonly received: string }[]
    }
  | { readonly unworkable: string }

/** Everything about a delivery. */
export interface DeliveryDetails {
  readonly summary: DeliverySummary
  readonly headers: readonly HeaderLine[]
  /** The exact bytes, in base64. */
  readonly body: string
  /** Whether the body was refused before it was read to its end. */
  readonly isCut: boolean
  /** SHA-256 of the bytes: what a receiver deduplicates by. */
  readonly digest: string
  readonly verification: Verification
  readonly reading: Reading
  readonly response: GivenResponse | null
  /** Every time these bytes came, the first time first; this one is among them. */
  readonly attempts: readonly DeliverySummary[]
  readonly curl: string
  readonly test: string
}

/** What the page has to know once. */
export interface InspectorState {
  readonly endpoint: string
  readonly forward: string | null
  readonly events: readonly string[]
  /** How many deliveries are kept at most. */
  readonly mostKept: number
  /** The command that sends a first delivery; the secret is in the environment. */
  readonly sendCommand: string
}

/** A body to be sent, from the editor. */
export interface SendRequest {
  /** Its bytes, in base64. */
  readonly body: string
  /** Whether it is signed with the secret; else the headers of `from` go with it as they are. */
  readonly isSigned: boolean
  /** The delivery it was edited from. */
  readonly from: string | null
}

/** What the server tells of as it happens. */
export type LiveMessage =
  | { readonly kind: 'delivery'; readonly delivery: DeliverySummary }
  | { readonly kind: 'cleared' }
