/** The control of the proof: a store that reads before it writes, as many hand-written ones do. The proof must catch it. */
import type { Pool } from 'pg'
import type { Store } from '../../../src/stores/store.js'

/** Makes the control store. The first process creates its table. */
export async function getThenSetStore(pool: Pool, table: string): Promise<Store> {
  await pool
    .query(`CREATE TABLE IF NOT EXISTS ${table} (key text PRIMARY KEY, state text NOT NULL, token text NOT NULL)`)
    // Another process created the table at the same time.
    .catch(() => {})
  const set = (key: string, state: string, token: string) =>
    pool.query(`INSERT INTO ${table} VALUES ($1, $2, $3) ON CONFLICT (key) DO UPDATE SET state = $2, token = $3`, [
      key,
      state,
      token,
    ])
  return {
    async claim({ key, token, leaseMs }) {
      const { rows } = await pool.query<{ state: string }>(`SELECT state FROM ${table} WHERE key = $1`, [key])
      if (rows[0]?.state === 'done') return { status: 'done' }
      if (rows[0]?.state === 'processing') return { status: 'busy', until: Date.now() + leaseMs, attempt: 1 }
      await set(key, 'processing', token)
      return { status: 'claimed', attempt: 1, releasedAttempts: 0, completedHandlers: [] }
    },
    renew: () => true,
    async complete({ key, token }) {
      await set(key, 'done', token)
      return true
    },
    async release({ key, token }) {
      await set(key, 'released', token)
      return true
    },
  }
}
