/** The endpoints of GoValid's API: their types, and the checks in both directions. Source: govalid docs: API reference, webhooks. */
import { improbableSecret } from '../crypto/secrets.js'
import { WebhookError } from '../errors.js'
import type { EventType } from '../events/event-types.js'
import { isObject } from '../events/shapes.js'

/**
 * A webhook that is registered with GoValid. Fields keep the API's names. A field that the response lacks is absent, and undocumented fields
 * are kept, except fields that contain a secret.
 */
export interface Endpoint {
  /** The id, which is also the `webhook_id` of every delivery to this endpoint. */
  readonly id: string
  /** The URL that GoValid sends deliveries to. */
  readonly url?: string
  /** The events that GoValid sends to this endpoint. */
  readonly events?: readonly string[]
  /** Whether GoValid sends deliveries. GoValid sets it to `false` after five failed attempts. A person or `client.enable()` sets it back. */
  readonly active?: boolean
  /** The time of the registration, ISO 8601. */
  readonly created_at?: string
  /** The time of the last delivery, ISO 8601. */
  readonly last_triggered?: string | null
  /** The number of successful deliveries. */
  readonly success_count?: number
  /** The number of failed deliveries. */
  readonly failure_count?: number
  /** Any other field of the response. */
  readonly [field: string]: unknown
}

/** The name of an event: a known name, or a name that is newer than this version. */
export type EventName = EventType | (string & Record<never, never>)

/** The fields of a new endpoint. */
export interface NewEndpoint {
  /** The https URL to send deliveries to. */
  readonly url: string
  /** The events to send, at least one. */
  readonly events: readonly EventName[]
  /** The secret to sign deliveries with. You choose it: use at least 32 random bytes. GoValid never shows it again. */
  readonly secret: string
  /** A description for people. */
  readonly description?: string | undefined
  /** Whether to send deliveries. Default: `true`. */
  readonly active?: boolean | undefined
}

/** The fields of an endpoint to update. */
export type EndpointChanges = { readonly [Name in keyof NewEndpoint]?: NewEndpoint[Name] | undefined }

/** Reads an endpoint from a response; `undefined` if the value has no id. A field of another type than documented is left out. */
export function readEndpoint(value: unknown): Endpoint | undefined {
  if (!isObject(value)) return undefined
  const { id } = value
  if (typeof id !== 'string' && typeof id !== 'number') return undefined
  const fields = Object.entries(value).filter(([name, field]) => IS_DOCUMENTED[name]?.(field) ?? true)
  return { ...Object.fromEntries(fields), id: String(id) }
}

const isText = (value: unknown) => typeof value === 'string'
const isCount = (value: unknown) => typeof value === 'number'

/** Whether a documented field has the documented type. Undocumented fields may have any type. */
const IS_DOCUMENTED: { readonly [name: string]: ((value: unknown) => boolean) | undefined } = {
  url: isText,
  events: (value) => Array.isArray(value) && value.every(isText),
  active: (value) => typeof value === 'boolean',
  created_at: isText,
  last_triggered: (value) => value === null || isText(value),
  success_count: isCount,
  failure_count: isCount,
}

/**
 * Checks the fields of an endpoint before they are sent. The error names the fix, but never the given value.
 *
 * @throws WebhookError `option_invalid`, `secret_blank`.
 */
export function checkChanges(changes: EndpointChanges): void {
  const { url, events, secret } = changes
  if (url !== undefined && !isHttps(url))
    throw new WebhookError('option_invalid', 'url must be an https URL. GoValid accepts no other.')
  if (events !== undefined && !(Array.isArray(events) && events.length > 0 && events.every(isName))) {
    throw new WebhookError(
      'option_invalid',
      'events must be an array with at least one event name. See docs/reference/events.md for the names.',
    )
  }
  if (secret !== undefined && (typeof secret !== 'string' || secret.trim() === '')) {
    throw new WebhookError(
      'secret_blank',
      'secret is blank. Generate one with at least 32 random bytes. See docs/how-to/rotate-secrets.md.',
    )
  }
  const problem = secret === undefined ? undefined : improbableSecret(secret)
  if (problem !== undefined) {
    throw new WebhookError(
      'option_invalid',
      `secret is ${problem}. Generate one with at least 32 random bytes. See docs/how-to/rotate-secrets.md.`,
    )
  }
  if (secret !== undefined && /\p{Cs}/u.test(secret)) {
    throw new WebhookError(
      'option_invalid',
      'secret contains a lone surrogate (half a character), which UTF-8 cannot encode. Generate another secret. See docs/how-to/rotate-secrets.md.',
    )
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
