/**
 * The connection of one driver: its tables, immediate reads, and writes in groups. Takes a `node:sqlite` or `better-sqlite3` database.
 */
import { isWebhookError, WebhookError } from '../../errors.js'
import type { MaybePromise } from '../../maybe-promise.js'
import { type DatabaseUser, explainPermanent, isInUse, isLocked } from './database-errors.js'
import { runGroup } from './group.js'
import type { SqlRow, SqlStatement } from './record-statements.js'
import type { SqliteRunner } from './runner.js'
import { createSession, rollBack, type SessionOptions } from './session.js'
import { createWriteQueue, type QueuedWrite } from './write-queue.js'

/** A connection, set up for one driver. */
export interface SqliteConnection {
  /**
   * Reads committed rows immediately and without a transaction, because writers don't block readers in WAL mode. Returns no rows if the
   * tables don't exist or the connection is in use, so an empty result proves nothing.
   */
  read(statement: SqlStatement): readonly SqlRow[]
  /** Reads committed rows: immediately if there are any, otherwise in order with the writes that wait. */
  query(statement: SqlStatement, waitMs: number): Promise<readonly SqlRow[]>
  /**
   * Runs a write in a transaction: immediately if it is alone, otherwise together with the other writes that wait. Throws or rejects with
   * the write's own error, or after `waitMs`. A write that failed has changed nothing and changes nothing later.
   */
  write<Result>(write: QueuedWrite<Result>): MaybePromise<Result>
  /** Returns the number of waiting writes. */
  waiting(): number
}

/**
 * Creates a connection and its missing tables. If the file is locked, the first write creates them.
 *
 * @throws WebhookError `option_invalid` if `database` isn't an open database of either library or SQLite is too old, and `store_unsuitable` if
 * it can't be written, has no write-ahead logging, or has foreign tables of the same names.
 */
export function createConnection(options: SessionOptions): SqliteConnection {
  const { database, user, clock } = options
  checkDatabase(database, user)
  const session = createSession(options)
  const queue = createWriteQueue((writes, isOverTime) => runGroup(session, writes, isOverTime), user, clock)
  try {
    refuseOldVersion(session.runner, user)
    session.begin()
    rollBack(session.runner)
  } catch (error) {
    const explained = explainPermanent(user, error)
    // Everything that may heal by itself is left to the first write.
    if (isWebhookError(explained)) throw explained
  }
  const read = (statement: SqlStatement): readonly SqlRow[] => {
    if (!session.isOpen() || session.isInUse() !== false) return []
    try {
      return session.runner.rows(statement)
    } catch (error) {
      if (isLocked(error) || isInUse(error) || session.isTableMissing(error)) return []
      throw error
    }
  }
  return {
    read,
    async query(statement, waitMs) {
      const rows = read(statement)
      if (rows.length > 0) return rows
      return queue.add({ waitMs, isUrgent: true, run: (runner) => runner.rows(statement) })
    },
    write: queue.add,
    waiting: queue.waiting,
  }
}

/** An old version would refuse some statements only while deliveries are processed. */
function refuseOldVersion(runner: SqliteRunner, { name, page }: DatabaseUser): void {
  const [row] = runner.rows({ sql: 'SELECT sqlite_version() AS version', values: [] })
  const version = String(row?.['version'])
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > 3 || (major === 3 && minor >= 42)) return
  const message = `${name} needs SQLite 3.42 or newer, which better-sqlite3 8.4 was the first to have; this is SQLite ${version}. Run: npm install better-sqlite3@latest. See ${page}.`
  throw new WebhookError('option_invalid', message)
}

function checkDatabase(database: unknown, { name, page }: DatabaseUser): void {
  const { prepare, exec, isOpen, open } = (database ?? {}) as Readonly<Record<string, unknown>>
  if (typeof prepare === 'function' && typeof exec === 'function' && isOpen !== false && open !== false) return
  const message = `${name} needs an open database of node:sqlite or better-sqlite3, for example { database: new DatabaseSync("app.db") }. See ${page}.`
  throw new WebhookError('option_invalid', message)
}
