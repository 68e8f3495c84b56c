/**
 * What Postgres answers: how long it is waited for, and what an error says of the connection.
 */
import { type Clock, withTimeout } from '../../clock.js'
import { WebhookError } from '../../errors.js'

/** What was sent is waited for, so that a claim answered late can be given back; a connection that is dead without a word answers never. */
export const RESPONSE_LIMIT_MS = 10_000

/** An answer, or why there is none. */
export type WebhookResponse<T> =
  | { readonly status: 'value'; readonly value: T }
  | { readonly status: 'error'; readonly error: unknown }

/** Waits for an answer, `limitMs` at most. Never rejects; a connection that did not answer in time is of no more use. */
export async function awaitResponse<T>(
  clock: Clock,
  ask: () => Promise<T>,
  limitMs: number = RESPONSE_LIMIT_MS,
): Promise<WebhookResponse<T>> {
  const settled = await withTimeout(clock, limitMs, ask)
  if (settled.status !== 'late') return settled
  const message = `Postgres did not answer within ${limitMs} ms; the connection was closed.`
  return { status: 'error', error: new WebhookError('store_unavailable', message) }
}

/** SQLSTATE classes after which a connection is of no more use: its failure (08), the server's end (57P), its own (25P: idle too long). */
const CONNECTION_LOST = /^(08|57P|25P)/

/** The SQLSTATE of an error of the server; another error's code, or none, is something else. */
export function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' ? code : ''
}

/** Whether the server refused the statement and the connection is as good as before. */
export function isStatementError(error: unknown): boolean {
  const code = codeOf(error)
  return code.length === 5 && !CONNECTION_LOST.test(code)
}

/** What a connection is given back with, so that it is closed. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
