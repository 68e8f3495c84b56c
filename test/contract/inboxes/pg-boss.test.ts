/** The inbox on pg-boss and a real Postgres. */
import { randomBytes } from 'node:crypto'
import { Pool } from 'pg'
import { PgBoss } from 'pg-boss'
import { afterAll, expect, test } from 'vitest'
import { pgBossInbox } from '../../../src/inboxes/pg-boss.js'
import { describeWithService } from '../../support/services.js'
import { inboxSuite } from './inbox-suite.js'

describeWithService('postgres', 'pgBossInbox', (url) => {
  const schema = `pgboss_${randomBytes(6).toString('hex')}`
  const bosses: PgBoss[] = []
  const makeBoss = (connectionString: string) => {
    const boss = new PgBoss({ connectionString, schema, max: 4 })
    boss.on('error', () => {})
    bosses.push(boss)
    return boss
  }
  afterAll(async () => {
    await Promise.all(bosses.map((boss) => boss.stop({ graceful: false }).catch(() => {})))
    const pool = new Pool({ connectionString: url })
    await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
    await pool.end()
  })
  inboxSuite(() => {
    const queue = `govalid-${randomBytes(6).toString('hex')}`
    const intruder = makeBoss(url)
    return {
      open: (tries) =>
        pgBossInbox({ boss: makeBoss(url), schema, queue, tries, firstPauseSeconds: 1, pollSeconds: 0.5 }),
      async writeForged(job) {
        await intruder.start()
        await intruder.send(queue, job)
      },
      openUnreachable: () => pgBossInbox({ boss: makeBoss('postgres://postgres@127.0.0.1:1/test'), schema, queue }),
    }
  })
})

test.each([
  ['without an instance', { boss: {} }],
  ['with a queue whose name needs quoting', { queue: 'a"b' }],
  ['with no tries', { tries: 0 }],
])('pgBossInbox refuses to be made %s', (_, wrong) => {
  const boss = new PgBoss('postgres://postgres@127.0.0.1:1/test')
  expect(() => pgBossInbox({ boss, ...(wrong as object) })).toThrow(/option_invalid/)
})
