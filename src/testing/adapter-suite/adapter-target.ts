/** The input of the adapter suite: a running application, and how to observe its handlers. */
import type { EventType } from '../../events/event-types.js'
import type { MaybePromise } from '../../maybe-promise.js'

/** A running application under test. Its receiver has the default options, and a handler for `qr.scanned`. */
export interface AdapterTarget {
  /** The name of the application in the report. */
  readonly name: string
  /** Returns the address that GoValid would call. Every test calls it, so a hook can start the application before. */
  url(): MaybePromise<string>
  /** The secret that the application was started with. */
  readonly secret: string
  /**
   * Returns how many times a handler was called for the event with this `data.qr_id`. `data.qr_title` has the same value, so an
   * application in another process can print either of them, and this function can count the printed lines that contain it.
   */
  handled(qrId: string): MaybePromise<number>
  /** An event type whose handler takes 5 to 20 seconds. Default: the test of slow handlers is skipped. */
  readonly slowEvent?: EventType | undefined
}
