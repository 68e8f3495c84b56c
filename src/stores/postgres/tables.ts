/** The tables of the Postgres store: validates and quotes their names, and creates or upgrades them. */
import type { PoolClient } from 'pg'
import type { Clock } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import { asError, awaitResponse } from './await-response.js'
import type { PostgresConnections } from './connections.js'

/** The names of the tables, quoted for SQL. */
export interface PostgresTables {
  readonly deliveries: string
  readonly quarantine: string
}

const PART = '[A-Za-z_][A-Za-z0-9_]*'
const TABLE = new RegExp(`^(?:(${PART})\\.)?(${PART})$`)
/** Postgres truncates names to 63 bytes, and the suffix `_quarantine` takes 11. */
const MAX_TABLE_LENGTH = 52
const MAX_SCHEMA_LENGTH = 63

/**
 * Parses the name of a table, with or without a schema.
 *
 * @throws WebhookError `option_invalid` if it isn't a plain name.
 */
export function readTable(table: string): PostgresTables {
  const [, schema, name = ''] = TABLE.exec(table) ?? []
  if (name === '' || name.length > MAX_TABLE_LENGTH || (schema ?? '').length > MAX_SCHEMA_LENGTH) {
    throw new WebhookError(
      'option_invalid',
      `table must be "table" or "schema.table", with letters, digits and underscores and at most ${MAX_TABLE_LENGTH} characters for the table; ` +
        `it is ${JSON.stringify(table)}.`,
    )
  }
  const prefix = schema === undefined ? '' : `"${schema}".`
  return { deliveries: `${prefix}"${name}"`, quarantine: `${prefix}"${name}_quarantine"` }
}

/** The SQL of each version of the tables. A new version appends an entry. Never change an existing entry. */
function versions({ deliveries, quarantine }: PostgresTables): readonly string[] {
  const index = `"${deliveries.split('"').at(-2)}_retention"`
  return [
    `CREATE TABLE IF NOT EXISTS ${deliveries} (
  namespace text NOT NULL,
  key bytea NOT NULL,
  state text NOT NULL,
  token text NOT NULL,
  lease_until bigint NOT NULL,
  retain_until bigint NOT NULL,
  attempt integer NOT NULL,
  released_attempts integer NOT NULL,
  counted_at bigint NOT NULL,
  completed_handlers text[] NOT NULL,
  PRIMARY KEY (namespace, key)
) WITH (fillfactor = 80);
CREATE INDEX IF NOT EXISTS ${index} ON ${deliveries} (retain_until);
CREATE TABLE IF NOT EXISTS ${quarantine} (
  namespace text NOT NULL,
  key bytea NOT NULL,
  code text NOT NULL,
  raw_body bytea NOT NULL,
  received_at double precision NOT NULL,
  attempt integer,
  about text NOT NULL,
  PRIMARY KEY (namespace, key)
);`,
  ]
}

function comment({ deliveries }: PostgresTables, version: number): string {
  return `COMMENT ON TABLE ${deliveries} IS 'govalid-webhooks ${version}';`
}

/** Returns the SQL that creates the tables of this version in a database without them. */
export function tablesSql(tables: PostgresTables): string {
  const sql = versions(tables)
  return [...sql, comment(tables, sql.length)].join('\n')
}

const CONNECTION_LIMIT_MS = 10_000
/** Less than the response limit, so that the server gives up first and no abandoned request for a lock blocks other writers. */
const LOCK_LIMIT_MS = 5_000

/** Upgrades the tables to this version. Any number of processes may call it at once: one upgrades, the others wait. */
export async function migrateTables(
  tables: PostgresTables,
  clock: Clock,
  borrow: PostgresConnections['borrow'],
): Promise<void> {
  const { client, giveBack } = await borrow(CONNECTION_LIMIT_MS)
  const response = await awaitResponse(clock, async () => {
    if ((await readVersion(client, tables)) < versions(tables).length) await migrate(client, tables)
  })
  // Closing the connection rolls back its transaction.
  giveBack(response.status === 'value' ? undefined : asError(response.error))
  if (response.status === 'error') throw response.error
}

async function migrate(client: PoolClient, tables: PostgresTables): Promise<void> {
  const sql = versions(tables)
  // At a stricter level, `readVersion` would read a snapshot from before the wait for the lock.
  await client.query(`BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = ${LOCK_LIMIT_MS}`)
  await client.query(`SELECT pg_advisory_xact_lock(hashtext('govalid-webhooks'), hashtext($1))`, [tables.deliveries])
  const version = await readVersion(client, tables)
  for (const statement of sql.slice(version)) await client.query(statement)
  if (version < sql.length) await client.query(comment(tables, sql.length))
  await client.query('COMMIT')
}

/** Returns the version of the tables, or 0 if there are none. */
async function readVersion(client: PoolClient, { deliveries }: PostgresTables): Promise<number> {
  // obj_description would use the session's cache, in which the table is still missing after the wait for the lock.
  const sql = `SELECT description FROM pg_catalog.pg_description
WHERE classoid = 'pg_catalog.pg_class'::regclass AND objoid = to_regclass($1) AND objsubid = 0`
  const { rows } = await client.query<{ description: string }>(sql, [deliveries])
  return Number(/^govalid-webhooks (\d+)$/.exec(rows[0]?.description ?? '')?.[1] ?? 0)
}
