/**
 * Plays schedules on the core. Two receivers on one store get copies of two deliveries. fast-check chooses when each copy arrives, when
 * the store starts and returns each call, when each handler ends and when time passes. The invariants are checked on the way.
 */
import fc from 'fast-check'
import { toResponse } from '../../../src/delivery/response.js'
import {
  createReceiver,
  type MaybePromise,
  memoryStore,
  type Outcome,
  PermanentError,
  type Receiver,
  type Store,
} from '../../../src/index.js'
import { SECRET } from '../../acceptance/variants.js'
import { rightHeader } from '../generated/inputs.js'
import { bookkeeping, type Ledger } from './ledger.js'
import { type SteppingClock, steppingClock } from './stepping-clock.js'

/** The end of a handler's run. */
type Ending = 'succeeds' | 'fails' | 'fails permanently' | 'never'

/** The events of a schedule. The scheduler chooses their order. */
export interface CoreScript {
  /** The delivery of each copy, and the receiver that gets it. */
  readonly copies: readonly { readonly delivery: number; readonly receiver: number }[]
  /** The ends of the handlers' runs, in order. Later runs succeed. */
  readonly endings: readonly Ending[]
  /** The steps of time, in milliseconds. */
  readonly steps: readonly number[]
}

/** Random scripts. */
export const CORE_SCRIPTS: fc.Arbitrary<CoreScript> = fc.record({
  copies: fc.array(fc.record({ delivery: fc.nat(1), receiver: fc.nat(1) }), { minLength: 1, maxLength: 6 }),
  endings: fc.array(fc.constantFrom<Ending>('succeeds', 'succeeds', 'fails', 'fails permanently', 'never'), {
    maxLength: 4,
  }),
  steps: fc.array(fc.constantFrom(5, 200, 1000, 4500, 10_000, 56_000), { maxLength: 8 }),
})

const START = Date.parse('2026-01-29T12:00:00Z')
const BODIES = [1, 2].map((scan_count) =>
  Buffer.from(JSON.stringify({ event: 'qr.scanned', timestamp: new Date(START).toISOString(), data: { scan_count } })),
)
const DEADLINE_MS = 4600
const HANDLER_TIMEOUT_MS = 120_000
/** A schedule with more turns than this never ends. */
const TURNS = 2000

interface Play {
  readonly clock: SteppingClock
  readonly ledger: Ledger
  readonly wrong: (what: string) => void
  /** Handler runs that have not ended, by key. */
  readonly running: Map<string, Set<{ readonly startedAt: number }>>
  /** The number of successful runs, by key. */
  readonly succeeded: Map<string, number>
  /** The number of runs that took longer than a handler may, by key. Their attempts have failed, even if the run succeeded. */
  readonly overdue: Map<string, number>
}

/** Plays one script in one order. Resolves to the number of store calls. Rejects if an invariant is violated. */
export async function playCore(
  scheduler: fc.Scheduler,
  { copies, endings, steps }: CoreScript,
  makeStore: (clock: SteppingClock) => Store = (clock) => memoryStore({ clock }),
): Promise<number> {
  const faults: string[] = []
  const wrong = (what: string) => void faults.push(what)
  const clock = steppingClock(START)
  const { store, ledger } = bookkeeping(makeStore(clock), clock, wrong)
  const play: Play = { clock, ledger, wrong, running: new Map(), succeeded: new Map(), overdue: new Map() }
  const remaining = [...endings]
  let storeCalls = 0
  const turn = (what: string) => scheduler.schedule(Promise.resolve(), what)
  /** The store starts a call in one turn, and its result arrives in another. */
  const scheduled =
    <Request, Result>(call: string, run: (request: Request) => MaybePromise<Result>) =>
    async (request: Request) => {
      storeCalls++
      await turn(`${call} arrives`)
      const result = await run(request)
      await turn(`${call} returns`)
      return result
    }
  const slow: Store = {
    claim: scheduled('claim', (request) => store.claim(request)),
    renew: scheduled('renew', (request) => store.renew(request)),
    complete: scheduled('complete', (request) => store.complete(request)),
    release: scheduled('release', (request) => store.release(request)),
  }
  const receivers = [0, 1].map(() => {
    const options = { secret: SECRET, store: slow, clock, handlerTimeoutMs: HANDLER_TIMEOUT_MS, onError: () => {} }
    return createReceiver(options).on('qr.scanned', (_, { idempotencyKey, signal }) =>
      runHandler(play, idempotencyKey, remaining.shift() ?? 'succeeds', signal, turn),
    )
  })
  const open = new Set<Promise<void>>()
  for (const { delivery, receiver } of copies) {
    const arrived = turn('a copy arrives').then(() => deliver(receivers[receiver] as Receiver, delivery, play, steps))
    open.add(arrived)
    void arrived.finally(() => open.delete(arrived))
  }
  for (const ms of steps) void turn(`${ms} ms`).then(() => clock.pass(ms))
  await drain(scheduler, clock, () => open.size === 0)
  const closed = Promise.all(receivers.map((receiver) => receiver.close()))
  let isClosed = false
  void closed.then(() => {
    isClosed = true
  })
  await drain(scheduler, clock, () => isClosed)
  if (clock.pending() > 0) wrong(`${clock.pending()} timers are left`)
  judgeEffects(play)
  if (faults.length > 0) throw new Error([...new Set(faults)].join('; '))
  return storeCalls
}

