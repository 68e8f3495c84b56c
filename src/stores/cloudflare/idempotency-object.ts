/**
 * The Durable Object that keeps deliveries for `durableObjectStore`: every step is one statement on its own SQLite, by its own clock, and
 * an alarm clears away what is over. In: the driver's calls. Out: the store contract's answers.
 */
import { DurableObject } from 'cloudflare:workers'
import { systemClock } from '../../clock.js'
import { quarantineStatements, readEntry } from '../sqlite/quarantine.js'
import { readClaim, recordStatements, type SqlRow, type SqlStatement } from '../sqlite/records.js'
import type {
  ClaimRequest,
  ClaimResult,
  CompleteRequest,
  QuarantineEntry,
  ReleaseRequest,
  RenewRequest,
} from '../store.js'

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
