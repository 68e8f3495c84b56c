/** Every option of every function accepts `undefined`, so that a value that may be missing can be passed on. */
import { expectTypeOf, test } from 'vitest'
import type { WebhookPluginOptions } from '../../src/adapters/fastify.js'
import type { FetchContext } from '../../src/adapters/fetch.js'
import type { ApiClientOptions, EndpointChanges, NewEndpoint } from '../../src/api/index.js'
import type { BullmqInboxOptions } from '../../src/inboxes/bullmq/bullmq-inbox.js'
import type {
  CloudflareQueueInboxOptions,
  QueueHandlerOptions,
} from '../../src/inboxes/cloudflare-queue/cloudflare-queue-inbox.js'
import type { PgBossInboxOptions } from '../../src/inboxes/pg-boss/pg-boss-inbox.js'
import type { SqliteInboxOptions } from '../../src/inboxes/sqlite/sqlite-inbox.js'
import type {
  HandlerOptions,
  Inbox,
  MemoryStoreOptions,
  NewestOnlyOptions,
  Quarantine,
  Receiver,
  ReceiverOptions,
  Store,
} from '../../src/index.js'
import type { D1StoreOptions } from '../../src/stores/cloudflare/d1-store.js'
import type { DurableObjectStoreOptions } from '../../src/stores/cloudflare/durable-object-store.js'
import type { PostgresStoreOptions } from '../../src/stores/postgres/postgres-store.js'
import type { RedisStoreOptions } from '../../src/stores/redis/redis-store.js'
import type { SqliteStoreOptions } from '../../src/stores/sqlite/sqlite-store.js'
import type { createEvent, explain, SignOptions, SimulateSenderOptions, StoreDriver } from '../../src/testing/index.js'

type OptionalName<Options> = {
  [Name in keyof Options]-?: Pick<Options, Name> extends Required<Pick<Options, Name>> ? never : Name
}[keyof Options]

/** The options that refuse `undefined` under `exactOptionalPropertyTypes`. */
type Refusing<Options> = {
  [Name in OptionalName<Options>]-?: { readonly [Same in Name]: undefined } extends Pick<Options, Name> ? never : Name
}[OptionalName<Options>]

type AllOptions = {
  receiver: ReceiverOptions
  handler: HandlerOptions
  close: NonNullable<Parameters<Receiver['close']>[0]>
  newestOnly: NewestOnlyOptions<unknown>
  memoryStore: MemoryStoreOptions
  sqliteStore: SqliteStoreOptions
  redisStore: RedisStoreOptions
  postgresStore: PostgresStoreOptions
  d1Store: D1StoreOptions
  durableObjectStore: DurableObjectStoreOptions
  list: NonNullable<Parameters<Quarantine['list']>[0]>
  sqliteInbox: SqliteInboxOptions
  bullmqInbox: BullmqInboxOptions
  pgBossInbox: PgBossInboxOptions
  cloudflareQueueInbox: CloudflareQueueInboxOptions
  toQueueHandler: QueueHandlerOptions<unknown>
  toPlugin: WebhookPluginOptions
  fetchContext: Pick<FetchContext, 'executionCtx'>
  apiClient: ApiClientOptions
  newEndpoint: NewEndpoint
  endpointChanges: EndpointChanges
  overrides: NonNullable<Parameters<typeof createEvent<'qr.scanned'>>[1]>
  createEvent: NonNullable<Parameters<typeof createEvent>[2]>
  explain: Parameters<typeof explain>[0]
  signDelivery: SignOptions
  simulateSender: SimulateSenderOptions
  testStore: Omit<StoreDriver, 'advance' | 'close' | 'loseResponses'>
  // Written by an application: its properties may be chosen at run time too.
  store: Pick<Store<() => void>, 'quarantine' | 'transaction'>
  inbox: Pick<Inbox, 'quarantine' | 'maxBodyBytes'>
}

test('every option accepts undefined', () => {
  type Refused = { [Name in keyof AllOptions]: Refusing<AllOptions[Name]> }[keyof AllOptions]
  expectTypeOf<[Refused]>().toEqualTypeOf<[never]>()
})
