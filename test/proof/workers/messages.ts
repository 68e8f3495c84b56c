/** The messages between the proof and its Workers. */

/** A Worker's share of the copies of a delivery. */
export interface Share {
  readonly body: string
  readonly signature: string
  readonly copies: number
}

/** The number of handler calls, and the number of copies per response, such as `200 processed`. */
export interface Findings {
  readonly calls: number
  readonly statuses: Readonly<Record<string, number>>
}
