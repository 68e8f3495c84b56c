/** Removes API keys and webhook secrets from everything that a server returns, because it may echo a request or show a stored secret. */
import { echoPatterns } from './echo-patterns.js'

const REDACTED = '[redacted]'
/** JSON that is nested deeper isn't kept. No documented response has more than four levels. */
const MAX_DEPTH = 64

/** Redacts a text, or every text inside a JSON value, including the field names. */
export type Redact = <Value>(value: Value) => Value

/** Creates a function that redacts these texts in every plausible encoding. */
export function createRedact(confidential: readonly string[]): Redact {
  const patterns = [...new Set(confidential)].flatMap(echoPatterns)
  const redactText = (text: string) => patterns.reduce((rest, pattern) => rest.replaceAll(pattern, REDACTED), text)
  const redact = (value: unknown, depth: number): unknown => {
    if (typeof value === 'string') return redactText(value)
    if (typeof value === 'number') return redactText(String(value)) === String(value) ? value : REDACTED
    if (typeof value !== 'object' || value === null) return value
    if (depth > MAX_DEPTH) return REDACTED
    if (Array.isArray(value)) return value.map((inner) => redact(inner, depth + 1))
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [redactText(name), redact(inner, depth + 1)]),
    )
  }
  return ((value: unknown) => redact(value, 0)) as Redact
}

const SECRET_NAME = /secret|password|credential|authorization|token|hmac|key$/i
/** A shorter value, such as `***`, would also be found in unrelated text. */
const MIN_SECRET_LENGTH = 6

/**
 * Removes the fields that are named like a secret, and redacts their values in the rest. The secret of a listed endpoint isn't known to the
 * client. `isSecret` tells a secret from a message about the field.
 */
export function withoutSecretFields<Value>(value: Value, isSecret: (text: string) => boolean = () => true): Value {
  const secrets: string[] = []
  const remove = (inner: unknown, depth: number): unknown => {
    if (typeof inner !== 'object' || inner === null) return inner
    if (depth > MAX_DEPTH) return REDACTED
    if (Array.isArray(inner)) return inner.map((item) => remove(item, depth + 1))
    const kept: [string, unknown][] = []
    for (const [name, item] of Object.entries(inner)) {
      const found = SECRET_NAME.test(name) ? textsIn(item, depth + 1).filter(isSecret) : []
      if (found.length === 0) kept.push([name, remove(item, depth + 1)])
      else secrets.push(...found)
    }
    return Object.fromEntries(kept)
  }
  const rest = remove(value, 0)
  const texts = secrets.filter((secret) => secret.trim().length >= MIN_SECRET_LENGTH)
  return (texts.length === 0 ? rest : createRedact(texts)(rest)) as Value
}

/** Returns every text and number in a JSON value. */
function textsIn(value: unknown, depth: number): readonly string[] {
  if (typeof value === 'string' || typeof value === 'number') return [String(value)]
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return []
  return Object.values(value).flatMap((inner) => textsIn(inner, depth + 1))
}
