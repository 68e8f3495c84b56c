/** The waiting writes of one connection, in order of arrival. Urgent writes go before the others. */
import type { Write } from './group.js'

/** A write, and how it waits. */
export interface QueuedWrite<Result = unknown> extends Write<Result> {
  /** How long the caller waits, in milliseconds. After that the write is rejected and changes nothing. */
  readonly waitMs: number
  /** Goes before other writes, because it ends a claim or keeps a claim alive. */
  readonly isUrgent: boolean
}

/** A write that waits. */
export interface Waiting {
  readonly write: QueuedWrite
  /** When it is rejected, in monotonic milliseconds. */
  readonly deadline: number
  /** It needs its own transaction. */
  isAlone: boolean
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** The waiting writes. */
export interface Lanes {
  add(waiting: Waiting): void
  /** Returns writes of {@link takeGroup} to the front, in their order. */
  putBack(group: readonly Waiting[]): void
  /** Takes the next writes that can share a transaction: up to 256, or one that needs its own. */
  takeGroup(): readonly Waiting[]
  /** Takes the writes whose deadline has passed. */
  takeExpired(now: number): readonly Waiting[]
  /** When the first deadline passes, or earlier. */
  nextDeadline(): number
  count(): number
}

/** The maximum number of writes in a group. */
export const MAX_GROUP = 256

/** Creates empty lanes. */
export function createLanes(): Lanes {
  let urgent: Waiting[] = []
  let others: Waiting[] = []
  let nextDeadline = Number.POSITIVE_INFINITY
  const laneOf = ({ write }: Waiting) => (write.isUrgent ? urgent : others)
  return {
    add(waiting) {
      laneOf(waiting).push(waiting)
      nextDeadline = Math.min(nextDeadline, waiting.deadline)
    },
    putBack(group) {
      urgent.unshift(...group.filter(({ write }) => write.isUrgent))
      others.unshift(...group.filter(({ write }) => !write.isUrgent))
    },
    takeGroup() {
      const first = urgent[0] ?? others[0]
      if (first?.isAlone) return laneOf(first).splice(0, 1)
      const group = takeShared(urgent, MAX_GROUP)
      // A write that needs its own transaction keeps its place before the other lane.
      return urgent.length > 0 ? group : [...group, ...takeShared(others, MAX_GROUP - group.length)]
    },
    takeExpired(now) {
      if (now < nextDeadline) return []
      const all = [...urgent, ...others]
      const isLeft = ({ deadline }: Waiting) => deadline > now
      urgent = urgent.filter(isLeft)
      others = others.filter(isLeft)
      nextDeadline = Number.POSITIVE_INFINITY
      for (const { deadline } of [...urgent, ...others]) nextDeadline = Math.min(nextDeadline, deadline)
      return all.filter((waiting) => !isLeft(waiting))
    },
    nextDeadline: () => nextDeadline,
    count: () => urgent.length + others.length,
  }
}

/** Takes up to `count` writes from the front that can share a transaction. */
function takeShared(lane: Waiting[], count: number): Waiting[] {
  const end = Math.min(count, lane.length)
  let index = 0
  while (index < end && !lane[index]?.isAlone) index++
  return lane.splice(0, index)
}
