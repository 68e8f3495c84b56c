/** Keeps the platform alive for work after the response. Errors of the platform's function are ignored. */
import { isPromiseLike } from '../maybe-promise.js'
import type { Delivery } from '../types.js'

/** Passes `work` to the platform's `waitUntil`, if it has one. Never throws. */
export function keepAlive(platform: Pick<Delivery, 'waitUntil'> | undefined, work: Promise<unknown>): void {
  try {
    const returned: unknown = platform?.waitUntil?.(work)
    if (isPromiseLike(returned)) Promise.resolve(returned).catch(() => {})
  } catch {
    // The request may be over. The work continues as long as the platform lets it.
  }
}
