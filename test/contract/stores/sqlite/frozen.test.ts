/** Processes that share a file through sqliteStore, and one of them is frozen for longer than its leases. */
import { describe } from 'vitest'
import { frozenSuite } from '../../../support/frozen/frozen-suite.js'
import { temporaryFiles } from '../../../support/sqlite.js'

describe('sqliteStore', () => frozenSuite('sqlite', temporaryFiles()))