/** Runs everything that can run. If nothing can, fires the next timer. */
async function drain(scheduler: fc.Scheduler, clock: SteppingClock, isFinished: () => boolean): Promise<void> {
  for (let turns = 0; turns < TURNS; turns++) {
    await scheduler.waitIdle()
    if (isFinished()) return
    clock.next()
  }
  throw new Error('the schedule never ends')
}

async function runHandler(
  { clock, ledger, wrong, running, succeeded, overdue }: Play,
  key: string,
  ending: Ending,
  signal: AbortSignal,
  turn: (what: string) => Promise<unknown>,
): Promise<void> {
  const account = ledger.get(key)
  const others = running.get(key) ?? new Set()
  running.set(key, others)
  const isOverdue = (since: number) => clock.now() - since > HANDLER_TIMEOUT_MS - DEADLINE_MS
  if (!account || account.done) wrong(`a handler was called ${account ? 'after completion' : 'without a claim'}`)
  else if (account.holder === undefined || account.leaseUntil <= clock.now())
    wrong('a handler was called without a live claim')
  // Another run that still runs must have lost its claim to this run, or have exceeded its time.
  const inTime = [...others].filter(({ startedAt }) => !isOverdue(startedAt)).length
  if (inTime > (account?.taken ?? 0)) wrong('two handlers of one delivery ran at once')
  const run = { startedAt: clock.now() }
  others.add(run)
  try {
    if (ending === 'never') {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      throw new Error('aborted')
    }
    await turn('a handler ends')
    if (ending === 'fails permanently') throw new PermanentError('no such customer')
    if (ending === 'fails') throw new Error('no database')
    succeeded.set(key, (succeeded.get(key) ?? 0) + 1)
  } finally {
    // The receiver measures from the arrival, which was at most one deadline earlier.
    if (isOverdue(run.startedAt)) overdue.set(key, (overdue.get(key) ?? 0) + 1)
    others.delete(run)
  }
}

async function deliver(receiver: Receiver, delivery: number, play: Play, steps: readonly number[]): Promise<void> {
  const { clock, wrong } = play
  const body = BODIES[delivery] as Buffer
  const startedAt = clock.now()
  const signature = rightHeader(body)
  const outcome = await receiver.receive({
    method: 'POST',
    header: (name) => (name === 'x-govalid-signature' ? signature : undefined),
    body,
  })
  const { status } = toResponse(outcome)
  if (status !== 200 && status !== 500 && status !== 503) wrong(`responded with ${status}`)
  // A step of time is taken at once, and its timers fire after it.
  if (clock.now() - startedAt > DEADLINE_MS + steps.reduce((sum, ms) => sum + ms, 0)) wrong('responded late')
  judgeOutcome(outcome, play)
}

/** Checks that each outcome has its reason. */
function judgeOutcome(outcome: Outcome, { ledger, succeeded, wrong }: Play): void {
  const key = outcome.idempotencyKey ?? ''
  const account = ledger.get(key)
  const successes = succeeded.get(key) ?? 0
  if (outcome.status === 'processed' && successes === 0) wrong('processed, although no handler succeeded')
  if (outcome.status === 'duplicate' && !account?.done) wrong('duplicate of an unfinished delivery')
  if (outcome.status === 'ignored' || outcome.status === 'accepted' || outcome.status === 'refused') {
    wrong(`${outcome.status} can't be the outcome here`)
  }
}

/** Checks the end: each delivery is completed as its outcome said, and no effect happened twice without a lost lease. */
function judgeEffects({ ledger, succeeded, overdue, wrong }: Play): void {
  for (const [key, { done, taken, holder }] of ledger) {
    const times = succeeded.get(key) ?? 0
    const excused = taken + (overdue.get(key) ?? 0)
    if (times > 1 + excused) wrong(`${times} handlers succeeded, but only ${excused} lost their claim or took too long`)
    if (done === 'completed' && times === 0) wrong('completed, although no handler succeeded')
    if (times > 0 && done !== 'completed' && excused === 0)
      wrong(`a handler succeeded, but the delivery is ${done ?? 'unfinished'}`)
    if (holder !== undefined && taken === 0) wrong('a claim is held after closing')
  }
}
