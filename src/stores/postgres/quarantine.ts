/**
 * The quarantine in Postgres. The body is stored as bytes. Arbitrary text is stored as ASCII JSON, which escapes NUL and lone
 * surrogates and works with every database encoding.
 */
import type { Quarantine, QuarantineEntry } from '../store.js'
import type { PostgresRows, PostgresStatement } from './rows.js'
import type { PostgresTables } from './tables.js'

type About = Pick<QuarantineEntry, 'eventType' | 'headers' | 'error'>

const COLUMNS = `encode(key, 'hex'), code, encode(raw_body, 'base64'), received_at::text, attempt::text, about`
const PAGE = 100
/** An entry that is only a precaution, because another attempt follows, must not delay claims under load. */
const EARLY_LIMIT_MS = 1000

/** Creates the quarantine of one namespace. */
export function createQuarantine(
  { quarantine: table }: PostgresTables,
  namespace: string,
  run: (statement: PostgresStatement, maxMs?: number) => Promise<PostgresRows>,
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
    const values = [namespace, key, code, rawBody, receivedAt, attempt ?? null, toAscii(about)]
    await run({ text: putSql, values }, code === 'retry_pending' ? EARLY_LIMIT_MS : undefined)
  }
  return Object.assign(put, {
    async discard(key: string) {
      await run({ text: `DELETE FROM ${table} ${where} = decode($2, 'hex')`, values: [namespace, key] })
    },
    get: async (key: string) => (await select(`= decode($2, 'hex')`, [key]))[0],
    list: ({
      limit = PAGE,
      after = '',
    }: {
      readonly limit?: number | undefined
      readonly after?: string | undefined
    } = {}) => select(`> decode($2, 'hex') ORDER BY key LIMIT $3`, [after, limit]),
    async count() {
      const { rows } = await run({
        text: `SELECT count(*)::text FROM ${table} WHERE namespace = $1`,
        values: [namespace],
      })
      return Number(rows[0]?.[0])
    },
  })
}

function readEntry(row: PostgresRows['rows'][number]): QuarantineEntry {
  const [key, code, body, receivedAt, attempt, about] = row
  const { eventType, headers, error } = JSON.parse(String(about)) as About
  return {
    key: String(key),
    code: String(code),
    eventType,
    rawBody: Uint8Array.from(atob(String(body)), (character) => character.charCodeAt(0)),
    headers,
    error,
    receivedAt: Number(receivedAt),
    attempt: attempt === null || attempt === undefined ? undefined : Number(attempt),
  }
}

function toAscii({ eventType, headers, error }: About): string {
  const json = JSON.stringify({ eventType, headers, error })
  return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
