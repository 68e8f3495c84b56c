/**
 * A schema of a test file's own in the real Postgres, and the pools it uses; everything is removed at the end.
 */
import { randomBytes } from 'node:crypto'
import { Pool, type PoolConfig } from 'pg'
import { afterAll, beforeAll } from 'vitest'

export interface PostgresScene {
  readonly schema: string
  /** The table of deliveries, and what a test wrote as `<schema>.effects (effect text)`. */
  readonly table: string
  /** A pool that no store uses. */
  readonly admin: Pool
  /** A pool that is ended with the test file, unless a test does it. */
  pool(config?: PoolConfig): Pool
  /** Takes `ms` off every time that was recorded, as if so much time had gone by. */
  age(ms: number): Promise<void>
  countEffects(effect?: string): Promise<number>
  /** Resolves once `sql` gives a row. */
  until(sql: string, values?: readonly unknown[]): Promise<void>
}

/** Makes the scene; to be called where tests are registered. */
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
