/** The tables of the Postgres store: validates and quotes their names, finds them by their columns, and creates missing ones. */
import type { Clock } from '../../clock.js'
import { WebhookError } from '../../errors.js'
import { asError, awaitResponse } from './await-response.js'
import type { Borrow } from './borrowing.js'
import type { PostgresClient } from './pool.js'
import { readRows } from './rows.js'
import { codeOf, explainError, mayRepeat, noConnection, unsuitable } from './server-errors.js'

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
        `it is ${JSON.stringify(table)}. See docs/stores/postgres.md.`,
    )
  }
  const prefix = schema === undefined ? '' : `"${schema}".`
  return { deliveries: `${prefix}"${name}"`, quarantine: `${prefix}"${name}_quarantine"` }
}

/** The columns of both tables with their types, in order. */
const COLUMNS: Readonly<Record<keyof PostgresTables, Readonly<Record<string, string>>>> = {
  deliveries: {
    namespace: 'text NOT NULL',
    key: 'bytea NOT NULL',
    state: 'text NOT NULL',
    token: 'text NOT NULL',
    lease_until: 'bigint NOT NULL',
    retain_until: 'bigint NOT NULL',
    attempt: 'integer NOT NULL',
    released_attempts: 'integer NOT NULL',
    counted_at: 'bigint NOT NULL',
    completed_handlers: 'text[] NOT NULL',
  },
  quarantine: {
    namespace: 'text NOT NULL',
    key: 'bytea NOT NULL',
    code: 'text NOT NULL',
    raw_body: 'bytea NOT NULL',
    received_at: 'double precision NOT NULL',
    attempt: 'integer',
    about: 'text NOT NULL',
  },
}

function createSql(tables: PostgresTables, kind: keyof PostgresTables): string {
  const table = tables[kind]
  const columns = Object.entries(COLUMNS[kind]).map(([name, type]) => `  ${name} ${type},\n`)
  const create = (settings: string) =>
    `CREATE TABLE IF NOT EXISTS ${table} (\n${columns.join('')}  PRIMARY KEY (namespace, key)\n)${settings};`
  if (kind === 'quarantine') return create('')
  // Completions update a row in place if its page has room.
  const index = `"${table.split('"').at(-2)}_retention"`
  return `${create(' WITH (fillfactor = 80)')}\nCREATE INDEX IF NOT EXISTS ${index} ON ${table} (retain_until);`
}

/** Returns the SQL that creates the tables in a database without them. */
export function tablesSql(tables: PostgresTables): string {
  return `${createSql(tables, 'deliveries')}\n${createSql(tables, 'quarantine')}`
}

const CONNECTION_LIMIT_MS = 10_000
/** Less than the response limit, so that the server gives up first and no abandoned request for a lock blocks other writers. */
const LOCK_LIMIT_MS = 5_000

/**
 * Creates missing tables and checks the columns and privileges of existing ones. Any number of processes may call it at once:
 * one creates the tables, the others wait. Repeats at most `maxRepeats` times if only the connection failed.
 *
 * @throws WebhookError `store_unsuitable` with the fix if the role can't create or use the tables.
 */
export async function ensureTables(
  tables: PostgresTables,
  clock: Clock,
  borrow: Borrow,
  maxRepeats: number,
): Promise<void> {
  for (let repeats = 0; ; repeats++) {
    const connection = await borrow(CONNECTION_LIMIT_MS)
    if (!connection) throw noConnection(CONNECTION_LIMIT_MS)
    const { client, giveBack } = connection
    const response = await awaitResponse(clock, async () => {
      const missing = await findMissing(client, tables)
      if (missing.length > 0) await create(client, tables, missing)
    })
    // Closing the connection rolls back its transaction.
    giveBack(response.status === 'value' ? undefined : asError(response.error))
    if (response.status === 'value') return
    if (repeats >= maxRepeats || !mayRepeat(response.error)) throw explainError(response.error, tables.deliveries)
  }
}

/** to_regclass returns NULL for a missing table or schema. A role without a privilege on some columns counts as without it. */
const FIND = `SELECT (to_regclass(t.name) IS NOT NULL)::text,
  array_to_string(ARRAY(SELECT a.attname FROM pg_catalog.pg_attribute a WHERE a.attrelid = to_regclass(t.name)
    AND a.attnum > 0 AND NOT a.attisdropped), ' '),
  array_to_string(ARRAY(SELECT p FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p
    WHERE NOT has_table_privilege(to_regclass(t.name), p)), ', ')
FROM unnest($1::text[]) WITH ORDINALITY AS t(name, n) ORDER BY n`

/** Returns the tables that don't exist. Judges existing ones by their columns: a comment or a version may be lost in a dump. */
async function findMissing(client: PostgresClient, tables: PostgresTables): Promise<readonly (keyof PostgresTables)[]> {
  const kinds = ['deliveries', 'quarantine'] as const
  const { rows } = await readRows(client, { text: FIND, values: [kinds.map((kind) => tables[kind])] })
  return kinds.filter((kind, index) => {
    const [exists, names, lacking] = rows[index] ?? []
    if (exists !== 'true') return true
    const absent = Object.keys(COLUMNS[kind]).filter((column) => !names?.split(' ').includes(column))
    if (absent.length > 0) throw unsuitable(tables[kind], `it has no column ${absent.join(', ')}`)
    if (lacking) throw unsuitable(tables[kind], `the role lacks ${lacking} on it`)
    return false
  })
}

async function create(
  client: PostgresClient,
  tables: PostgresTables,
  missing: readonly (keyof PostgresTables)[],
): Promise<void> {
  const run = (text: string, values: readonly unknown[] = []) => readRows(client, { text, values })
  await client.query({ text: `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = ${LOCK_LIMIT_MS}` })
  await run(`SELECT pg_advisory_xact_lock(hashtext('govalid-webhooks'), hashtext($1))`, [tables.deliveries])
  for (const kind of missing) await client.query({ text: createSql(tables, kind) }).catch(explainMissing(tables[kind]))
  await client.query({ text: 'COMMIT' })
}

/** Without the privilege to create the table, the fix is to create it as its owner. */
function explainMissing(table: string): (error: unknown) => never {
  return (error) => {
    throw codeOf(error) === '42501'
      ? unsuitable(table, `it does not exist, and the role may not create it (${(error as Error).message})`, error)
      : error
  }
}
