/** The types of the messages between the inspector's page and its server. None of them contains a secret. */

/** The origin of a delivery: received from a sender, replayed from the log, or sent from the inspector. */
export type Origin = 'received' | 'replayed' | 'sent'

/** A header as received. Names keep their case and may repeat. */
export type HeaderLine = readonly [name: string, value: string]

/** The response to a delivery. */
export interface DeliveryResponse {
  /** Who responded: `listen` itself, or the URL that it forwards to. */
  readonly by: 'listen' | 'forward'
  /** The HTTP status, or `null` if no response arrived. */
  readonly status: number | null
  /** The outcome in the response of a receiver of this package. */
  readonly outcome: string | null
  /** Why GoValid would count the response as a failure, or `null` for a success. */
  readonly failure: string | null
  readonly headers: readonly HeaderLine[]
  /** The first 64 KiB of the response body. */
  readonly text: string
  readonly tookMs: number
}

/** The summary of a delivery in the list. */
export interface DeliverySummary {
  readonly id: string
  /** Epoch milliseconds. */
  readonly receivedAt: number
  readonly origin: Origin
  readonly method: string
  readonly path: string
  /** The event name, or a placeholder such as `(not JSON)`. */
  readonly event: string
  /** The length of the body in bytes. */
  readonly bytes: number
  readonly verified: boolean
  /** The number of the attempt with these bytes, from 1. */
  readonly attempt: number
  /** Whether a response was sent, or the wait for one has ended. */
  readonly finished: boolean
  readonly status: number | null
  readonly outcome: string | null
  readonly failure: string | null
  readonly tookMs: number | null
}

/** A finding of `explain` about a signature. */
export interface SignatureFinding {
  readonly code: string
  readonly message: string
  readonly fix: string
  /** The id of the delivery that the signature belongs to, or `null`. */
  readonly delivery: string | null
}

/** Whether a delivery verifies, and the findings if it doesn't. */
export type Verification =
  | { readonly valid: true }
  | { readonly valid: false; readonly proven: boolean; readonly findings: readonly SignatureFinding[] }

/** The event in the body, as a receiver reads it. */
export type Reading =
  | {
      readonly known: boolean
      readonly issues: readonly { readonly path: string; readonly expected: string; readonly received: string }[]
    }
  | { readonly unprocessable: string }

/** Everything about a delivery. */
export interface DeliveryDetails {
  readonly summary: DeliverySummary
  readonly headers: readonly HeaderLine[]
  /** The exact bytes in base64. */
  readonly body: string
  /** Whether the body is incomplete, because it was refused while it was read. */
  readonly isCut: boolean
  /** The SHA-256 of the bytes, which a receiver uses to detect duplicates. */
  readonly digest: string
  readonly verification: Verification
  readonly reading: Reading
  readonly response: DeliveryResponse | null
  /** All attempts with these bytes, including this one, oldest first. */
  readonly attempts: readonly DeliverySummary[]
  /** The delivery as a curl command. */
  readonly curl: string
  /** The delivery as a test. */
  readonly test: string
}

/** The state that the page loads once. */
export interface InspectorState {
  readonly endpoint: string
  readonly forward: string | null
  readonly events: readonly string[]
  /** The maximum number of deliveries in the log. */
  readonly maxKept: number
  /** The command that sends a first delivery. It reads the secret from the environment. */
  readonly sendCommand: string
}

/** A delivery to send from the editor. */
export interface SendRequest {
  /** The body in base64. */
  readonly body: string
  /** Whether to sign the body with the secret. Otherwise the headers of `from` are sent unchanged. */
  readonly isSigned: boolean
  /** The id of the edited delivery, or `null`. */
  readonly from: string | null
}

/** A server-sent event. */
export type LiveMessage =
  | { readonly kind: 'delivery'; readonly delivery: DeliverySummary }
  | { readonly kind: 'cleared' }
