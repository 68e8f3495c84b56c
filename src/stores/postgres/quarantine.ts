/**
 * The quarantine in Postgres. The body is stored as bytes. Arbitrary text is stored as ASCII JSON, which escapes NUL and lone
 * surrogates and works with every database encoding.
 */
import type { QueryResult } from 'pg'
import type { Quarantine, QuarantineEntry } from '../store.js'
import type { PostgresStatement } from './connections.js'
import type { PostgresTables } from './tables.js'

interface EntryRow {
  readonly key: string
  readonly code: string
  readonly raw_body: Uint8Array
  readonly received_at: number
  readonly attempt: number | null
  readonly about: string
}

type About = Pick<QuarantineEntry, 'eventType' | 'headers' | 'error'>

const COLUMNS = `encode(key, 'hex') AS key, code, raw_body, received_at, attempt, about`
const PAGE = 100

/** Creates the quarantine of one namespace. */
export function createQuarantine(
  { quarantine: table }: PostgresTables,
  namespace: string,
  run: (statement: PostgresStatement) => Promise<QueryResult>,
): Quarantine {
  const putSql = `INSERT INTO ${table} (namespace, key, code, raw_body, received_at, attempt, about)
VALUES ($1, decode($2, 'hex'), $3, $4, $5, $6, $7)
ON CONFLICT (namespace, key) DO UPDATE SET (code, raw_body, received_at, attempt, about) =
  (excluded.code, excluded.raw_body, excluded.received_at, excluded.attempt, excluded.about)`
  const where = `WHERE namespace = $1 AND key`
  const select = async (condition: string, values: readonly unknown[]) => {
    const text = `SELECT ${COLUMNS} FROM ${table} ${where} ${condition}`
    const { rows } = await run({ text, values: [namespace, ...values] })
    return rows.map(readEntry)
  }
  const put = async ({ key, code, rawBody, receivedAt, attempt, ...about }: QuarantineEntry) => {
    await run({ text: putSql, values: [namespace, key, code, rawBody, receivedAt, attempt ?? null, toAscii(about)] })
  }
  return Object.assign(put, {
    async discard(key: string) {
      await run({ text: `DELETE FROM ${table} ${where} = decode($2, 'hex')`, values: [namespace, key] })
    },
    get: async (key: string) => (await select(`= decode($2, 'hex')`, [key]))[0],
    list: ({ limit = PAGE, after = '' }: { readonly limit?: number; readonly after?: string } = {}) =>
      select(`> decode($2, 'hex') ORDER BY key LIMIT $3`, [after, limit]),
  })
}

function readEntry({ key, code, raw_body: body, received_at: receivedAt, attempt, about }: EntryRow): QuarantineEntry {
  const { eventType, headers, error } = JSON.parse(about) as About
  return {
    key,
    code,
    eventType,
    rawBody: new Uint8Array(body),
    headers,
    error,
    receivedAt,
    attempt: attempt ?? undefined,
  }
}

function toAscii({ eventType, headers, error }: About): string {
  const json = JSON.stringify({ eventType, headers, error })
  return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
