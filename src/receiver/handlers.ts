/**
 * The handlers of one receiver: registered by pattern, found by event type. Misuse throws when it is made.
 */
import type { RegisteredHandler } from '../delivery/dispatch.js'
import { WebhookError } from '../errors.js'
import { EVENT_TYPES, type EventType, isEventType, matchPattern } from '../events/event-types.js'

/** What `on` takes beside the handler. */
export interface HandlerOptions {
  /**
   * A stable name, unique in this receiver. A named handler is checkpointed: after a partial failure the retry runs only the handlers
   * that are not done.
   */
  readonly name?: string
}

/** The handlers of one receiver. */
export interface Handlers {
  /**
   * Registers a handler for one pattern or several.
   *
   * @throws {@link WebhookError} `event_type_unknown`, `handler_invalid`, `handler_name_duplicate`.
   */
  add(patterns: string | readonly string[], run: unknown, options?: HandlerOptions): void
  /**
   * Registers a handler for events that this version does not know.
   *
   * @throws {@link WebhookError} `handler_invalid`, `handler_name_duplicate`.
   */
  addUnknown(run: unknown, options?: HandlerOptions): void
  /** The handlers of an event type, in order of registration. */
  of(type: string): readonly RegisteredHandler[]
}

/** Makes an empty registry. */
export function createHandlers(): Handlers {
  const known = new Map<EventType, RegisteredHandler[]>()
  const unknown: RegisteredHandler[] = []
  const names = new Set<string>()
  return {
    add(patterns, run, options) {
      const types = readPatterns(patterns)
      const handler = readHandler(run, options, names)
      for (const type of types) known.set(type, [...(known.get(type) ?? []), handler])
    },
    addUnknown(run, options) {
      unknown.push(readHandler(run, options, names))
    },
    of: (type) => (isEventType(type) ? (known.get(type) ?? []) : unknown),
  }
}

const known = () =>
  `Known: ${EVENT_TYPES.join(', ')}; a namespace such as 'qr.*'; or '*'. For events this version does not know use onUnknown.`

function readPatterns(patterns: string | readonly string[]): ReadonlySet<EventType> {
  const list: readonly unknown[] = Array.isArray(patterns) ? patterns : [patterns]
  const types = new Set<EventType>()
  for (const pattern of list) {
    const matched = typeof pattern === 'string' ? matchPattern(pattern) : []
    if (matched.length === 0) {
      throw new WebhookError('event_type_unknown', `No known event matches ${JSON.stringify(pattern)}. ${known()}`)
    }
    for (const type of matched) types.add(type)
  }
  if (types.size === 0) throw new WebhookError('event_type_unknown', `No event matches an empty list. ${known()}`)
  return types
}

function readHandler(run: unknown, options: HandlerOptions | undefined, names: Set<string>): RegisteredHandler {
  if (typeof run !== 'function')
    throw new WebhookError('handler_invalid', `A handler must be a function, not ${typeof run}.`)
  const name = options?.name
  if (name !== undefined) takeName(name, names)
  return { name, run: run as RegisteredHandler['run'] }
}

function takeName(name: unknown, names: Set<string>): void {
  if (typeof name !== 'string' || !/^[\w.:/-]{1,100}$/.test(name)) {
    throw new WebhookError('handler_invalid', "A handler's name is 1 to 100 letters, digits, or any of _ . : / -")
  }
  if (names.has(name)) {
    throw new WebhookError(
      'handler_name_duplicate',
      `Two handlers are named ${JSON.stringify(name)}; a name marks one handler as done.`,
    )
  }
  names.add(name)
}
