/**
 * The inbox and the store, which the two processes share through a file. On several machines, use `bullmqInbox` or `pgBossInbox` and a store
 * that all of them can reach. The rest stays the same.
 */
import { DatabaseSync } from 'node:sqlite'
import { sqliteInbox } from 'govalid-webhooks/inboxes/sqlite'
import { sqliteStore } from 'govalid-webhooks/stores/sqlite'

const file = process.env.WEBHOOKS_DB ?? 'webhooks.db'

export const openInbox = ({ keepAlive = false } = {}) => sqliteInbox({ database: new DatabaseSync(file), keepAlive })

export const openStore = () => sqliteStore({ database: new DatabaseSync(file) })
