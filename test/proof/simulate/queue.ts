/**
 * The engine of an inbox that all processes share: durable, at least once. A job that was taken is leased; what its worker does not finish is
 * given out again. In: deliveries from any process. Out: the inbox of each.
 */
import { type AcceptedDelivery, type Inbox, type InboxProcessor, isFinished } from '../../../src/inboxes/inbox.js'
import type { Process } from './host.js'
import { createNetwork } from './network.js'
import type { Scenario } from './scenario.js'
import type { World } from './world.js'

/** The shared engine. */
export interface SharedQueue {
  /** A process's connection to it; `onFault` is told the key a fault befell. */
  connect(process: Process, onFault: (key: string) => void): Inbox
}

interface Job {
  readonly delivery: AcceptedDelivery
  dueAt: number
  /** How often it was taken: tells this taking from any other. */
  taken: number
  /** Tries that count. */
  attempt: number
}

const MAX_ATTEMPTS = 20
const CONCURRENCY = 10
const LEASE_MS = 60_000
const HEARTBEAT_MS = 15_000
const POLL_MS = 1000
const FIRST_PAUSE_MS = 5000
const MAX_PAUSE_MS = 3_600_000
/** The sender's last try comes 81 minutes after an event. */
const SENDER_ENDS_MS = 2 * 3_600_000

/** Makes the engine of a world. */
export function createQueue(world: World, scenario: Scenario): SharedQueue {
  const call = createNetwork(world, scenario)
  const jobs = new Map<string, Job>()
  const endsAt = world.now() + scenario.spanMs + SENDER_ENDS_MS
  const isOver = () => jobs.size === 0 && world.now() > endsAt
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
  /** Only the taking that is the latest may say anything of its job. */
  const ifHeld = (taking: Taking, apply: () => void) => {
    if (taking.job.taken === taking.taken && jobs.has(taking.delivery.key)) apply()
  }
  return {
    connect(process, onFault) {
      let running = 0
      const processJob = async (taking: Taking, work: InboxProcessor): Promise<void> => {
        const { delivery, attempt, job } = taking
        const tell = (apply: () => void) =>
          call(process, delivery.key, onFault, () => ifHeld(taking, apply)).catch(() => {})
        let cancel = () => {}
        const beat = () => {
          cancel = process.after(HEARTBEAT_MS, () => {
            void tell(() => {
              job.dueAt = world.now() + LEASE_MS
            })
            beat()
          })
        }
        beat()
        const outcome = await work(delivery, { number: attempt, last: attempt >= MAX_ATTEMPTS })
        cancel()
        if (isFinished(outcome)) return tell(() => void jobs.delete(delivery.key))
        const isCounted = outcome.status === 'failed'
        return tell(() => {
          job.dueAt = world.now() + Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), MAX_PAUSE_MS)
          if (!isCounted) job.attempt--
        })
      }
      const look = async (work: InboxProcessor): Promise<void> => {
        const room = CONCURRENCY - running
        if (room === 0 || due(1).length === 0) return
        for (const taking of await call(process, '', onFault, () => take(room))) {
          running++
          // Not awaited by the next look, and gone with the process.
          void processJob(taking, work).finally(() => running--)
        }
      }
      return {
        accept: (delivery) =>
          call(process, delivery.key, onFault, () => {
            const job = { delivery, dueAt: world.now(), taken: 0, attempt: 0 }
            if (!jobs.has(delivery.key)) jobs.set(delivery.key, job)
          }),
        start(work) {
          const tick = () => {
            void look(work).catch(() => {})
            if (!isOver()) process.after(POLL_MS, tick)
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
