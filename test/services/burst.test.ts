/** A burst of deliveries over every store and inbox that needs a service. */
import { randomBytes } from 'node:crypto'
import * as bullmq from 'bullmq'
import { PgBoss } from 'pg-boss'
import { expect, vi } from 'vitest'
import { bullmqInbox } from '../../src/inboxes/bullmq/bullmq-inbox.js'
import { pgBossInbox } from '../../src/inboxes/pg-boss/pg-boss-inbox.js'
import { memoryStore } from '../../src/index.js'
import { postgresStore } from '../../src/stores/postgres/postgres-store.js'
import { redisStore } from '../../src/stores/redis/redis-store.js'
import { burstSuite } from '../support/burst-suite.js'
import { postgresScene } from '../support/postgres.js'
import { LIBRARIES, redisScene } from '../support/redis.js'
import { describeWithService } from '../support/services.js'

describeWithService('redis', 'a burst', (url) => {
  const scene = redisScene(url)
  for (const [name, library] of Object.entries(LIBRARIES)) {
    burstSuite(`redisStore, ${name}`, async (clock) => {
      const { client } = scene.open(library)
      await vi.waitFor(() => {
        const { isReady, status } = client as { readonly isReady?: boolean; readonly status?: string }
        expect(isReady ?? status === 'ready').toBe(true)
      })
      return { store: redisStore({ client, namespace: `${scene.home}-burst-${name}`, clock }) }
    })
  }

  burstSuite('bullmqInbox', (clock) => {
    const { hostname: host, port } = new URL(url)
    const connection = { host, port: Number(port || 6379) }
    const name = `govalid-${randomBytes(6).toString('hex')}`
    return {
      store: memoryStore({ clock }),
      inbox: bullmqInbox({ bullmq, connection, queue: name, concurrency: 100 }),
      async end() {
        const queue = new bullmq.Queue(name, { connection })
        await queue.obliterate({ force: true })
        await queue.close()
      },
    }
  })
})

describeWithService('postgres', 'a burst', (url) => {
  const scene = postgresScene(url)

  burstSuite('postgresStore', (clock) => ({
    store: postgresStore({ pool: scene.pool(), table: `${scene.schema}.burst`, clock }) as never,
  }))

  burstSuite('pgBossInbox', async (clock) => {
    const boss = new PgBoss({ connectionString: url, schema: scene.schema, max: 4 })
    boss.on('error', () => {})
    await boss.start()
    return {
      store: memoryStore({ clock }),
      inbox: pgBossInbox({ boss, schema: scene.schema, concurrency: 100, pollSeconds: 0.5 }),
      end: () => boss.stop({ graceful: false }),
    }
  })
})
