/**
 * What a simulated sender tells: of each try, of each delivery, and of the webhook.
 */

/** One try: a request and what came of it. */
export interface AttemptReport {
  /** Which of the delivery's tries it is, from 1 to 5. */
  readonly number: number
  /** When it was sent, in epoch milliseconds of the sender's clock. */
  readonly sentAt: number
  /** How long it took until the answer, or until GoValid stopped waiting, in milliseconds. */
  readonly tookMs: number
  /** The HTTP status of the answer; absent when none came within 5 s. */
  readonly httpStatus: number | undefined
  /** The `status` in the answer's JSON: a receiver's outcome, such as `processed`. */
  readonly outcome: string | undefined
  /** Whether GoValid counts it as a failure: anything but a 200 within 5 s. */
  readonly isFailure: boolean
  /** Why no answer came, where it was not the time: the endpoint threw, or could not be reached. */
  readonly error: string | undefined
}

/** One delivery and its tries. */
export interface DeliveryReport {
  /** Its place among the payloads, from 0. */
  readonly index: number
  /** `delivered`: answered 200. `given_up`: five tries failed. `stopped`: the webhook was disabled before that, perhaps before the first try. */
  readonly status: 'delivered' | 'given_up' | 'stopped'
  /** Its tries, in order. */
  readonly attempts: readonly AttemptReport[]
}

/** All that a simulated sender did. */
export interface SenderReport {
  /** One for each payload, in their order. */
  readonly deliveries: readonly DeliveryReport[]
  /** When the webhook was disabled, in epoch milliseconds; absent when it still is enabled. */
  readonly disabledAt: number | undefined
}
