/**
 * An opt-in for handlers that must not go back in time: a delivery that is older than the newest worked for the same object is dropped or
 * flagged. GoValid promises no order, and tries, queues and several workers mix it further.
 */
import { WebhookError } from './errors.js'
import { readTimestamp } from './events/timestamp.js'
import type { MaybePromise } from './maybe-promise.js'
import type { DeliveryContext } from './types.js'

/** Where the time of the newest worked delivery of each object is remembered. */
export interface NewestMemory {
  /** The time of the newest worked, in epoch milliseconds; `undefined` where none is remembered. */
  get(object: string): MaybePromise<number | undefined>
  /** Keeps a time, unless a newer one is kept: `UPDATE … SET newest = greatest(newest, $2)`. */
  set(object: string, epochMs: number): MaybePromise<void>
}

/** What {@link newestOnly} takes. */
export interface NewestOnlyOptions<Event> {
  /** Names the object a delivery is about, such as `event.data.qr_id`; without one it is handled without looking at its time. */
  readonly keyOf: (event: Event) => string | null | undefined
  /** Where newest times are kept. Default: in memory, for the 10,000 objects used last, per process and gone at a restart. */
  readonly memory?: NewestMemory
  /** `'drop'` does not call the handler for what is older; `'flag'` calls it with `context.outdated`. Default: `'drop'`. */
  readonly mode?: 'drop' | 'flag'
}

const REMEMBERED_OBJECTS = 10_000

/**
 * Wraps a handler so that it sees no delivery, or sees it flagged, whose `timestamp` is before that of the newest one it has worked for the
 * same object. A time counts once the handler has succeeded; equal times are worked. In one process the deliveries of one object are
 * handled one after the other; between processes two of them may still be worked at once, so a write that must never go back also
 * compares the times in its own statement.
 *
 * @throws {@link WebhookError} `option_invalid` when `keyOf` is no function, `mode` neither of the two, or `remember` no memory.
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
  const { keyOf, memory: remember = createMemory(), mode = 'drop' } = options
  if (typeof keyOf !== 'function' || typeof handler !== 'function') {
    throw new WebhookError(
      'option_invalid',
      'newestOnly takes ({ keyOf }, handler): keyOf names the object of an event.',
    )
  }
  if (typeof remember?.get !== 'function' || typeof remember.set !== 'function') {
    throw new WebhookError('option_invalid', 'memory must have get(object) and set(object, epochMs).')
  }
  if (mode !== 'drop' && mode !== 'flag') {
    throw new WebhookError('option_invalid', `mode must be 'drop' or 'flag'; it is ${JSON.stringify(mode)}.`)
  }
  const inTurn = createTurns()
  const call = (event: Event, context: Context, outdated: boolean) =>
    handler(event, Object.assign(Object.create(context), { outdated }))
  return async function handleNewest(event, context) {
    const object = keyOf(event)
    const epochMs = readTimestamp((event as { readonly timestamp?: unknown }).timestamp)?.epochMs
    if (object === undefined || object === null || epochMs === undefined)
      return void (await call(event, context, false))
    await inTurn(object, context.signal, async () => {
      // Given up while it waited: the next try works it.
      if (context.signal.aborted) throw context.signal.reason
      const newest = (await remember.get(object)) ?? epochMs
      const isOutdated = epochMs < newest
      if (isOutdated && mode === 'drop') return
      await call(event, context, isOutdated)
      if (!isOutdated) await remember.set(object, epochMs)
    })
  }
}

/** Runs work of one object one after the other; neither a failure nor what was given up (`signal`) stops those behind it. */
function createTurns(): (object: string, signal: AbortSignal, work: () => Promise<void>) => Promise<void> {
  const last = new Map<string, Promise<void>>()
  return async function inTurn(object, signal, work) {
    const before = last.get(object) ?? Promise.resolve()
    const mine = before.then(work)
    const over = Promise.race([mine.catch(() => {}), whenAborted(signal)])
    const turn = before.then(() => over)
    last.set(object, turn)
    try {
      await mine
    } finally {
      if (last.get(object) === turn) last.delete(object)
    }
  }
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
}

/** The objects used last; beyond that the one that was not used for longest is forgotten. */
function createMemory(): NewestMemory {
  const times = new Map<string, number>()
  return {
    get: (object) => times.get(object),
    set(object, epochMs) {
      const newest = Math.max(epochMs, times.get(object) ?? epochMs)
      times.delete(object)
      times.set(object, newest)
      if (times.size <= REMEMBERED_OBJECTS) return
      for (const oldest of times.keys()) return void times.delete(oldest)
    },
  }
}
