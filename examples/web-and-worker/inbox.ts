/**
 * What the two processes share: a file. On several machines this is `bullmqInbox` or `pgBossInbox` and a store they all reach; nothing else
 * changes.
 */
import { DatabaseSync } from 'node:sqlite'
import { sqliteInbox } from 'govalid-webhooks/inboxes/sqlite'
import { sqliteStore } from 'govalid-webhooks/stores/sqlite'

const file = process.env.WEBHOOKS_DB ?? 'webhooks.db'

export const openInbox = () => sqliteInbox({ database: new DatabaseSync(file) })

export const openStore = () => sqliteStore({ database: new DatabaseSync(file) })
