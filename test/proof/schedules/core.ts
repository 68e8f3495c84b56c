// Plays schedules on the core: two receivers on one store get copies of two deliveries; when each arrives, when the store takes and answers
// each call, when each handler ends and when time goes by is fast-check's choice. What must hold is checked while it happens.
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

/** How a handler's run ends. */
type Ending = 'well' | 'fails' | 'fails for good' | 'never'

/** What is played; the order is the scheduler's. */
export interface CoreScript {
  /** Which of the two deliveries each copy is, and which receiver gets it. */
  readonly copies: readonly { readonly delivery: number; readonly receiver: number }[]
  /** How the runs of handlers end, one after the other; the later ones end well. */
  readonly endings: readonly Ending[]
  /** How long the steps of time are, in milliseconds. */
  readonly steps: readonly number[]
}

/** Scripts. */
export const CORE_SCRIPTS: fc.Arbitrary<CoreScript> = fc.record({
  copies: fc.array(fc.record({ delivery: fc.nat(1), receiver: fc.nat(1) }), { minLength: 1, maxLength: 6 }),
  endings: fc.array(fc.constantFrom<Ending>('well', 'well', 'fails', 'fails for good', 'never'), { maxLength: 4 }),
  steps: fc.array(fc.constantFrom(5, 200, 1000, 4500, 10_000, 56_000), { maxLength: 8 }),
})

const START = Date.parse('2026-01-29T12:00:00Z')
const BODIES = [1, 2].map((scan_count) =>
  Buffer.from(JSON.stringify({ event: 'qr.scanned', timestamp: new Date(START).toISOString(), data: { scan_count } })),
)
const DEADLINE_MS = 4600
const HANDLER_TIMEOUT_MS = 120_000
/** A schedule that takes more turns than this does not end. */
const TURNS = 2000

interface Play {
  readonly clock: SteppingClock
  readonly ledger: Ledger
  readonly wrong: (what: string) => void
  /** Runs of handlers that have not ended, by key. */
  readonly running: Map<string, Set<{ readonly startedAt: number }>>
  /** Runs that ended well, by key. */
  readonly well: Map<string, number>
  /** Runs that took longer than a handler may: their tries have failed, however they ended. */
  readonly overdue: Map<string, number>
}

/** Plays one script in one order; throws where something is not as it must be. Gives back how many store calls were scheduled. */
export async function playCore(
  scheduler: fc.Scheduler,
  { copies, endings, steps }: CoreScript,
  makeStore: (clock: SteppingClock) => Store = (clock) => memoryStore({ clock }),
): Promise<number> {
  const faults: string[] = []
  const wrong = (what: string) => void faults.push(what)
  const clock = steppingClock(START)
  const { store, ledger } = bookkeeping(makeStore(clock), clock, wrong)
  const play: Play = { clock, ledger, wrong, running: new Map(), well: new Map(), overdue: new Map() }
  const left = [...endings]
  let storeCalls = 0
  const turn = (what: string) => scheduler.schedule(Promise.resolve(), what)
  /** The store takes a call when it is its turn, and the answer arrives when it is the answer's. */
  const scheduled =
    <Request, WebhookResponse>(call: string, work: (request: Request) => MaybePromise<WebhookResponse>) =>
    async (request: Request) => {
      storeCalls++
      await turn(`${call} arrives`)
      const response = await work(request)
      await turn(`${call} is answered`)
      return response
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
      runHandler(play, idempotencyKey, left.shift() ?? 'well', signal, turn),
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

/** Lets everything happen that can; where nothing can, the next timer fires. */
async function drain(scheduler: fc.Scheduler, clock: SteppingClock, isOver: () => boolean): Promise<void> {
  for (let turns = 0; turns < TURNS; turns++) {
    await scheduler.waitIdle()
    if (isOver()) return
    clock.next()
  }
  throw new Error('it does not end')
}

async function runHandler(
  { clock, ledger, wrong, running, well, overdue }: Play,
  key: string,
  ending: Ending,
  signal: AbortSignal,
  turn: (what: string) => Promise<unknown>,
): Promise<void> {
  const account = ledger.get(key)
  const others = running.get(key) ?? new Set()
  running.set(key, others)
  const isOverdue = (since: number) => clock.now() - since > HANDLER_TIMEOUT_MS - DEADLINE_MS
  if (!account || account.done) wrong(`a handler was called ${account ? 'after done' : 'without a claim'}`)
  else if (account.holder === undefined || account.leaseUntil <= clock.now())
    wrong('a handler was called without a live claim')
  // Another that still runs must have lost its claim to this one, or have taken longer than it may.
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
    if (ending === 'fails for good') throw new PermanentError('no such customer')
    if (ending === 'fails') throw new Error('no database')
    well.set(key, (well.get(key) ?? 0) + 1)
  } finally {
    // The receiver's time runs from the arrival, which was a deadline earlier at most.
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
  if (status !== 200 && status !== 500 && status !== 503) wrong(`answered ${status}`)
  // A step of time is taken at once, and what it brings about comes after it.
  if (clock.now() - startedAt > DEADLINE_MS + steps.reduce((sum, ms) => sum + ms, 0)) wrong('answered late')
  judgeOutcome(outcome, play)
}

/** Each answer only for its reason. */
function judgeOutcome(outcome: Outcome, { ledger, well, wrong }: Play): void {
  const key = outcome.idempotencyKey ?? ''
  const account = ledger.get(key)
  const endedWell = well.get(key) ?? 0
  if (outcome.status === 'processed' && endedWell === 0) wrong('processed, and no handler ended well')
  if (outcome.status === 'duplicate' && !account?.done) wrong('duplicate of what is not done')
  if (outcome.status === 'ignored' || outcome.status === 'accepted' || outcome.status === 'refused') {
    wrong(`${outcome.status} is no answer here`)
  }
}

/** Once everything has ended: done as it was answered, and no effect twice that no lost lease explains. */
function judgeEffects({ ledger, well, overdue, wrong }: Play): void {
  for (const [key, { done, taken, holder }] of ledger) {
    const times = well.get(key) ?? 0
    const excused = taken + (overdue.get(key) ?? 0)
    if (times > 1 + excused) wrong(`${times} handlers ended well, and ${excused} lost their claim or took too long`)
    if (done === 'completed' && times === 0) wrong('completed, and no handler ended well')
    if (times > 0 && done !== 'completed' && excused === 0)
      wrong(`a handler ended well, and it is ${done ?? 'not done'}`)
    if (holder !== undefined && taken === 0) wrong('a claim is held after closing')
  }
}
