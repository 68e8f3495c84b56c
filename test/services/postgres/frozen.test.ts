/** Processes that share a database through postgresStore, and one of them is frozen for longer than its leases. */
import { randomBytes } from 'node:crypto'
import { frozenSuite } from '../../support/frozen/frozen-suite.js'
import { describeWithService } from '../../support/services.js'

describeWithService('postgres', 'postgresStore', (url) => {
  frozenSuite('postgres', () => `${url}#govalid_frozen_${randomBytes(6).toString('hex')}`)
})
