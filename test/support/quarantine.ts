/** A quarantine in memory that can take entries back, as the durable ones do. */
import type { Quarantine, QuarantineEntry } from '../../src/index.js'

/** A quarantine whose entries a test can look at. */
export interface MemoryQuarantine extends Quarantine {
  /** What is in it now, by key. */
  readonly entries: ReadonlyMap<string, QuarantineEntry>
  /** The codes under which deliveries came in so far. */
  readonly codes: readonly string[]
}

/** Makes an empty quarantine; `before` is called before an entry is taken, and may fail. */
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
