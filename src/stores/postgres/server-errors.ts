/** Classifies the errors of Postgres: which connection to close, which call to repeat, and which setup to fix. */
import { WebhookError } from '../../errors.js'

/** Returns the `code` of an error, or an empty string. */
export function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' ? code : ''
}

/** A SQLSTATE. No class starts with E, but errors of Node do, for example EPIPE. */
const SQLSTATE = /^(?!E)[0-9A-Z]{5}$/

/**
 * SQLSTATEs of a connection that must be closed: a lost connection (08), a server that shuts down or starts (57P), a
 * transaction that was left open or timed out (25P), and a server that became read-only (25006), for example after a failover.
 */
const UNUSABLE_CONNECTION = /^(08|57P|25P|25006)/

/** Whether the server refused only the statement, so that the connection is still usable. */
export function isStatementError(error: unknown): boolean {
  const code = codeOf(error)
  return SQLSTATE.test(code) && !UNUSABLE_CONNECTION.test(code)
}

/** The server became read-only, for example after a failover. */
export const READ_ONLY = '25006'
export const UNDEFINED_TABLE = '42P01'
/** A row stayed locked for longer than the `lock_timeout`. */
export const LOCK_NOT_AVAILABLE = '55P03'
/** A pooling proxy sends each statement to any server connection, where the name is unknown or belongs to another client. */
export const NOT_PREPARED = /^(26000|42P05)$/

/** Serialization failure, deadlock, missing table, missing or foreign prepared statement: nothing was executed. */
const NOT_EXECUTED = /^(40001|40P01|42P01|26000|42P05)$/

/** Whether to repeat a statement. All statements of this driver are repeatable, but a refused one would be refused again. */
export function mayRepeat(error: unknown): boolean {
  if (error instanceof WebhookError) return false
  return !isStatementError(error) || NOT_EXECUTED.test(codeOf(error))
}

/**
 * Whether another attempt to connect may succeed soon: the server starts, shuts down or has too many clients, or the pool's
 * own `connectionTimeoutMillis` has passed. A refused connection isn't repeated, because a call must fail promptly.
 */
export function mayConnectSoon(error: unknown): boolean {
  if (/^(57P0|53300)/.test(codeOf(error))) return true
  return codeOf(error) === '' && error instanceof Error && /timeout/.test(error.message)
}

/** The error of a call that found no free connection in time. */
export function noConnection(limitMs: number): WebhookError<'store_unavailable'> {
  const message = `The pool had no free connection within ${Math.ceil(limitMs)} ms. Raise the pool's max, or release connections sooner. See docs/stores/postgres.md.`
  return new WebhookError('store_unavailable', message)
}

const FOREIGN = 'it is another table: it lacks columns of the store, or has them with other types'
const REASONS: Readonly<Record<string, string>> = {
  '42501': 'the role lacks a privilege, or row-level security applies to it',
  '3F000': 'its schema does not exist',
  '42703': FOREIGN,
  '42804': FOREIGN,
  '42883': FOREIGN,
  '42P10': FOREIGN,
  '42809': FOREIGN,
}

/** Returns an error with its fix if only a change of the setup can help, and otherwise the same error. */
export function explainError(error: unknown, table: string): unknown {
  const reason = REASONS[codeOf(error)]
  return reason === undefined ? error : unsuitable(table, `${reason} (${(error as Error).message})`, error)
}

/** The error for tables that the store can't use. `table` is quoted for SQL. */
export function unsuitable(table: string, reason: string, cause?: unknown): WebhookError<'store_unsuitable'> {
  const name = table.replaceAll('"', '')
  const message =
    `postgresStore can't use the table ${name}: ${reason}. As an owner, run the SQL that postgresTablesSql('${name}') returns, ` +
    'grant the role SELECT, INSERT, UPDATE and DELETE on both tables, and exempt it from row-level security. ' +
    'If the table belongs to something else, choose another name with `table`. See docs/stores/postgres.md.'
  return new WebhookError('store_unsuitable', message, cause === undefined ? undefined : { cause })
}
