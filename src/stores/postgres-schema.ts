/**
 * The Postgres driver's tables: their names, made safe, and the steps that create them.
 */
import { WebhookError } from '../errors.js'
import type { PostgresConnections } from './postgres-connection.js'

/** The driver's tables, quoted and ready to be put into SQL. */
export interface PostgresTables {
  readonly deliveries: string
  readonly quarantine: string
}

const PART = '[A-Za-z_][A-Za-z0-9_]*'
const TABLE = new RegExp(`^(?:(${PART})\\.)?(${PART})$`)
/** Postgres cuts names at 63 bytes; the longest of ours adds 11. */
const LONGEST_TABLE = 52
const LONGEST_SCHEMA = 63

/**
 * Reads the name of a table, with or without a schema.
 *
 * @throws {@link WebhookError} `option_invalid` when it is no plain name.
 */
export function readTable(table: string): PostgresTables {
  const [, schema, name = ''] = TABLE.exec(table) ?? []
  if (name === '' || name.length > LONGEST_TABLE || (schema ?? '').length > LONGEST_SCHEMA) {
    throw new WebhookError(
      'option_invalid',
      `table must be a name, or a schema and a name with a dot between: letters, digits and _, the name at most ${LONGEST_TABLE}; ` +
        `it is ${JSON.stringify(table)}.`,
    )
  }
  const prefix = schema === undefined ? '' : `"${schema}".`
  return { deliveries: `${prefix}"${name}"`, quarantine: `${prefix}"${name}_quarantine"` }
}

/**
 * What each version of the tables adds to the one before; a new version is a new entry, and none is ever changed.
 * Created by hand, with a role that may, the tables are found as they are.
 */
function steps({ deliveries, quarantine }: PostgresTables): readonly string[] {
  const index = `"${deliveries.split('"').at(-2)}_retention"`
  return [
    `CREATE TABLE ${deliveries} (
  namespace text NOT NULL,
  key bytea NOT NULL,
  state text NOT NULL,
  token text NOT NULL,
  lease_until bigint NOT NULL,
  retain_until bigint NOT NULL,
  attempt integer NOT NULL,
  released integer NOT NULL,
  counted_at bigint NOT NULL,
  handlers_done text[] NOT NULL,
  PRIMARY KEY (namespace, key)
) WITH (fillfactor = 80);
CREATE INDEX ${index} ON ${deliveries} (retain_until);
CREATE TABLE ${quarantine} (
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

const CONNECTION_LIMIT_MS = 10_000

/** Brings the tables to this version. Any number of processes may do so at once; one works, the others wait for it. */
export async function migrateTables(tables: PostgresTables, borrow: PostgresConnections['borrow']): Promise<void> {
  const { client, giveBack } = await borrow(CONNECTION_LIMIT_MS)
  const wanted = steps(tables)
  const readVersion = async () => {
    const sql = `SELECT coalesce(obj_description(to_regclass($1), 'pg_class'), '') AS comment`
    const { rows } = await client.query<{ comment: string }>(sql, [tables.deliveries])
    return Number(/^govalid-webhooks (\d+)$/.exec(rows[0]?.comment ?? '')?.[1] ?? 0)
  }
  try {
    if ((await readVersion()) < wanted.length) {
      await client.query('BEGIN')
      await client.query(`SELECT pg_advisory_xact_lock(hashtext('govalid-webhooks'), hashtext($1))`, [
        tables.deliveries,
      ])
      const version = await readVersion()
      for (const step of wanted.slice(version)) await client.query(step)
      if (version < wanted.length) {
        await client.query(`COMMENT ON TABLE ${tables.deliveries} IS 'govalid-webhooks ${wanted.length}'`)
      }
      await client.query('COMMIT')
    }
    giveBack()
  } catch (error) {
    // Closing the connection ends its transaction.
    giveBack(error as Error)
    throw error
  }
}
