/**
 * Writes accepted deliveries in groups: the deliveries of one event-loop turn, and all that arrive while two groups are being written. Each
 * delivery gets its own result.
 */
import type { AcceptedDelivery } from '../inbox.js'

/** Writes deliveries that arrive at the same time together. */
export interface AcceptWriter {
  /** Resolves once the delivery is written. */
  write(delivery: AcceptedDelivery): Promise<void>
  /** Forgets a delivery that still waits, because its caller has stopped waiting. */
  abandon(delivery: AcceptedDelivery): void
}

interface Waiting {
  readonly delivery: AcceptedDelivery
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

const MAX_GROUP = 100
const MAX_BYTES = 4 * 1024 * 1024
/** While one group is being written, the next one is prepared. */
const MAX_GROUPS = 2

/** Creates a writer. `writeGroup` writes all deliveries or rejects, and may be repeated for each of them alone. */
export function createAcceptWriter(writeGroup: (group: readonly AcceptedDelivery[]) => Promise<unknown>): AcceptWriter {
  let waiting: Waiting[] = []
  let groups = 0
  let isScheduled = false

  /** Starts at the end of this event-loop turn, so that all callers of this turn can join. */
  function schedule(): void {
    if (isScheduled || waiting.length === 0) return
    isScheduled = true
    atEndOfTurn(() => {
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

  function takeGroup(): readonly Waiting[] {
    let count = 0
    for (let bytes = 0; count < Math.min(waiting.length, MAX_GROUP) && (count === 0 || bytes < MAX_BYTES); count++) {
      bytes += waiting[count]?.delivery.rawBody.length ?? 0
    }
    return waiting.splice(0, count)
  }

  async function settle(group: readonly Waiting[]): Promise<void> {
    try {
      await writeGroup(group.map(({ delivery }) => delivery))
      for (const { resolve } of group) resolve()
    } catch (error) {
      // Which delivery failed is unknown. A delivery that is already there isn't written twice.
      if (group.length > 1) await Promise.all(group.map((each) => settle([each])))
      else for (const { reject } of group) reject(error)
    }
  }

  return {
    write: (delivery) =>
      new Promise((resolve, reject) => {
        waiting.push({ delivery, resolve, reject })
        schedule()
      }),
    abandon(delivery) {
      if (waiting.length > 0) waiting = waiting.filter((each) => each.delivery !== delivery)
    },
  }
}

/** BullMQ runs on Node only. */
function atEndOfTurn(fn: () => void): void {
  const { setImmediate } = globalThis as unknown as { readonly setImmediate: (fn: () => void) => void }
  setImmediate(fn)
}
