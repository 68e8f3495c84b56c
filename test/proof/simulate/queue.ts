/**
 * The shared engine of an inbox: durable, with at-least-once delivery. A taken job is leased, and handed out again if its process doesn't
 * finish it.
 */
import { type AcceptedDelivery, type Inbox, type InboxProcessor, isFinished } from '../../../src/inboxes/inbox.js'
import type { Process } from './host.js'
import { createNetwork } from './network.js'
import type { Scenario } from './scenario.js'
import type { World } from './world.js'

/** The shared engine. */
export interface SharedQueue {
  /** Connects a process. `onFault` is called with the key of each delivery that a fault affects. */
  connect(process: Process, onFault: (key: string) => void): Inbox
}

interface Job {
  readonly delivery: AcceptedDelivery
  dueAt: number
  /** The number of times it was taken, which distinguishes this taking from all others. */
  taken: number
  /** The number of counted attempts. */
  attempt: number
}

const MAX_ATTEMPTS = 20
const CONCURRENCY = 10
const LEASE_MS = 60_000
const HEARTBEAT_MS = 15_000
const POLL_MS = 1000
const FIRST_PAUSE_MS = 5000
const MAX_PAUSE_MS = 3_600_000
/** The sender's last attempt comes 81 minutes after an event. */
const SENDER_ENDS_MS = 2 * 3_600_000

/** Makes the engine of a world. */
export function createQueue(world: World, scenario: Scenario): SharedQueue {
  const call = createNetwork(world, scenario)
  const jobs = new Map<string, Job>()
  const endsAt = world.now() + scenario.spanMs + SENDER_ENDS_MS
  const hasEnded = () => jobs.size === 0 && world.now() > endsAt
  const due = (count: number): Job[] => {
    const found: Job[] = []
    for (const job of jobs.values()) {
      if (found.length === count) break
      if (job.dueAt <= world.now()) found.push(job)
    }
    return found
  }
  const take = (count: number) =>
    due(count).map((job) => {
      job.dueAt = world.now() + LEASE_MS
      return { job, taken: ++job.taken, attempt: ++job.attempt, delivery: job.delivery }
    })
  /** Only the latest taking may change its job. */
  const ifHeld = (taking: Taking, apply: () => void) => {
    if (taking.job.taken === taking.taken && jobs.has(taking.delivery.key)) apply()
  }
  return {
    connect(process, onFault) {
      let running = 0
      const runJob = async (taking: Taking, processor: InboxProcessor): Promise<void> => {
        const { delivery, attempt, job } = taking
        const update = (apply: () => void) =>
          call(process, delivery.key, onFault, () => ifHeld(taking, apply)).catch(() => {})
        let cancel = () => {}
        const beat = () => {
          cancel = process.after(HEARTBEAT_MS, () => {
            void update(() => {
              job.dueAt = world.now() + LEASE_MS
            })
            beat()
          })
        }
        beat()
        const outcome = await processor(delivery, { number: attempt, last: attempt >= MAX_ATTEMPTS })
        cancel()
        if (isFinished(outcome)) return update(() => void jobs.delete(delivery.key))
        const isCounted = outcome.status === 'failed'
        return update(() => {
          job.dueAt = world.now() + Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), MAX_PAUSE_MS)
          if (!isCounted) job.attempt--
        })
      }
      const takeJobs = async (processor: InboxProcessor): Promise<void> => {
        const room = CONCURRENCY - running
        if (room === 0 || due(1).length === 0) return
        for (const taking of await call(process, '', onFault, () => take(room))) {
          running++
          // The jobs run in parallel, and end with the process.
          void runJob(taking, processor).finally(() => running--)
        }
      }
      return {
        accept: (delivery) =>
          call(process, delivery.key, onFault, () => {
            const job = { delivery, dueAt: world.now(), taken: 0, attempt: 0 }
            if (!jobs.has(delivery.key)) jobs.set(delivery.key, job)
          }),
        start(processor) {
          const tick = () => {
            void takeJobs(processor).catch(() => {})
            if (!hasEnded()) process.after(POLL_MS, tick)
          }
          tick()
        },
      }
    },
  }
}

interface Taking {
  readonly job: Job
  readonly taken: number
  readonly attempt: number
  readonly delivery: AcceptedDelivery
}
