/** What a handler writes in these tests: one row an effect, in a table of its own beside the store's. */

/** Effects in a D1 database. */
export interface Effects {
  /** The statement that writes one effect. */
  statement(effect: string): Promise<D1PreparedStatement>
  /** How often an effect was written. */
  count(effect: string): Promise<number>
}

/** Makes the table of effects when it is first needed. */
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
