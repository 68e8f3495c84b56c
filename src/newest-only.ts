/**
 * An opt-in wrapper for handlers that must not overwrite newer data. It drops or flags an event that is older than the newest one handled
 * for the same object. GoValid doesn't guarantee an order, and retries, queues and several processes mix it further.
 */
import { systemClock } from './clock.js'
import { WebhookError } from './errors.js'
import { readTimestamp } from './events/timestamp.js'
import type { MaybePromise } from './maybe-promise.js'
import type { DeliveryContext } from './types.js'

/** Remembers the time of the newest handled event of each object. Share it between processes with a table or a Redis hash. */
export interface NewestMemory {
  /** Returns the time of the newest handled event, in epoch milliseconds, or `undefined` if it isn't known. */
  get(object: string): MaybePromise<number | undefined>
  /** Saves a time, unless a newer time is saved already: `UPDATE … SET newest = greatest(newest, $2)`. */
  set(object: string, epochMs: number): MaybePromise<void>
}

/** The options of {@link newestOnly}. */
export interface NewestOnlyOptions<Event> {
  /** Returns the key of the object that an event is about, for example `event.data.qr_id`. Without a key, the event is always handled. */
  readonly keyOf: (event: Event) => string | null | undefined
  /** The memory for the newest times. Default: the 10,000 most recently used objects, in this process only and until it restarts. */
  readonly memory?: NewestMemory | undefined
  /** `'drop'` skips the handler for an older event. `'flag'` calls it with `context.outdated` set. Default: `'drop'`. */
  readonly mode?: 'drop' | 'flag' | undefined
}

const MAX_OBJECTS = 10_000
/** How often a turn shows that its request still runs, in milliseconds. */
const BEAT_MS = 1000
/** A turn that misses this number of beats in a row has ended with its request. */
const MAX_MISSED_BEATS = 2

/**
 * Wraps a handler so that it skips (or flags) an event whose `timestamp` is older than the newest event handled for the same object.
 * A time counts once the handler has succeeded. Events with equal times are handled.
 *
 * One process handles the events of an object one after another. Two processes can still handle two events of an object at the same time,
 * so a write that must never go back also has to compare the times in its own statement.
 *
 * @throws {@link WebhookError} `option_invalid` if `keyOf` isn't a function, `mode` is unknown, or `memory` lacks a method.
 *
 * @example
 * ```ts
 * import { createReceiver, type EventOf, newestOnly } from 'govalid-webhooks'
 *
 * const keyOf = (event: EventOf<'qr.created' | 'qr.transferred'>) => event.data.id
 *
 * createReceiver({ secret: process.env.GOVALID_WEBHOOK_SECRET }).on(
 *   ['qr.created', 'qr.transferred'],
 *   newestOnly({ keyOf }, (event) => console.log('the latest of', event.data.id)),
 * )
 * ```
 */
export function newestOnly<Event extends object, Context extends DeliveryContext>(
  options: NewestOnlyOptions<Event>,
  handler: (event: Event, context: Context & { readonly outdated: boolean }) => unknown,
): (event: Event, context: Context) => Promise<void> {
  const { keyOf, memory = createMemory(), mode = 'drop' } = options
  if (typeof keyOf !== 'function' || typeof handler !== 'function') {
    throw new WebhookError(
      'option_invalid',
      'newestOnly takes ({ keyOf }, handler); keyOf returns the key of an event’s object. See docs/inboxes/README.md.',
    )
  }
  if (typeof memory?.get !== 'function' || typeof memory.set !== 'function') {
    throw new WebhookError(
      'option_invalid',
      'memory must have get(object) and set(object, epochMs). See docs/inboxes/README.md.',
    )
  }
  if (mode !== 'drop' && mode !== 'flag') {
    throw new WebhookError('option_invalid', `mode must be 'drop' or 'flag'. It is ${JSON.stringify(mode)}.`)
  }
  const runInOrder = createOrder()
  const call = (event: Event, context: Context, outdated: boolean) => handler(event, { ...context, outdated })
  return async function handleNewest(event, context) {
    const object = keyOf(event)
    const epochMs = readTimestamp((event as { readonly timestamp?: unknown }).timestamp)?.epochMs
    if (object === undefined || object === null || epochMs === undefined)
      return void (await call(event, context, false))
    await runInOrder(object, context.signal, async () => {
      // The event was abandoned while it waited. GoValid retries it.
      if (context.signal.aborted) throw context.signal.reason
      const newest = (await memory.get(object)) ?? epochMs
      const isOutdated = epochMs < newest
      if (isOutdated && mode === 'drop') return
      await call(event, context, isOutdated)
      if (!isOutdated) await memory.set(object, epochMs)
    })
  }
}

/** The place of one task in the order of its object. */
interface Turn {
  /** Resolves once the task and the tasks before it have settled or were abandoned. */
  over: Promise<void>
  /** Grows while the task's request runs. */
  beats: number
}

/**
 * Runs the tasks of one object one after another. A task that fails or is abandoned (`signal`) doesn't stop the next one. Neither does a
 * task whose request has ended: a Worker then drops its promises and timers without settling them.
 */
function createOrder(): (object: string, signal: AbortSignal, task: () => Promise<void>) => Promise<void> {
  const lastTurns = new Map<string, Turn>()
  return async function runInOrder(object, signal, task) {
    const previous = lastTurns.get(object)
    const turn: Turn = { over: Promise.resolve(), beats: 0 }
    const { silent, stop } = startBeating(turn, previous)
    const start = previous ? Promise.race([previous.over, silent]) : turn.over
    const result = start.then(task)
    const finished = Promise.race([result.catch(() => {}), whenAborted(signal)])
    turn.over = start.then(() => finished)
    lastTurns.set(object, turn)
    void turn.over.then(stop)
    try {
      await result
    } finally {
      if (lastTurns.get(object) === turn) lastTurns.delete(object)
    }
  }
}

/**
 * Beats for a turn, and resolves `silent` if the previous turn has stopped beating. Beats are compared with beats, not with the clock,
 * because a process that was blocked or suspended delays both turns.
 */
function startBeating(turn: Turn, previous: Turn | undefined): { readonly silent: Promise<void>; stop(): void } {
  let resolve = () => {}
  const silent = new Promise<void>((settle) => {
    resolve = settle
  })
  let seen = -1
  let missed = 0
  const beat = () => {
    turn.beats++
    missed = previous?.beats === seen ? missed + 1 : 0
    seen = previous?.beats ?? -1
    if (previous && missed >= MAX_MISSED_BEATS) resolve()
    cancel = systemClock.setTimer(BEAT_MS, beat, { isIdle: true })
  }
  let cancel = systemClock.setTimer(BEAT_MS, beat, { isIdle: true })
  return { silent, stop: () => cancel() }
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
}

/** Creates a memory of the most recently used objects. It evicts the least recently used object. */
function createMemory(): NewestMemory {
  const times = new Map<string, number>()
  return {
    get: (object) => times.get(object),
    set(object, epochMs) {
      const newest = Math.max(epochMs, times.get(object) ?? epochMs)
      times.delete(object)
      times.set(object, newest)
      if (times.size <= MAX_OBJECTS) return
      for (const oldest of times.keys()) return void times.delete(oldest)
    },
  }
}
