/** Waits for a response of Postgres with a time limit. */
import { type Clock, withTimeout } from '../../clock.js'
import { WebhookError } from '../../errors.js'

/**
 * How long a sent statement may take, in milliseconds. It outlasts the call, so that a claim whose response comes late can be
 * released. It is limited, because a dead connection may never report an error.
 */
export const RESPONSE_LIMIT_MS = 10_000

/** A response, or the error that replaced it. */
export type PostgresResponse<T> =
  | { readonly status: 'value'; readonly value: T }
  | { readonly status: 'error'; readonly error: unknown }

/** Sends a statement and waits at most `limitMs` for its response. Never rejects. After a timeout, close the connection. */
export async function awaitResponse<T>(
  clock: Clock,
  send: () => Promise<T>,
  limitMs: number = RESPONSE_LIMIT_MS,
): Promise<PostgresResponse<T>> {
  const result = await withTimeout(clock, limitMs, send)
  if (result.status !== 'late') return result
  const message = `Postgres did not respond within ${limitMs} ms, so the connection was closed. Check the server and the network. See docs/stores/postgres.md.`
  return { status: 'error', error: new WebhookError('store_unavailable', message) }
}

/** Converts a thrown value to an `Error`. A pool closes a connection that is returned with an `Error`. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
