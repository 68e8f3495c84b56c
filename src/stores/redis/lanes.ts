/** The operations that wait to be sent, in order of arrival. Urgent operations go before the others. */

/** One operation of a store or its quarantine: a script call and its reply. */
export interface Operation<Result = unknown> {
  readonly script: string
  readonly keys: readonly string[]
  readonly values: readonly string[]
  /** How long the caller waits, in milliseconds. */
  readonly waitMs: number
  /** Goes before other operations, because it ends a claim or keeps a claim alive. */
  readonly isUrgent: boolean
  /** Reads the reply of the script. */
  read(reply: unknown): Result
}

/** An operation that waits. */
export interface Waiting {
  readonly operation: Operation
  /** When it is rejected, in monotonic milliseconds. */
  readonly deadline: number
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** The waiting operations. */
export interface Lanes {
  add(waiting: Waiting): void
  /** Returns operations of {@link takeGroup} to the front, in their order. */
  putBack(group: readonly Waiting[]): void
  /** Takes the next operations, up to 256. */
  takeGroup(): readonly Waiting[]
  /** Takes the operations whose deadline has passed. */
  takeExpired(now: number): readonly Waiting[]
  takeAll(): readonly Waiting[]
  count(): number
  /** When the next operation has to be rejected, or earlier. */
  nextDeadline(): number
}

/** A script call of this size blocks Redis for about a millisecond. */
const MAX_GROUP = 256

/** Creates empty lanes. */
export function createLanes(): Lanes {
  let urgent: Waiting[] = []
  let others: Waiting[] = []
  let nextDeadline = Number.POSITIVE_INFINITY
  const takeExpired = (now: number) => {
    if (now < nextDeadline) return []
    const all = [...urgent, ...others]
    const isLeft = ({ deadline }: Waiting) => deadline > now
    urgent = urgent.filter(isLeft)
    others = others.filter(isLeft)
    nextDeadline = Number.POSITIVE_INFINITY
    for (const { deadline } of [...urgent, ...others]) nextDeadline = Math.min(nextDeadline, deadline)
    return all.filter((waiting) => !isLeft(waiting))
  }
  return {
    add(waiting) {
      const lane = waiting.operation.isUrgent ? urgent : others
      lane.push(waiting)
      nextDeadline = Math.min(nextDeadline, waiting.deadline)
    },
    putBack(group) {
      urgent.unshift(...group.filter(({ operation }) => operation.isUrgent))
      others.unshift(...group.filter(({ operation }) => !operation.isUrgent))
    },
    takeGroup() {
      const group = urgent.splice(0, MAX_GROUP)
      const room = MAX_GROUP - group.length
      return room > 0 ? group.concat(others.splice(0, room)) : group
    },
    takeExpired,
    takeAll: () => takeExpired(Number.POSITIVE_INFINITY),
    count: () => urgent.length + others.length,
    nextDeadline: () => nextDeadline,
  }
}
