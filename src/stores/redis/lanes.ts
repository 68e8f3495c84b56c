/** The operations that wait to be sent, in order of arrival. Urgent operations go before the others. */

/** One operation of a store or its quarantine: a script call and its reply. */
export interface Operation<Result = unknown> {
  readonly script: string
  /** The script runs one operation per call. Otherwise it takes several, and then it replies with a list of texts. */
  readonly isAlone: boolean
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
  /** Returns operations of {@link takeCall} to the front, in their order. */
  putBack(call: readonly Waiting[]): void
  /** Takes the next operation and, with `canShare`, up to 255 more that can share its call. */
  takeCall(canShare: boolean): readonly Waiting[]
  /** Takes the operations whose deadline has passed. */
  takeExpired(now: number): readonly Waiting[]
  takeAll(): readonly Waiting[]
  count(): number
  /** When the next operation has to be rejected, or earlier. */
  nextDeadline(): number
}

/** A script call with so many operations blocks Redis for about a millisecond. */
const MAX_CALL = 256

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
    putBack(call) {
      urgent.unshift(...call.filter(({ operation }) => operation.isUrgent))
      others.unshift(...call.filter(({ operation }) => !operation.isUrgent))
    },
    takeCall(canShare) {
      const lane = urgent.length > 0 ? urgent : others
      if (!canShare || lane[0]?.operation.isAlone) return lane.splice(0, 1)
      const call = takeShared(urgent, MAX_CALL)
      // An operation that runs alone keeps its place before the other lane.
      return urgent.length > 0 ? call : call.concat(takeShared(others, MAX_CALL - call.length))
    },
    takeExpired,
    takeAll: () => takeExpired(Number.POSITIVE_INFINITY),
    count: () => urgent.length + others.length,
    nextDeadline: () => nextDeadline,
  }
}

/** Takes up to `count` operations from the front that can share a call. */
function takeShared(lane: Waiting[], count: number): Waiting[] {
  const end = Math.min(count, lane.length)
  let index = 0
  while (index < end && !lane[index]?.operation.isAlone) index++
  return lane.splice(0, index)
}
