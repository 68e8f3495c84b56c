/**
 * Writes items in groups: the items of one event-loop turn, and all that arrive while two groups are being written. Each item gets its own
 * result.
 */
import { isStatementError } from '../../stores/postgres/server-errors.js'

/** The options of {@link createGroupWriter}. */
export interface GroupWriterOptions<Item> {
  /** Writes a group. Items with the same id are in it once. */
  write(items: readonly Item[]): Promise<unknown>
  /** How large an item is, in bytes. Default: 0. */
  sizeOf?(item: Item): number
}

const MAX_ITEMS = 100
const MAX_BYTES = 4 * 1024 * 1024
/** While one group is in flight, the next one can be sent. */
const MAX_IN_FLIGHT = 2

interface Waiting<Item> {
  readonly item: Item
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Returns a function that resolves once its item is written. */
export function createGroupWriter<Item extends { readonly id: string }>({
  write,
  sizeOf = () => 0,
}: GroupWriterOptions<Item>): (item: Item) => Promise<void> {
  let waiting: Waiting<Item>[] = []
  let inFlight = 0
  let isScheduled = false

  /** Starts in the next turn, so that all callers of this turn can join. */
  function schedule(): void {
    if (isScheduled || waiting.length === 0) return
    isScheduled = true
    inNextTurn(() => {
      isScheduled = false
      while (inFlight < MAX_IN_FLIGHT && waiting.length > 0) void writeNext()
    })
  }

  async function writeNext(): Promise<void> {
    inFlight++
    await writeGroup(take())
    inFlight--
    schedule()
  }

  function take(): Waiting<Item>[] {
    let bytes = 0
    let count = 0
    for (const { item } of waiting.slice(0, MAX_ITEMS)) {
      bytes += sizeOf(item)
      if (count > 0 && bytes > MAX_BYTES) break
      count++
    }
    const taken = waiting.slice(0, count)
    waiting = waiting.slice(count)
    return taken
  }

  async function writeGroup(group: readonly Waiting<Item>[]): Promise<void> {
    const items = new Map(group.map(({ item }) => [item.id, item]))
    try {
      await write([...items.values()])
      for (const { resolve } of group) resolve()
    } catch (error) {
      // One bad item fails the whole statement, so each is written alone.
      if (group.length > 1 && isStatementError(error)) for (const each of group) await writeGroup([each])
      else for (const { reject } of group) reject(error)
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      schedule()
    })
}

function inNextTurn(run: () => void): void {
  const { setImmediate } = globalThis as { readonly setImmediate?: (run: () => void) => void }
  if (setImmediate) setImmediate(run)
  else queueMicrotask(run)
}
