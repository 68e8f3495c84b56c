/**
 * Store driver for Cloudflare Durable Objects: a bounded number of SQLite-backed objects, each of which keeps the deliveries whose keys
 * begin with its digits. One round trip a step, the object's own clock, cleaned up by an alarm. Its class is in the same file: the
 * driver and the object are the two ends of one conversation.
 */
import { DurableObject } from 'cloudflare:workers'
import { systemClock } from '../clock.js'
import { WebhookError } from '../errors.js'
import { quarantineStatements, readEntry } from './sqlite-quarantine.js'
import { readClaim, recordStatements, type SqlRow, type SqlStatement } from './sqlite-records.js'
import type {
  ClaimRequest,
  ClaimResult,
  CompleteRequest,
  Quarantine,
  QuarantineEntry,
  ReleaseRequest,
  RenewRequest,
  Store,
} from './store.js'

/** What the driver asks of an object; every call may be repeated. */
export interface IdempotencyStub {
  claim(request: ClaimRequest): Promise<ClaimResult>
  renew(request: RenewRequest): Promise<boolean>
  complete(request: CompleteRequest): Promise<boolean>
  release(request: ReleaseRequest): Promise<boolean>
  putEntry(entry: QuarantineEntry): Promise<void>
  discardEntry(key: string): Promise<void>
  getEntry(key: string): Promise<QuarantineEntry | undefined>
  listEntries(limit: number, after: string): Promise<readonly QuarantineEntry[]>
}

/** The binding of a namespace of {@link IdempotencyObject} (`DurableObjectNamespace`), as far as it is used. */
export interface IdempotencyNamespace {
  idFromName(name: string): object
  get(id: object): IdempotencyStub
}

/** What `durableObjectStore` takes. */
export interface DurableObjectStoreOptions {
  /** The binding: `env.IDEMPOTENCY`. */
  readonly namespace: IdempotencyNamespace
  /** Keeps receivers apart that share the binding: deliveries of one are unknown to the others. Default: `'default'`. */
  readonly name?: string
  /**
   * Over how many objects the deliveries are spread. One object serves some hundred deliveries a second. Another number means other
   * objects, which know nothing of what the old ones remember. Default: 16.
   */
  readonly shards?: 1 | 16
}

/** A store in Durable Objects, with a quarantine of its own. */
export interface DurableObjectStore extends Store {
  /** The quarantine, kept in the same objects. */
  readonly quarantine: Quarantine
}

const records = recordStatements('deliveries', '')
const kept = quarantineStatements('quarantine', '')
/** A page of the quarantine ends once its bodies are as large as this; a call carries at most 32 MiB. */
const PAGE_BYTES = 8 * 1024 * 1024
const SWEEP_PAUSE_MS = 60 * 60 * 1000
const SWEPT_AT_ONCE = 1000

/**
 * The object that keeps deliveries: export it from the Worker, and bind it with `new_sqlite_classes`. Only `durableObjectStore` calls it.
 *
 * @example
 * ```ts
 * export { IdempotencyObject } from 'govalid-webhooks/stores/durable-object'
 * ```
 */
export class IdempotencyObject extends DurableObject {
  #hasTables = false
  #hasAlarm = false

  /** Claims a delivery. */
  async claim(request: ClaimRequest): Promise<ClaimResult> {
    const result = readClaim(this.#run(records.claim(request)), request.token)
    if (!this.#hasAlarm) await this.#setFirstAlarm()
    return result
  }

  /** Extends a lease. */
  renew(request: RenewRequest): boolean {
    return this.#run(records.renew(request)).length > 0
  }

  /** Marks a delivery finished. */
  complete(request: CompleteRequest): boolean {
    return this.#run(records.complete(request)).length > 0
  }

  /** Gives a claim back. */
  release(request: ReleaseRequest): boolean {
    return this.#run(records.release(request)).length > 0
  }

  /** Adds an entry to the quarantine, or replaces the one of the same key. */
  putEntry(entry: QuarantineEntry): void {
    this.#run(kept.put(entry))
  }

  /** Removes an entry from the quarantine. */
  discardEntry(key: string): void {
    this.#run(kept.discard(key))
  }

  /** An entry of the quarantine. */
  getEntry(key: string): QuarantineEntry | undefined {
    return this.#run(kept.get(key)).map(readEntry)[0]
  }

  /** Entries after a key: at most `limit`, fewer when they are large, none when there are no more. */
  listEntries(limit: number, after: string): QuarantineEntry[] {
    const entries: QuarantineEntry[] = []
    let bytes = 0
    for (let last = after; entries.length < limit && bytes < PAGE_BYTES; ) {
      const [entry] = this.#run(kept.list(1, last)).map(readEntry)
      if (!entry) break
      entries.push(entry)
      bytes += entry.rawBody.length
      last = entry.key
    }
    return entries
  }

  /** Forgets deliveries whose retention is over, a batch at a time. */
  override async alarm(): Promise<void> {
    this.#hasAlarm = false
    const swept = this.#run(records.sweep(SWEPT_AT_ONCE)).length
    const [oldest] = this.#run(records.oldest)
    const retainUntil = Number(oldest?.['retain_until'] ?? Number.NaN)
    // Nothing left: the next claim sets the next alarm.
    if (Number.isNaN(retainUntil)) return
    const now = systemClock.now()
    const next = swept === SWEPT_AT_ONCE ? now + 1000 : Math.max(retainUntil, now + SWEEP_PAUSE_MS)
    await this.ctx.storage.setAlarm(next)
    this.#hasAlarm = true
  }

  async #setFirstAlarm(): Promise<void> {
    const { storage } = this.ctx
    if ((await storage.getAlarm()) === null) await storage.setAlarm(systemClock.now() + SWEEP_PAUSE_MS)
    this.#hasAlarm = true
  }

  #run({ sql, values }: SqlStatement): readonly SqlRow[] {
    const { sql: database } = this.ctx.storage
    if (!this.#hasTables) {
      for (const statement of [...records.schema, ...kept.schema]) database.exec(statement.sql)
      this.#hasTables = true
    }
    return database.exec(sql, ...values).toArray()
  }
}

