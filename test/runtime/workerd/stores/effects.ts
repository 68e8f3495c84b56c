/** The effects that handlers write in these tests: one row per effect, in a separate table next to the store's tables. */

/** Effects in a D1 database. */
export interface Effects {
  /** Returns the statement that writes one effect. */
  statement(effect: string): Promise<D1PreparedStatement>
  /** Returns how many times an effect was written. */
  count(effect: string): Promise<number>
}

/** Creates the effects of a database. The first use creates their table. */
export function createEffects(database: D1Database): Effects {
  const create = () => database.prepare('CREATE TABLE IF NOT EXISTS effects (effect TEXT NOT NULL)').run()
  return {
    async statement(effect) {
      await create()
      return database.prepare('INSERT INTO effects (effect) VALUES (?1)').bind(effect)
    },
    async count(effect) {
      await create()
      const query = 'SELECT count(*) AS times FROM effects WHERE effect = ?1'
      return (await database.prepare(query).bind(effect).first<number>('times')) ?? 0
    },
  }
}
