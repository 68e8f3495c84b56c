/**
 * The Durable Object behind `durableObjectStore`. It runs each operation of the store contract as one statement on its own
 * SQLite, with its own clock. An alarm deletes expired records.
 */
import { DurableObject } from 'cloudflare:workers'
import { systemClock } from '../../clock.js'
import { quarantineStatements, readEntry } from '../sqlite/quarantine.js'
import { readClaim, recordStatements, type SqlRow, type SqlStatement } from '../sqlite/record-statements.js'
import type {
  ClaimRequest,
  ClaimResult,
  CompleteRequest,
  QuarantineEntry,
  ReleaseRequest,
  RenewRequest,
} from '../store.js'

const records = recordStatements('deliveries', '')
const quarantine = quarantineStatements('quarantine', '')
/** A page of the quarantine ends once its bodies reach this size, because a call carries at most 32 MiB. */
const PAGE_BYTES = 8 * 1024 * 1024
const SWEEP_PAUSE_MS = 60 * 60 * 1000
const SWEEP_LIMIT = 1000

/**
 * The class of the objects that store deliveries. Export it from your Worker and bind it with `new_sqlite_classes`. Only
 * `durableObjectStore` calls it.
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

  /** Extends the lease of a claim. */
  renew(request: RenewRequest): boolean {
    return this.#run(records.renew(request)).length > 0
  }

  /** Marks a delivery as finished. */
  complete(request: CompleteRequest): boolean {
    return this.#run(records.complete(request)).length > 0
  }

  /** Releases a claim. */
  release(request: ReleaseRequest): boolean {
    return this.#run(records.release(request)).length > 0
  }

  /** Adds an entry to the quarantine, or replaces the entry with the same key. */
  putEntry(entry: QuarantineEntry): void {
    this.#run(quarantine.put(entry))
  }

  /** Removes an entry from the quarantine. */
  discardEntry(key: string): void {
    this.#run(quarantine.discard(key))
  }

  /** Returns an entry of the quarantine. */
  getEntry(key: string): QuarantineEntry | undefined {
    return this.#run(quarantine.get(key)).map(readEntry)[0]
  }

  /** Returns at most `limit` entries after a key. Returns fewer if they are large, and none if there are no more. */
  listEntries(limit: number, after: string): QuarantineEntry[] {
    const entries: QuarantineEntry[] = []
    let bytes = 0
    for (let last = after; entries.length < limit && bytes < PAGE_BYTES; ) {
      const [entry] = this.#run(quarantine.list(1, last)).map(readEntry)
      if (!entry) break
      entries.push(entry)
      bytes += entry.rawBody.length
      last = entry.key
    }
    return entries
  }

  /** Deletes expired deliveries, one batch at a time. */
  override async alarm(): Promise<void> {
    this.#hasAlarm = false
    const swept = this.#run(records.sweep(SWEEP_LIMIT)).length
    const [oldest] = this.#run(records.oldest)
    const retainUntil = Number(oldest?.['retain_until'] ?? Number.NaN)
    // No records are left. The next claim sets the next alarm.
    if (Number.isNaN(retainUntil)) return
    const now = systemClock.now()
    const next = swept === SWEEP_LIMIT ? now + 1000 : Math.max(retainUntil, now + SWEEP_PAUSE_MS)
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
      for (const statement of [...records.schema, ...quarantine.schema]) database.exec(statement.sql)
      this.#hasTables = true
    }
    return database.exec(sql, ...values).toArray()
  }
}
