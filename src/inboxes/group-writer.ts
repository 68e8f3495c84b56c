/**
 * Writes items to the engine of an inbox in groups: the items of one event-loop turn, and all that arrive while two groups are being
 * written. Each item gets its own result.
 */
import { type Clock, runSoon } from '../clock.js'

/** Writes items that arrive at the same time together. */
export interface GroupWriter<Item> {
  /** Resolves once the item is written. */
  write(item: Item): Promise<void>
  /** Forgets an item that still waits, because its caller has stopped waiting. */
  abandon(item: Item): void
}

/** The options of {@link createGroupWriter}. */
export interface GroupWriterOptions<Item> {
  /** Writes all items of a group or rejects. May be repeated for each of them alone. */
  writeGroup(items: readonly Item[]): Promise<unknown>
  /** Returns the size of an item in bytes. */
  sizeOf(item: Item): number
  /** Whether one item may have failed its whole group with this error. Then each item is written alone. */
  isCausedByItem(error: unknown): boolean
  readonly clock: Clock
}

/** Larger groups gain nothing, and would block the event loop for longer. */
const MAX_ITEMS = 100
const MAX_BYTES = 4 * 1024 * 1024
/** While one group is being written, the next one is prepared. */
const MAX_GROUPS = 2

interface Waiting<Item> {
  readonly item: Item
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Creates a writer. */
export function createGroupWriter<Item>(options: GroupWriterOptions<Item>): GroupWriter<Item> {
  const { writeGroup, sizeOf, isCausedByItem, clock } = options
  let waiting: Waiting<Item>[] = []
  let groups = 0
  let isScheduled = false

  /** Starts at the end of this event-loop turn, so that all callers of this turn can join. */
  function schedule(): void {
    if (isScheduled || waiting.length === 0) return
    isScheduled = true
    runSoon(clock, () => {
      isScheduled = false
      while (groups < MAX_GROUPS && waiting.length > 0) void writeNext()
    })
  }

  async function writeNext(): Promise<void> {
    groups++
    await settle(takeGroup())
    groups--
    schedule()
  }

  function takeGroup(): readonly Waiting<Item>[] {
    let count = 0
    let bytes = 0
    for (const { item } of waiting.slice(0, MAX_ITEMS)) {
      bytes += sizeOf(item)
      if (count > 0 && bytes > MAX_BYTES) break
      count++
    }
    return waiting.splice(0, count)
  }

  async function settle(group: readonly Waiting<Item>[]): Promise<void> {
    try {
      await writeGroup(group.map(({ item }) => item))
      for (const { resolve } of group) resolve()
    } catch (error) {
      if (group.length > 1 && isCausedByItem(error)) await Promise.all(group.map((each) => settle([each])))
      else for (const { reject } of group) reject(error)
    }
  }

  return {
    write: (item) =>
      new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject })
        schedule()
      }),
    abandon(item) {
      if (waiting.length > 0) waiting = waiting.filter((each) => each.item !== item)
    },
  }
}
