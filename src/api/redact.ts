/** Takes the API key and secrets out of what a server answers: a server may send back what it was sent, and it ends up in an error. */

const REDACTED = '[redacted]'

/** Redacts text, and every text inside a JSON value, names of members included. */
export type Redact = <Value>(value: Value) => Value

/** Makes a function that redacts these texts, as they are and as JSON or a URL would write them. */
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
