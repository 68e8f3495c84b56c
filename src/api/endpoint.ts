/** An endpoint as GoValid's API tells of it and takes it. Source: govalid docs, API reference, webhooks. */
import { WebhookError } from '../errors.js'
import type { EventType } from '../events/event-types.js'
import { isObject } from '../events/shapes.js'

/** A webhook as it is registered with GoValid. Names are those of the API; members nobody documented are kept. */
export interface Endpoint {
  /** Its id; the `webhook_id` of every delivery to it. */
  readonly id: string
  /** Where GoValid sends. */
  readonly url: string
  /** The events it is sent. */
  readonly events: readonly string[]
  /** Whether it is sent anything. GoValid sets it to `false` after five failed tries; only a person or {@link ApiClient.enable} sets it back. */
  readonly active: boolean
  /** ISO 8601. */
  readonly created_at?: string
  /** When it was last sent something; ISO 8601. */
  readonly last_triggered?: string | null
  /** How many deliveries it has answered. */
  readonly success_count?: number
  /** How many it has not. */
  readonly failure_count?: number
  /** Any other member, as answered. */
  readonly [field: string]: unknown
}

/** The name of an event: a known one, or one that is newer than this version. */
export type EventName = EventType | (string & Record<never, never>)

/** What a new endpoint is made of. */
export interface NewEndpoint {
  /** Where GoValid is to send; https. */
  readonly url: string
  /** The events it is to be sent, at least one. */
  readonly events: readonly EventName[]
  /** The secret deliveries are signed with, chosen by you: use 32 random bytes or more. GoValid never shows it again. */
  readonly secret: string
  /** A note for people. */
  readonly description?: string
  /** Default: `true`. */
  readonly active?: boolean
}

/** What of an endpoint is to change. */
export type EndpointChanges = { readonly [Name in keyof NewEndpoint]?: NewEndpoint[Name] }

/** Reads an endpoint; `undefined` when it is none. */
export function readEndpoint(value: unknown): Endpoint | undefined {
  if (!isObject(value)) return undefined
  const { id, url, events, active } = value
  const isEndpoint =
    (typeof id === 'string' || typeof id === 'number') &&
    typeof url === 'string' &&
    Array.isArray(events) &&
    events.every((name) => typeof name === 'string') &&
    typeof active === 'boolean'
  return isEndpoint ? ({ ...value, id: String(id) } as Endpoint) : undefined
}

/**
 * Checks what is sent before it is sent: the cure is told at once, and without what was given.
 *
 * @throws WebhookError `option_invalid`, `secret_blank`.
 */
export function checkChanges(changes: EndpointChanges): void {
  const { url, events, secret } = changes
  if (url !== undefined && !isHttps(url))
    throw new WebhookError('option_invalid', 'url must be an https address; GoValid takes no other.')
  if (events !== undefined && !(Array.isArray(events) && events.length > 0 && events.every(isName))) {
    throw new WebhookError('option_invalid', 'events must be a list with at least one event name.')
  }
  if (secret !== undefined && (typeof secret !== 'string' || secret.trim() === '')) {
    throw new WebhookError('secret_blank', 'secret is blank. Make one of at least 32 random bytes, and keep it.')
  }
  if (secret !== undefined && /\p{Cs}/u.test(secret)) {
    throw new WebhookError('option_invalid', 'secret holds half a character, which UTF-8 cannot carry. Make another.')
  }
}

function isName(name: unknown): boolean {
  return typeof name === 'string' && name.trim() !== ''
}

function isHttps(url: unknown): boolean {
  try {
    return new URL(String(url)).protocol === 'https:'
  } catch {
    return false
  }
}
