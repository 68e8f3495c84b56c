/**
 * The keys that are finished, in typed arrays: a 128-bit fingerprint and an expiry each, in the order they were finished.
 * Keys are SHA-256 digits, so their first 128 bits are a fingerprint already. Grows with use, up to its capacity.
 */

/** A bounded set of finished keys. */
export interface FinishedKeys {
  /** Whether a key is remembered at `now`. */
  has(key: string, now: number): boolean
  /** Remembers a key until `retainUntil`; there must be room, see `makeRoom`. */
  add(key: string, retainUntil: number, token: string): void
  /** Forgets the oldest until at most `room` are left; says whether one of them should still have been remembered at `now`. */
  makeRoom(room: number, now: number): boolean
  /** The token a key was finished with, if it is among the newest: enough to know a repeated completion. */
  lastToken(key: string): string | undefined
}

const WORDS = 4
const EMPTY = 0
const RECENT = 256

interface Table {
  /** Fingerprints, four words an entry, by place in the ring. */
  readonly words: Uint32Array
  /** Epoch milliseconds by place in the ring. */
  readonly until: Float64Array
  /** Open addressing, linear probing: place in the ring plus 1, or 0. */
  readonly slots: Uint32Array
  readonly capacity: number
}

/** Makes an empty set for `maxKeys` keys. */
export function createFinishedKeys(maxKeys: number): FinishedKeys {
  let table = createTable(Math.min(maxKeys, 1024))
  let oldest = 0
  let size = 0
  const probe = new Uint32Array(WORDS)
  const recentKeys: string[] = []
  const recentTokens: string[] = []
  let added = 0

  const remove = (place: number) => {
    removeSlot(table, place)
    table.until[place] = 0
  }
  const dropOldest = () => {
    remove(oldest)
    oldest = (oldest + 1) % table.capacity
    size--
  }
  const grow = () => {
    const larger = createTable(Math.min(maxKeys, table.capacity * 2))
    for (let index = 0; index < size; index++) {
      const from = (oldest + index) % table.capacity
      larger.words.set(table.words.subarray(from * WORDS, from * WORDS + WORDS), index * WORDS)
      larger.until[index] = table.until[from] as number
      if (larger.until[index] !== 0) insertSlot(larger, index)
    }
    table = larger
    oldest = 0
  }
  return {
    has(key, now) {
      readFingerprint(key, probe)
      const place = find(table, probe)
      return place >= 0 && (table.until[place] as number) > now
    },
    add(key, retainUntil, token) {
      readFingerprint(key, probe)
      const known = find(table, probe)
      if (known >= 0) remove(known)
      if (size === table.capacity) grow()
      const place = (oldest + size) % table.capacity
      table.words.set(probe, place * WORDS)
      table.until[place] = retainUntil
      insertSlot(table, place)
      size++
      const at = added++ % RECENT
      recentKeys[at] = key
      recentTokens[at] = token
    },
    makeRoom(room, now) {
      let early = false
      while (size > room) {
        early ||= (table.until[oldest] as number) > now
        dropOldest()
      }
      return early
    },
    lastToken(key) {
      for (let age = 1; age <= recentKeys.length; age++) {
        const at = (added - age) % RECENT
        if (recentKeys[at] === key) return recentTokens[at]
      }
      return undefined
    },
  }
}

function createTable(capacity: number): Table {
  let slots = 2
  while (slots < capacity * 2) slots *= 2
  return {
    words: new Uint32Array(capacity * WORDS),
    until: new Float64Array(capacity),
    slots: new Uint32Array(slots),
    capacity,
  }
}

/** The first 32 of 64 hex digits. */
function readFingerprint(key: string, into: Uint32Array): void {
  for (let word = 0; word < WORDS; word++) {
    let bits = 0
    for (let index = word * 8; index < word * 8 + 8; index++) bits = (bits << 4) | hexDigit(key.charCodeAt(index))
    into[word] = bits
  }
}

/** `0` to `9` and `a` to `f` to their value. */
function hexDigit(code: number): number {
  return (code & 15) + (code >> 6) * 9
}

function homeOf({ words, slots }: Table, place: number): number {
  return (words[place * WORDS] as number) & (slots.length - 1)
}

function find(table: Table, probe: Uint32Array): number {
  const { slots, words } = table
  const mask = slots.length - 1
  for (let slot = (probe[0] as number) & mask; slots[slot] !== EMPTY; slot = (slot + 1) & mask) {
    const place = (slots[slot] as number) - 1
    const at = place * WORDS
    if (
      words[at] === probe[0] &&
      words[at + 1] === probe[1] &&
      words[at + 2] === probe[2] &&
      words[at + 3] === probe[3]
    ) {
      return place
    }
  }
  return -1
}

function insertSlot(table: Table, place: number): void {
  const mask = table.slots.length - 1
  let slot = homeOf(table, place)
  while (table.slots[slot] !== EMPTY) slot = (slot + 1) & mask
  table.slots[slot] = place + 1
}

/** Removes a place and moves back what was pushed past it, so that no probe ends too early. */
function removeSlot(table: Table, place: number): void {
  const { slots } = table
  const mask = slots.length - 1
  let hole = homeOf(table, place)
  while (slots[hole] !== place + 1) {
    if (slots[hole] === EMPTY) return
    hole = (hole + 1) & mask
  }
  for (let slot = (hole + 1) & mask; slots[slot] !== EMPTY; slot = (slot + 1) & mask) {
    const home = homeOf(table, (slots[slot] as number) - 1)
    const distance = (slot - home) & mask
    if (distance < ((slot - hole) & mask)) continue
    slots[hole] = slots[slot] as number
    hole = slot
  }
  slots[hole] = EMPTY
}
