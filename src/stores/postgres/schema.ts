/**
 * The Postgres driver's tables: their names, made safe, and the steps that create them.
 */
import type { PoolClient } from 'pg'
import type { Clock } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import type { PostgresConnections } from './connection.js'
import { asError, awaitResponse } from './response.js'

/** The driver's tables, quoted and ready to be put into SQL. */
export interface PostgresTables {
  readonly deliveries: string
  readonly quarantine: string
}

const PART = '[A-Za-z_][A-Za-z0-9_]*'
const TABLE = new RegExp(`^(?:(${PART})\\.)?(${PART})$`)
/** Postgres cuts names at 63 bytes; the longest of ours adds 11. */
const MAX_TABLE_LENGTH = 52
const MAX_SCHEMA_LENGTH = 63

/**
 * Reads the name of a table, with or without a schema.
 *
 * @throws WebhookError `option_invalid` when it is no plain name.
 */
export function readTable(table: string): PostgresTables {
  const [, schema, name = ''] = TABLE.exec(table) ?? []
  if (name === '' || name.length > MAX_TABLE_LENGTH || (schema ?? '').length > MAX_SCHEMA_LENGTH) {
    throw new WebhookError(
      'option_invalid',
      `table must be a name, or a schema and a name with a dot between: letters, digits and _, the name at most ${MAX_TABLE_LENGTH}; ` +
        `it is ${JSON.stringify(table)}.`,
    )
  }
  const prefix = schema === undefined ? '' : `"${schema}".`
  return { deliveries: `${prefix}"${name}"`, quarantine: `${prefix}"${name}_quarantine"` }
}

/**
 * What each version of the tables adds to the one before; a new version is a new entry, and none is ever changed.
 */
function steps({ deliveries, quarantine }: PostgresTables): readonly string[] {
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

/** Everything that brings a database without the tables to this version. */
export function tablesSql(tables: PostgresTables): string {
  const wanted = steps(tables)
  return [...wanted, comment(tables, wanted.length)].join('\n')
}

const CONNECTION_LIMIT_MS = 10_000
/** Below the limit of an answer: the server gives up first, and no writer waits behind a lock that nobody wants any more. */
const LOCK_LIMIT_MS = 5_000

/** Brings the tables to this version. Any number of processes may do so at once; one works, the others wait for it. */
export async function migrateTables(
  tables: PostgresTables,
  clock: Clock,
  borrow: PostgresConnections['borrow'],
): Promise<void> {
  const { client, giveBack } = await borrow(CONNECTION_LIMIT_MS)
  const response = await awaitResponse(clock, async () => {
    if ((await readVersion(client, tables)) < steps(tables).length) await migrate(client, tables)
  })
  // Closing the connection ends its transaction.
  giveBack(response.status === 'value' ? undefined : asError(response.error))
  if (response.status === 'error') throw response.error
}

async function migrate(client: PoolClient, tables: PostgresTables): Promise<void> {
  const wanted = steps(tables)
  // At a stricter level the version would be read as it was before the wait for the lock.
  await client.query(`BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = ${LOCK_LIMIT_MS}`)
  await client.query(`SELECT pg_advisory_xact_lock(hashtext('govalid-webhooks'), hashtext($1))`, [tables.deliveries])
  const version = await readVersion(client, tables)
  for (const step of wanted.slice(version)) await client.query(step)
  if (version < wanted.length) await client.query(comment(tables, wanted.length))
  await client.query('COMMIT')
}

/** The version the tables are at; 0 where there are none. */
async function readVersion(client: PoolClient, { deliveries }: PostgresTables): Promise<number> {
  // Not obj_description: after waiting for the lock it would still go by what this session remembers of a missing table.
  const sql = `SELECT description FROM pg_catalog.pg_description
WHERE classoid = 'pg_catalog.pg_class'::regclass AND objoid = to_regclass($1) AND objsubid = 0`
  const { rows } = await client.query<{ description: string }>(sql, [deliveries])
  return Number(/^govalid-webhooks (\d+)$/.exec(rows[0]?.description ?? '')?.[1] ?? 0)
}
