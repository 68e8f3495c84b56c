/**
 * The report of a simulated sender: its attempts, its deliveries and the state of the webhook.
 */

/** One attempt: a request and its result. */
export interface AttemptReport {
  /** The number of the attempt, from 1 to 5. */
  readonly number: number
  /** The time of the request, in epoch milliseconds of the sender's clock. */
  readonly sentAt: number
  /** The time until the response arrived or GoValid stopped waiting, in milliseconds. */
  readonly tookMs: number
  /** The HTTP status of the response; `undefined` if no response came within 5 s. */
  readonly httpStatus: number | undefined
  /** The `status` in the JSON of the response: a receiver's outcome, such as `processed`. */
  readonly outcome: string | undefined
  /** Whether GoValid counts the attempt as a failure: anything but a 200 within 5 s. */
  readonly isFailure: boolean
  /** Why the attempt got no response: the endpoint threw or couldn't be reached. `undefined` if the 5 s ran out. */
  readonly error: string | undefined
}

/** One delivery and its attempts. */
export interface DeliveryReport {
  /** The index of its payload, starting at 0. */
  readonly index: number
  /**
   * `delivered`: an attempt got a 200. `given_up`: five attempts failed. `stopped`: the webhook was disabled earlier, possibly before the
   * first attempt.
   */
  readonly status: 'delivered' | 'given_up' | 'stopped'
  /** Its attempts, in order. */
  readonly attempts: readonly AttemptReport[]
}

/** The result of `simulateSender`. */
export interface SenderReport {
  /** One report per payload, in the order of the payloads. */
  readonly deliveries: readonly DeliveryReport[]
  /** When the webhook was disabled, in epoch milliseconds; `undefined` if it is still enabled. */
  readonly disabledAt: number | undefined
}
