/**
 * Classifies the errors of SQLite. The driver waits until a temporary error ends. The message of a permanent error names the fix.
 * `better-sqlite3` names its errors in `code`; `node:sqlite` numbers them in `errcode`, whose lowest byte is the primary code.
 */
import { WebhookError } from '../../errors.js'

const CODES = {
  SQLITE_ERROR: 1,
  SQLITE_BUSY: 5,
  SQLITE_READONLY: 8,
  SQLITE_CANTOPEN: 14,
  SQLITE_CONSTRAINT: 19,
  SQLITE_NOTADB: 26,
}
type CodeName = keyof typeof CODES

/** Whether an error has a primary code. */
function hasCode(error: unknown, name: CodeName): boolean {
  const { code, errcode } = (error ?? {}) as { readonly code?: unknown; readonly errcode?: unknown }
  if (typeof errcode === 'number') return (errcode & 0xff) === CODES[name]
  return code === name || String(code).startsWith(`${name}_`)
}

/** Whether another connection holds the write lock. */
export function isLocked(error: unknown): boolean {
  return hasCode(error, 'SQLITE_BUSY')
}

/** Whether the application is using this connection: it left a transaction open, or reads rows one by one. */
export function isInUse(error: unknown): boolean {
  return /(within|inside|from within) a transaction|busy executing a query/.test(String(error))
}

/** Returns the name of the missing table, if a table is missing. */
export function missingTable(error: unknown): string | undefined {
  return /no such table: (?:\w+\.)?(\w+)/.exec(String(error))?.[1]
}

/** Whether SQLite refuses a statement because of the table's columns, constraints or triggers. */
export function isMismatch(error: unknown): boolean {
  return hasCode(error, 'SQLITE_ERROR') || hasCode(error, 'SQLITE_CONSTRAINT')
}

/** The driver that uses a database, for messages. */
export interface DatabaseUser {
  readonly name: 'sqliteStore' | 'sqliteInbox'
  /** The page that explains it. */
  readonly page: string
}

const PERMANENT: readonly (readonly [CodeName, string])[] = [
  [
    'SQLITE_READONLY',
    'Open the database without a read-only option and without query_only, and let the process write to the file and to its folder, where SQLite keeps the -wal and -shm files',
  ],
  ['SQLITE_CANTOPEN', 'Create the folder of the file, and let the process write to the folder and to the file'],
  ['SQLITE_NOTADB', 'Give it the path of a SQLite database or of a new file'],
]

/** Replaces a permanent error by one that names the fix. Returns every other error unchanged. */
export function explainPermanent({ name, page }: DatabaseUser, error: unknown): unknown {
  const [, fix] = PERMANENT.find(([code]) => hasCode(error, code)) ?? []
  if (fix === undefined) return error
  const message = `${name} needs a database that it can write to, but SQLite reports: ${textOf(error)}. ${fix}. See ${page}.`
  return new WebhookError('store_unsuitable', message, { cause: error })
}

/** Creates the error for a database that SQLite can't switch to write-ahead logging. */
export function unsuitableMode({ name, page }: DatabaseUser, mode: unknown): WebhookError {
  const message = `${name} needs write-ahead logging, but this database stays in journal mode ${JSON.stringify(mode)}. Use a file on a local disk: network file systems and temporary databases can't do it. See ${page}.`
  return new WebhookError('store_unsuitable', message)
}

/** Creates the error for a table that exists with other columns or constraints. */
export function foreignTable({ name, page }: DatabaseUser, table: string, error: unknown): WebhookError {
  const message = `${name} can't use the existing table ${table}: ${textOf(error)}. Choose another name with the option \`table\`, or rename the existing table. See ${page}.`
  return new WebhookError('store_unsuitable', message, { cause: error })
}

/** Creates the error for a write that waited in vain. */
export function explainWait({ name, page }: DatabaseUser, error: unknown): WebhookError {
  const message = isInUse(error)
    ? `${name} waited in vain for its connection, because the application left a transaction or a query open on it. Give ${name} its own connection. See ${page}.`
    : `${name} waited in vain for another connection that writes to the same file. Keep write transactions on this file short. See ${page}.`
  return new WebhookError('store_unavailable', message, { cause: error })
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
