/** Removes the API key and the secret from the text of a server, because a server may echo a request and the echo ends up in an error. */

const REDACTED = '[redacted]'

/** Redacts a text, or every text inside a JSON value, including the field names. */
export type Redact = <Value>(value: Value) => Value

/** Creates a function that redacts these texts in three forms: plain, escaped in JSON, and percent-encoded in a URL. */
export function createRedact(confidential: readonly string[]): Redact {
  const forms = confidential.flatMap((text) => [text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text)])
  const longestFirst = [...new Set(forms)].filter((form) => form !== '').sort((a, b) => b.length - a.length)
  const redactText = (text: string) => longestFirst.reduce((rest, form) => rest.replaceAll(form, REDACTED), text)
  const redact = (value: unknown): unknown => {
    if (typeof value === 'string') return redactText(value)
    if (typeof value === 'number') return redactText(String(value)) === String(value) ? value : REDACTED
    if (Array.isArray(value)) return value.map(redact)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [redactText(name), redact(inner)]))
  }
  return redact as Redact
}
