/** Gives a test file its own schema in the real Postgres, and its pools. Removes everything at the end. */
import { randomBytes } from 'node:crypto'
import { Pool, type PoolConfig } from 'pg'
import { afterAll, beforeAll } from 'vitest'

export interface PostgresScene {
  readonly schema: string
  /** The table of deliveries. Tests record effects in `<schema>.effects (effect text)`. */
  readonly table: string
  /** A pool for the test itself; no store uses it. */
  readonly admin: Pool
  /** Opens a pool that is ended after the test file, unless a test ends it earlier. */
  pool(config?: PoolConfig): Pool
  /** Subtracts `ms` from every recorded time, as if that much time had passed. */
  age(ms: number): Promise<void>
  countEffects(effect?: string): Promise<number>
  /** Resolves once `sql` returns a row. */
  until(sql: string, values?: readonly unknown[]): Promise<void>
}

/** Makes the scene. Call it where tests are registered. */
export function postgresScene(url: string): PostgresScene {
  const schema = `govalid_${randomBytes(6).toString('hex')}`
  const table = `${schema}.deliveries`
  const admin = new Pool({ connectionString: url, max: 4 })
  const pools = new Set<Pool>()
  beforeAll(async () => {
    await admin.query(`CREATE SCHEMA ${schema}`)
    await admin.query(`CREATE TABLE ${schema}.effects (effect text NOT NULL)`)
  })
  afterAll(async () => {
    await Promise.all([...pools].filter(({ ending }) => !ending).map((pool) => pool.end()))
    await admin.query(`DROP SCHEMA ${schema} CASCADE`)
    await admin.end()
  })
  return {
    schema,
    table,
    admin,
    pool(config) {
      const pool = new Pool({ connectionString: url, max: 5, ...config })
      pools.add(pool)
      return pool
    },
    async age(ms) {
      const set = ['lease_until', 'retain_until', 'counted_at'].map((column) => `${column} = ${column} - $1`)
      await admin.query(`UPDATE ${table} SET ${set.join(', ')}`, [ms])
    },
    async countEffects(effect) {
      const where = effect === undefined ? '' : 'WHERE effect = $1'
      const { rowCount } = await admin.query(
        `SELECT FROM ${schema}.effects ${where}`,
        effect === undefined ? [] : [effect],
      )
      return rowCount ?? 0
    },
    async until(sql, values = []) {
      while ((await admin.query(sql, [...values])).rowCount === 0)
        await new Promise((resolve) => setTimeout(resolve, 5))
    },
  }
}
