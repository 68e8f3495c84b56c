/**
 * A bounded set of finished keys in typed arrays. Each entry is a 128-bit fingerprint and an expiry time, in the order of
 * completion. Keys are SHA-256 digits, so their first 128 bits serve as the fingerprint. The arrays grow up to `maxKeys`.
 */

/** A bounded set of finished keys. */
export interface FinishedKeys {
  /** Whether the set contains a key that expires after `now`. */
  has(key: string, now: number): boolean
  /** Adds a key until `retainUntil`. Call `makeRoom` first: the set must have a free place. */
  add(key: string, retainUntil: number, token: string): void
  /** Evicts the oldest keys until at most `room` are left. Returns whether one of them had not expired at `now`. */
  makeRoom(room: number, now: number): boolean
  /** Returns the token that completed a key, for the newest 256 keys. Identifies a repeated completion. */
  lastToken(key: string): string | undefined
}

const WORDS = 4
const EMPTY = 0
const RECENT = 256

interface Table {
  /** Fingerprints by place in the ring, four words per entry. */
  readonly words: Uint32Array
  /** Epoch milliseconds by place in the ring. */
  readonly until: Float64Array
  /** A hash table with open addressing and linear probing: a place in the ring plus 1, or 0. */
  readonly slots: Uint32Array
  readonly capacity: number
}

/** Creates an empty set for `maxKeys` keys. */
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
  const evictOldest = () => {
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
      const index = added++ % RECENT
      recentKeys[index] = key
      recentTokens[index] = token
    },
    makeRoom(room, now) {
      let evictedEarly = false
      while (size > room) {
        evictedEarly ||= (table.until[oldest] as number) > now
        evictOldest()
      }
      return evictedEarly
    },
    lastToken(key) {
      for (let age = 1; age <= recentKeys.length; age++) {
        const index = (added - age) % RECENT
        if (recentKeys[index] === key) return recentTokens[index]
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

/** Writes the first 32 of 64 hex digits to `into` as four 32-bit words. */
function readFingerprint(key: string, into: Uint32Array): void {
  for (let word = 0; word < WORDS; word++) {
    let bits = 0
    for (let index = word * 8; index < word * 8 + 8; index++) bits = (bits << 4) | hexDigit(key.charCodeAt(index))
    into[word] = bits
  }
}

/** Converts the code of `0` to `9` or `a` to `f` to its value. */
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
    const first = place * WORDS
    if (
      words[first] === probe[0] &&
      words[first + 1] === probe[1] &&
      words[first + 2] === probe[2] &&
      words[first + 3] === probe[3]
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

/** Frees the slot of a place and moves displaced entries back, because a gap would end their probes too early. */
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
