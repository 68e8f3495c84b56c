/** Runs the conformance suite on redisStore with both libraries, a real Redis, and one client per store. */
import { describe, test } from 'vitest'
import { redisStore } from '../../../src/stores/redis/redis-store.js'
import { type StoreDriver, testStore } from '../../../src/testing/index.js'
import { receiverSuite } from '../../support/receiver-suite.js'
import { LIBRARIES, redisScene, type TestClient } from '../../support/redis.js'
import { describeWithService } from '../../support/services.js'

for (const [library, openClient] of Object.entries(LIBRARIES)) {
  describeWithService('redis', library, (url) => {
    const { home, open, makeLater } = redisScene(url)
    const clients = new Map<unknown, TestClient>()

    const driver: StoreDriver = {
      name: `redisStore with ${library}`,
      open({ namespace }) {
        const opened = open(openClient)
        const store = redisStore({ client: opened.client, namespace: `${home}-${namespace}` })
        clients.set(store, opened)
        return store
      },
      close(store) {
        clients.get(store)?.close()
        clients.delete(store)
      },
      advance: makeLater,
      quarantine: true,
    }
    testStore({ describe, test }, driver)
    receiverSuite(driver)
  })
}
