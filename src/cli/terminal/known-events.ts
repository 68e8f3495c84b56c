/** Checks event names on the command line and suggests the nearest name for a misspelled one. */
import { EVENT_TYPES, isEventType } from '../../events/event-types.js'
import { nearestName } from '../../events/nearest-name.js'
import { plain } from './paint.js'
import { UsageError } from './usage-error.js'

/**
 * Requires every name to be an event that this version knows.
 *
 * @param fix - One more sentence for the message, such as an option that accepts the name.
 * @throws UsageError for the first unknown name.
 */
export function requireKnownEvents(names: readonly string[], fix?: string): void {
  const unknown = names.find((name) => !isEventType(name))
  if (unknown === undefined) return
  const sentences = [`Unknown event "${plain(unknown)}".`, suggestEvent(unknown), ...(fix === undefined ? [] : [fix])]
  throw new UsageError(sentences.join(' '))
}

/** Suggests the nearest event name, or lists all of them. */
export function suggestEvent(name: string): string {
  const nearest = nearestName(name, EVENT_TYPES)
  return nearest === undefined ? `Known events: ${EVENT_TYPES.join(', ')}.` : `Did you mean "${nearest}"?`
}
