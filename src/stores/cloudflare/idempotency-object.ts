/**
 * The Durable Object behind `durableObjectStore`. It runs each operation of the store contract as one statement on its own
 * SQLite, with its own clock. An alarm deletes expired records.
 */
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
import { decodeMessage, encodeMessage, OBJECT_HEADER } from './object-messages.js'

/** The part of an object's storage (`DurableObjectStorage`) that it uses. */
export interface ObjectStorage {
  /** The object's SQLite. */
  readonly sql: { exec(query: string, ...values: unknown[]): { toArray(): unknown[] } }
  /** Resolves to the time of the next alarm, in epoch milliseconds. */
  getAlarm(): Promise<number | null>
  /** Sets the time of the next alarm. */
  setAlarm(epochMs: number): Promise<void>
}

/** The operations of an object, and the type of each result. */
export interface ObjectOperations {
  readonly claim: (request: ClaimRequest) => Promise<ClaimResult>
  readonly renew: (request: RenewRequest) => boolean
  readonly complete: (request: CompleteRequest) => boolean
  readonly release: (request: ReleaseRequest) => boolean
  readonly 'put-entry': (entries: readonly QuarantineEntry[]) => null
  readonly 'discard-entry': (key: string) => null
  readonly 'get-entry': (key: string) => readonly QuarantineEntry[]
  readonly 'list-entries': (page: { readonly limit: number; readonly after: string }) => readonly QuarantineEntry[]
  readonly 'count-entries': () => number
}

const records = recordStatements('deliveries', '', 'clustered')
const quarantine = quarantineStatements('quarantine', '')
/** A page of the quarantine ends once its bodies reach this size, because an object has 128 MB of memory. */
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
export class IdempotencyObject {
  /** Marks the class for the platform's type `DurableObjectNamespace`. It has no value. */
  declare readonly __DURABLE_OBJECT_BRAND: never
  readonly #storage: ObjectStorage
  readonly #operations: ObjectOperations
  #hasAlarm = false

  /** Called by the platform. */
  constructor(state: { readonly storage: ObjectStorage }) {
    this.#storage = state.storage
    const returnsRow = (statement: SqlStatement) => this.#run(statement).length > 0
    this.#operations = {
      claim: async (request) => {
        const result = readClaim(this.#run(records.claim(request)), request.token)
        if (!this.#hasAlarm) await this.#setFirstAlarm()
        return result
      },
      renew: (request) => returnsRow(records.renew(request)),
      complete: (request) => returnsRow(records.complete(request)),
      release: (request) => returnsRow(records.release(request)),
      'put-entry': (entries) => {
        for (const entry of entries) this.#run(quarantine.put(entry))
        return null
      },
      'discard-entry': (key) => {
        this.#run(quarantine.discard(key))
        return null
      },
      'get-entry': (key) => this.#run(quarantine.get(key)).map(readEntry),
      'list-entries': ({ limit, after }) => this.#listEntries(limit, after),
      'count-entries': () => Number(this.#run(quarantine.count)[0]?.['count']),
    }
  }

  /** Runs one operation of `durableObjectStore`. The last part of the path names it. */
  async fetch(request: Request): Promise<Response> {
    const name = new URL(request.url).pathname.slice(1) as keyof ObjectOperations
    const input = decodeMessage(await request.arrayBuffer())
    const result: unknown = await this.#operations[name](input as never)
    const message = name.endsWith('entry') || name === 'list-entries' ? encodeEntries(result) : encodeMessage(result)
    return new Response(message, { headers: { [OBJECT_HEADER]: '1' } })
  }

  /** Deletes expired deliveries, one batch at a time. */
  async alarm(): Promise<void> {
    this.#hasAlarm = false
    const swept = this.#run(records.sweep(SWEEP_LIMIT)).length
    const [oldest] = this.#run(records.oldest)
    const retainUntil = Number(oldest?.['retain_until'] ?? Number.NaN)
    // No records are left. The next claim sets the next alarm.
    if (Number.isNaN(retainUntil)) return
    const now = systemClock.now()
    const next = swept === SWEEP_LIMIT ? now + 1000 : Math.max(retainUntil, now + SWEEP_PAUSE_MS)
    await this.#storage.setAlarm(next)
    this.#hasAlarm = true
  }

  async #setFirstAlarm(): Promise<void> {
    if ((await this.#storage.getAlarm()) === null) await this.#storage.setAlarm(systemClock.now() + SWEEP_PAUSE_MS)
    this.#hasAlarm = true
  }

  /** Returns fewer entries than `limit` if they are large, and none if there are no more. */
  #listEntries(limit: number, after: string): QuarantineEntry[] {
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

  #run({ sql, values }: SqlStatement): readonly SqlRow[] {
    const { sql: database } = this.#storage
    const execute = () => database.exec(sql, ...values).toArray() as SqlRow[]
    try {
      return execute()
    } catch (error) {
      if (!/no such table/i.test(String(error))) throw error
      // The object is new, or other code deleted its storage together with its alarm.
      for (const statement of [...records.schema, ...quarantine.schema]) database.exec(statement.sql)
      this.#hasAlarm = false
      return execute()
    }
  }
}

function encodeEntries(entries: unknown): Uint8Array<ArrayBuffer> {
  return Array.isArray(entries) ? encodeMessage([], entries as QuarantineEntry[]) : encodeMessage(entries)
}
