/** A quarantine in memory that can discard entries, as the durable quarantines can. */
import type { Quarantine, QuarantineEntry } from '../../src/index.js'

/** A quarantine whose entries a test can read. */
export interface MemoryQuarantine extends Quarantine {
  /** The current entries, by key. */
  readonly entries: ReadonlyMap<string, QuarantineEntry>
  /** The codes of all deliveries so far, in order. */
  readonly codes: readonly string[]
}

/** Makes an empty quarantine. `before` is called before each entry is stored, and may throw or wait. */
export function memoryQuarantine(before: () => void | Promise<void> = () => {}): MemoryQuarantine {
  const entries = new Map<string, QuarantineEntry>()
  const codes: string[] = []
  const take = async (entry: QuarantineEntry) => {
    await before()
    entries.set(entry.key, entry)
    codes.push(entry.code)
  }
  return Object.assign(take, {
    entries,
    codes,
    get: async (key: string) => entries.get(key),
    list: async () => [...entries.values()],
    discard: async (key: string) => void entries.delete(key),
  })
}
