/** The operations of a store that wait for the next group, in order of arrival. Urgent operations go before the others. */

/** How an operation waits. */
export interface Waiting {
  /** Goes before other operations, because it ends a claim or keeps a claim alive. */
  readonly isUrgent: boolean
  /** Can't be in a group. */
  readonly isAlone: boolean
  /** When it is rejected, in monotonic milliseconds. */
  readonly deadline: number
}

/** The waiting operations. */
export interface Lanes<Item extends Waiting> {
  add(item: Item): void
  /** Returns items of {@link takeGroup} to the front, in their order. */
  putBack(items: readonly Item[]): void
  /** Takes the next items that can be in one group: up to `max`, or one that runs alone. */
  takeGroup(max: number): readonly Item[]
  /** Takes the items whose deadline has passed. */
  takeExpired(now: number): readonly Item[]
  takeAll(): readonly Item[]
  /** When the first deadline passes, or earlier. */
  nextDeadline(): number
  count(): number
}

/** Creates empty lanes. */
export function createLanes<Item extends Waiting>(): Lanes<Item> {
  let urgent: Item[] = []
  let others: Item[] = []
  let nextDeadline = Number.POSITIVE_INFINITY
  const takeExpired = (now: number) => {
    if (now < nextDeadline) return []
    const all = [...urgent, ...others]
    const isLeft = ({ deadline }: Item) => deadline > now
    urgent = urgent.filter(isLeft)
    others = others.filter(isLeft)
    nextDeadline = Number.POSITIVE_INFINITY
    for (const { deadline } of [...urgent, ...others]) nextDeadline = Math.min(nextDeadline, deadline)
    return all.filter((item) => !isLeft(item))
  }
  return {
    add(item) {
      const lane = item.isUrgent ? urgent : others
      lane.push(item)
      nextDeadline = Math.min(nextDeadline, item.deadline)
    },
    putBack(items) {
      urgent.unshift(...items.filter(({ isUrgent }) => isUrgent))
      others.unshift(...items.filter(({ isUrgent }) => !isUrgent))
    },
    takeGroup(max) {
      const lane = urgent.length > 0 ? urgent : others
      if (lane[0]?.isAlone) return lane.splice(0, 1)
      const group = takeShared(urgent, max)
      // An item that runs alone keeps its place before the other lane.
      return urgent.length > 0 ? group : group.concat(takeShared(others, max - group.length))
    },
    takeExpired,
    takeAll: () => takeExpired(Number.POSITIVE_INFINITY),
    nextDeadline: () => nextDeadline,
    count: () => urgent.length + others.length,
  }
}

/** Takes up to `max` items from the front that can be in a group. */
function takeShared<Item extends Waiting>(lane: Item[], max: number): Item[] {
  const end = Math.min(max, lane.length)
  let index = 0
  while (index < end && !lane[index]?.isAlone) index++
  return lane.splice(0, index)
}
