/**
 * The receiver's own view of a delivery: every value of the application is read once and guarded, and what the quarantine or the inbox may
 * still need is copied. The application may change or release the request while its handlers run.
 */
import { isBytes } from '../crypto/encoding.js'
import { isPromiseLike } from '../maybe-promise.js'
import type { Delivery } from '../types.js'

/** Reads a delivery. Never throws; a header that can't be read counts as absent. */
export function ownDelivery(delivery: Delivery, copiesBody: boolean): Delivery {
  const { method, body } = delivery
  return {
    method,
    body: copiesBody && isBytes(body) ? new Uint8Array(body) : body,
    header: (name) => guarded(() => delivery.header(name)),
    headers: () => copyHeaders(guarded(() => delivery.headers?.())),
    waitUntil: (work) => guarded(() => delivery.waitUntil?.(work)),
    freezesAfterResponse: guarded(() => delivery.freezesAfterResponse) === true,
  }
}

function guarded<T>(read: () => T): T | undefined {
  try {
    const value = read()
    if (!isPromiseLike(value)) return value
    // Nothing awaits it, and its rejection must not end the process.
    Promise.resolve(value).catch(() => {})
  } catch {
    // The value counts as absent.
  }
  return undefined
}

function copyHeaders(headers: Readonly<Record<string, unknown>> | undefined): Readonly<Record<string, string>> {
  const copy: Record<string, string> = Object.create(null)
  const entries = guarded(() => Object.entries(headers ?? {})) ?? []
  for (const [name, value] of entries) if (typeof value === 'string') copy[name] = value
  return copy
}
