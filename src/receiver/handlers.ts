/**
 * The handlers of one receiver: registered by pattern, found by event type. A mistake throws at registration.
 */
import { WebhookError } from '../errors.js'
import { EVENT_TYPES, type EventType, isEventType, matchPattern } from '../events/event-types.js'
import { nearestName } from '../events/nearest-name.js'

/** The options of `on` and `onUnknown`. */
export interface HandlerOptions {
  /**
   * A stable name, unique in this receiver. A named handler is checkpointed: after a partial failure, the retry runs only the handlers
   * that haven't finished.
   */
  readonly name?: string | undefined
}

/** A handler as it was registered. */
export interface RegisteredHandler {
  readonly name: string | undefined
  readonly run: (event: never, context: never) => unknown
}

/** The handlers of one receiver. */
export interface Handlers {
  /**
   * Registers a handler for one or more patterns.
   *
   * @throws {@link WebhookError} `event_type_unknown`, `handler_invalid`, `handler_name_duplicate`, `option_unknown`.
   */
  add(patterns: string | readonly string[], run: unknown, options?: HandlerOptions): void
  /**
   * Registers a handler for events that this version does not know.
   *
   * @throws {@link WebhookError} `handler_invalid`, `handler_name_duplicate`, `option_unknown`.
   */
  addUnknown(run: unknown, options?: HandlerOptions): void
  /** The handlers of an event type, in order of registration. */
  of(type: string): readonly RegisteredHandler[]
}

/** Creates an empty registry. */
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

function suggest(pattern: unknown): string {
  const nearest = typeof pattern === 'string' ? nearestName(pattern, EVENT_TYPES) : undefined
  if (nearest !== undefined) return `Did you mean "${nearest}"?`
  const known = `${EVENT_TYPES.join(', ')}; a namespace such as 'qr.*'; or '*'`
  return `Known: ${known}. For events that this version does not know, use onUnknown.`
}

function readPatterns(patterns: string | readonly string[]): ReadonlySet<EventType> {
  const list: readonly unknown[] = Array.isArray(patterns) ? patterns : [patterns]
  const types = new Set<EventType>()
  for (const pattern of list) {
    const matched = typeof pattern === 'string' ? matchPattern(pattern) : []
    if (matched.length === 0) {
      throw new WebhookError(
        'event_type_unknown',
        `on() must be given a known event, and ${JSON.stringify(pattern)} is none. ${suggest(pattern)}`,
      )
    }
    for (const type of matched) types.add(type)
  }
  if (types.size === 0)
    throw new WebhookError(
      'event_type_unknown',
      `on() must be given at least one event, and the list is empty. ${suggest(undefined)}`,
    )
  return types
}

function readHandler(run: unknown, options: HandlerOptions | undefined, names: Set<string>): RegisteredHandler {
  if (typeof run !== 'function')
    throw new WebhookError('handler_invalid', `A handler must be a function, and is ${typeof run}.`)
  const name = readName(options)
  if (name !== undefined) takeName(name, names)
  return { name, run: run as RegisteredHandler['run'] }
}

function readName(options: unknown): string | undefined {
  if (options === undefined) return undefined
  if (typeof options !== 'object' || options === null) {
    throw new WebhookError(
      'handler_invalid',
      `The third argument must be an options object such as { name: 'count-scans' }, and is ${options === null ? 'null' : typeof options}.`,
    )
  }
  const unknown = Object.keys(options).find((key) => key !== 'name')
  if (unknown !== undefined) {
    throw new WebhookError(
      'option_unknown',
      `A handler has no option ${JSON.stringify(unknown)}. Its only option is "name".`,
    )
  }
  return (options as HandlerOptions).name
}

function takeName(name: unknown, names: Set<string>): void {
  if (typeof name !== 'string' || !/^[\w.:/-]{1,100}$/.test(name)) {
    throw new WebhookError(
      'handler_invalid',
      "A handler's name must be 1 to 100 characters: letters, digits, or _ . : / -",
    )
  }
  if (names.has(name)) {
    throw new WebhookError(
      'handler_name_duplicate',
      `Two handlers are named ${JSON.stringify(name)}. A name is the checkpoint of one handler, so it must be unique.`,
    )
  }
  names.add(name)
}
