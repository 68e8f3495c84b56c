/** Runs the conformance suite on redisStore with both libraries, a real Redis, and one client per store. */
import { describe, test } from 'vitest'
import { redisStore } from '../../../src/stores/redis/redis-store.js'
import { type StoreDriver, testStore } from '../../../src/testing/index.js'
import { receiverSuite } from '../../support/receiver-suite.js'
import { LIBRARIES, redisScene, type TestClient } from '../../support/redis.js'
import { describeWithService } from '../../support/services.js'
import { createTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js'

interface Opened {
  readonly client: TestClient
  readonly network: TcpProxy
}

for (const [library, openClient] of Object.entries(LIBRARIES)) {
  describeWithService('redis', library, (url) => {
    const { home, open, makeLater } = redisScene(url)
    const connections = new Map<unknown, Opened>()

    const driver: StoreDriver = {
      name: `redisStore with ${library}`,
      async open({ namespace }) {
        const network = await createTcpProxy(url)
        const client = open(openClient, network.url)
        const store = redisStore({ client: client.client, namespace: `${home}-${namespace}` })
        connections.set(store, { client, network })
        return store
      },
      async close(store) {
        connections.get(store)?.client.close()
        await connections.get(store)?.network.close()
        connections.delete(store)
      },
      loseResponses: (store) => (connections.get(store) as Opened).network.loseResponses(),
      advance: makeLater,
      quarantine: true,
    }
    testStore({ describe, test }, driver)
    receiverSuite(driver)
  })
}
