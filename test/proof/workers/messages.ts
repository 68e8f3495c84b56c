/** What the proof tells a Worker for each delivery, and what the Worker says to that. */

/** A delivery, and how many copies of it to receive at once. */
export interface Share {
  readonly body: string
  readonly signature: string
  readonly copies: number
}

/** How often the handler was called, and how many copies were answered how: `200 processed`. */
export interface Findings {
  readonly calls: number
  readonly statuses: Readonly<Record<string, number>>
}