/**
 * Makes a store in Durable Objects. Calls nothing until the first delivery.
 *
 * @throws {@link WebhookError} `option_invalid` when `namespace` is no Durable Object namespace, or `shards` neither 1 nor 16.
 *
 * @example
 * ```ts
 * import { createReceiver } from 'govalid-webhooks'
 * import { toHandler } from 'govalid-webhooks/cloudflare'
 * import { durableObjectStore, type IdempotencyNamespace } from 'govalid-webhooks/stores/durable-object'
 *
 * export { IdempotencyObject } from 'govalid-webhooks/stores/durable-object'
 *
 * interface Env { IDEMPOTENCY: IdempotencyNamespace; GOVALID_WEBHOOK_SECRET: string }
 *
 * const createEndpoint = (env: Env) =>
 *   createReceiver({ secret: env.GOVALID_WEBHOOK_SECRET, store: durableObjectStore({ namespace: env.IDEMPOTENCY }) })
 *
 * export default { fetch: toHandler(createEndpoint) }
 * ```
 */
export function durableObjectStore(options: DurableObjectStoreOptions): DurableObjectStore {
  const { namespace, name = 'default', shards = 16 } = options
  if (typeof namespace?.idFromName !== 'function' || typeof namespace.get !== 'function') {
    const message = 'namespace must be a Durable Object binding: durableObjectStore({ namespace: env.IDEMPOTENCY }).'
    throw new WebhookError('option_invalid', message)
  }
  if (shards !== 1 && shards !== 16) {
    throw new WebhookError('option_invalid', `shards must be 1 or 16; it is ${String(shards)}.`)
  }
  const prefixes = shards === 1 ? [''] : [...'0123456789abcdef']
  const call: Call = (key, step) => {
    const prefix = shards === 1 ? '' : key.slice(0, 1)
    const object = () => namespace.get(namespace.idFromName(`${name}/${shards}/${prefix}`))
    return callTwice(() => step(object()))
  }
  return {
    claim: (request) => call(request.key, (object) => object.claim(request)),
    renew: (request) => call(request.key, (object) => object.renew(request)),
    complete: (request) => call(request.key, (object) => object.complete(request)),
    release: (request) => call(request.key, (object) => object.release(request)),
    quarantine: createQuarantine(call, prefixes),
  }
}

/** Calls the object that keeps a key. */
type Call = <T>(key: string, step: (object: IdempotencyStub) => Promise<T>) => Promise<T>

/** An object that is reset or moved fails what it is asked just then. Every step may be repeated, so a new stub asks once more. */
async function callTwice<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    const { overloaded } = error as { readonly overloaded?: unknown }
    if (overloaded === true) throw error
    return step()
  }
}

function createQuarantine(call: Call, prefixes: readonly string[]): Quarantine {
  // An object without a prototype, as a receiver's headers are, cannot be sent to another object.
  const put = (entry: QuarantineEntry) =>
    call(entry.key, (object) => object.putEntry({ ...entry, headers: { ...entry.headers } }))
  return Object.assign(put, {
    discard: (key: string) => call(key, (object) => object.discardEntry(key)),
    get: (key: string) => call(key, (object) => object.getEntry(key)),
    list: ({ limit = 100, after = '' } = {}) => listEntries(call, prefixes, limit, after),
  })
}

/** Objects hold ranges of keys, so the order of the objects is the order of the keys. */
async function listEntries(
  call: Call,
  prefixes: readonly string[],
  limit: number,
  after: string,
): Promise<QuarantineEntry[]> {
  const entries: QuarantineEntry[] = []
  for (const prefix of prefixes.filter((start) => start >= after.slice(0, start.length))) {
    for (let isMore = true; isMore && entries.length < limit; ) {
      const last = entries.at(-1)?.key ?? after
      const page = await call(prefix, (object) => object.listEntries(limit - entries.length, last))
      entries.push(...page)
      isMore = page.length > 0
    }
  }
  return entries
}
