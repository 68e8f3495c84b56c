/**
 * The secrets that a receiver verifies with: a value that is checked at creation, or a function that is called on the first delivery. A
 * missing or blank secret is refused explicitly, because `node:crypto` accepts an empty key.
 */
import { WebhookError } from '../errors.js'
import { encodeUtf8, isBytes } from './encoding.js'
import type { HmacKey } from './hmac.js'
import { createHmacKey } from './hmac.js'

/** A webhook secret: text (its UTF-8 bytes are the key) or bytes. `undefined` is allowed by the type and refused at creation. */
export type Secret = string | Uint8Array | undefined

/** One secret, several (while you rotate one), or a function that returns them: on the first delivery, and after a rotation. */
export type SecretSource =
  | Secret
  | readonly Secret[]
  | (() => Secret | readonly Secret[] | Promise<Secret | readonly Secret[]>)

/** The secrets in use, in the order they were configured. */
export interface SecretKeys {
  readonly keys: readonly HmacKey[]
  /** What looks wrong with a secret, for the log if no signature matches. Never the secret itself. */
  readonly hint: string | undefined
}

const FIX = 'Set it to the secret entered in GoValid under Account > Webhooks, for example in GOVALID_WEBHOOK_SECRET.'

const JSON_OBJECT = 'a JSON object'

/**
 * Creates keys from the configured secrets.
 *
 * @throws {@link WebhookError} `secret_missing` if there is no secret or one of a list is undefined; `secret_blank` if one is empty or only
 * white space; `option_invalid` if one is neither a string nor bytes.
 */
export function createSecretKeys(secrets: Secret | readonly Secret[]): SecretKeys {
  const list = Array.isArray(secrets) ? [...(secrets as readonly Secret[])] : [secrets as Secret]
  if (list.length === 0) throw new WebhookError('secret_missing', `The list of secrets is empty. ${FIX}`)
  const bytes = list.map((secret, index) => readSecret(secret, list.length > 1 ? `secret[${index}]` : 'secret'))
  return { keys: bytes.map(createHmacKey), hint: findHint(list) }
}

function readSecret(secret: unknown, name: string): Uint8Array {
  if (secret === undefined || secret === null) throw new WebhookError('secret_missing', `${name} is ${secret}. ${FIX}`)
  if (typeof secret === 'string') {
    if (secret.trim() === '') throw new WebhookError('secret_blank', `${name} is blank. ${FIX}`)
    refuseImprobable(secret, name)
    return encodeUtf8(secret)
  }
  if (!isBytes(secret)) {
    throw new WebhookError(
      'option_invalid',
      `${name} must be a string or a Uint8Array, and is ${describe(secret)}. ${FIX}`,
    )
  }
  if (secret.byteLength === 0) throw new WebhookError('secret_blank', `${name} has no bytes. ${FIX}`)
  return new Uint8Array(secret)
}

function refuseImprobable(secret: string, name: string): void {
  const problem = improbableSecret(secret)
  if (problem === undefined) return
  const fix = 'If a secrets manager returned it, pass one field: JSON.parse(value).GOVALID_WEBHOOK_SECRET. '
  const hint = problem === JSON_OBJECT ? fix : ''
  throw new WebhookError('option_invalid', `${name} must be the secret alone, and is ${problem}. ${hint}${FIX}`)
}

/** Describes a text that a mistake in the configuration produced and that no person chooses as a secret; `undefined` for any other text. */
export function improbableSecret(secret: string): string | undefined {
  const text = secret.trim()
  if (['undefined', 'null', '[object Object]', '[object Promise]'].includes(text)) return `the text "${text}"`
  return isJsonObject(text) ? JSON_OBJECT : undefined
}

function isJsonObject(text: string): boolean {
  if (!text.startsWith('{')) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function describe(secret: unknown): string {
  const hasGet = typeof (secret as { readonly get?: unknown }).get === 'function'
  return hasGet ? 'an object with get(), such as a Secrets Store binding: pass () => env.STORED.get()' : typeof secret
}

function findHint(secrets: readonly Secret[]): string | undefined {
  const texts = secrets.filter((secret) => typeof secret === 'string')
  if (texts.some((text) => text !== text.trim())) return 'A configured secret starts or ends with white space.'
  if (texts.some((text) => /^(["']).*\1$/s.test(text))) return 'A configured secret is wrapped in quotes.'
  return undefined
}
