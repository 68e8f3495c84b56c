/** Sends a statement and reads its rows as text, without the type parsers that the application has registered with `pg`. */
import type { PostgresClient } from './pool.js'

/** One statement and its parameters. */
export interface PostgresStatement {
  /** The name of the prepared statement, unique to this text. Without a name the statement isn't prepared. */
  readonly name?: string | undefined
  readonly text: string
  readonly values: readonly unknown[]
}

/** The rows of a statement. Every column is cast to text in SQL. */
export interface PostgresRows {
  readonly rows: readonly (readonly (string | null | undefined)[])[]
  /** How many rows the statement returned or changed. */
  readonly count: number
}

/** `pg` calls these parsers instead of the application's. In binary format, text arrives as its bytes. */
const AS_TEXT = { getTypeParser: () => readText }

function readText(value: unknown): string | null {
  if (ArrayBuffer.isView(value)) return new TextDecoder().decode(value as Uint8Array<ArrayBuffer>)
  return typeof value === 'string' ? value : null
}

/** Sends a statement. Of several statements in one text, returns the rows of the last one. */
export async function readRows(
  client: PostgresClient,
  { name, text, values }: PostgresStatement,
): Promise<PostgresRows> {
  const named = name === undefined ? {} : { name }
  const sent = await client.query({ ...named, text, values: [...values], rowMode: 'array', types: AS_TEXT })
  const result = Array.isArray(sent) ? (sent.at(-1) as typeof sent) : sent
  return { rows: result.rows as PostgresRows['rows'], count: result.rowCount ?? 0 }
}
