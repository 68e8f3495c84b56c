/** Virtual time and chance: one queue of future events and one seeded source of randomness. The same seed gives the same trace. */

/** A simulated world. Times are epoch milliseconds. */
export interface World {
  now(): number
  /** Calls `fn` `ms` milliseconds from now; the returned function cancels it. */
  after(ms: number, fn: () => void): () => void
  /**
   * Runs until the queue is empty.
   *
   * @throws Error when the queue isn't empty after a year, because something never ends.
   */
  run(): Promise<void>
  readonly chance: Chance
}

/** Seeded randomness. */
export interface Chance {
  /** A number from 0 up to, but not including, 1. */
  unit(): number
  /** `true` with this probability. */
  happens(probability: number): boolean
  /** A whole number from `low` to `high`. */
  between(low: number, high: number): number
}

/** The grid of virtual time, in milliseconds. Promises settle once per step of the grid. */
const GRID_MS = 20
const MAX_MS = 365 * 24 * 60 * 60 * 1000

interface Entry {
  readonly at: number
  readonly order: number
  fn: (() => void) | undefined
}

/** Makes a world that begins at `start`. */
export function createWorld(seed: number, start: number): World {
  let now = start
  let order = 0
  const queue: Entry[] = []
  return {
    chance: createChance(seed),
    now: () => now,
    after(ms, fn) {
      const at = Math.ceil((now + Math.max(0, ms)) / GRID_MS) * GRID_MS
      const entry: Entry = { at, order: order++, fn }
      push(queue, entry)
      return () => {
        entry.fn = undefined
      }
    },
    async run() {
      for (let next = pop(queue); next; next = pop(queue)) {
        if (next.at > now) {
          await settle()
          // A settled promise may have scheduled something earlier.
          if (queue[0] && comesBefore(queue[0], next)) {
            push(queue, next)
            continue
          }
          now = next.at
          if (now - start > MAX_MS) throw new Error('the world does not come to rest')
        }
        next.fn?.()
        if (queue.length === 0) await settle()
      }
    },
  }
}

/** Lets every promise that can settle now do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** mulberry32: small, fast, and good enough to choose faults. */
function createChance(seed: number): Chance {
  let state = seed >>> 0
  const unit = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  return {
    unit,
    happens: (probability) => unit() < probability,
    between: (low, high) => low + Math.floor(unit() * (high - low + 1)),
  }
}

function comesBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

function push(heap: Entry[], entry: Entry): void {
  let index = heap.length
  heap.push(entry)
  while (index > 0) {
    const parent = (index - 1) >> 1
    const above = heap[parent] as Entry
    if (!comesBefore(entry, above)) break
    heap[index] = above
    index = parent
  }
  heap[index] = entry
}

function pop(heap: Entry[]): Entry | undefined {
  const top = heap[0]
  const last = heap.pop()
  if (!top || !last || heap.length === 0) return top
  let index = 0
  for (;;) {
    let child = 2 * index + 1
    if (child >= heap.length) break
    const right = heap[child + 1]
    if (right && comesBefore(right, heap[child] as Entry)) child++
    if (!comesBefore(heap[child] as Entry, last)) break
    heap[index] = heap[child] as Entry
    index = child
  }
  heap[index] = last
  return top
}
