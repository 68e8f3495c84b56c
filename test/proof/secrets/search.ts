/** Looks for secrets in everything that a value can be turned into: by a log, a debugger, a serialiser, an error report. */
import { inspect } from 'node:util'

/** A place where a secret was found. */
export interface Leak {
  readonly where: string
  /** How it was written there. */
  readonly form: string
}

/** Looks, and remembers. */
export interface Search {
  /** Looks at a value that left the SDK; `where` says from where. */
  look(where: string, value: unknown): void
  /** What was found; each place and form once. */
  leaks(): readonly Leak[]
  /** How many values were looked at. */
  looked(): number
}

/** The ways in which a secret may be written, each with the name of that way. */
export function formsOf(secret: string): readonly (readonly [form: string, text: string])[] {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  return [
    ['as it is', secret],
    ['in JSON', JSON.stringify(secret).slice(1, -1)],
    ['in JSON, twice', JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1)],
    ['as a string that is inspected', inspect(secret).slice(1, -1)],
    ['in hex', hex],
    ['in upper-case hex', hex.toUpperCase()],
    ['as an inspected Buffer', hex.replaceAll(/..(?=.)/g, '$& ')],
    // Without the last characters: they depend on what follows.
    ['in base64', bytes.toString('base64').slice(0, Math.floor(bytes.length / 3) * 4)],
    ['in base64url', bytes.toString('base64url').slice(0, Math.floor(bytes.length / 3) * 4)],
    ['in a URL', encodeURIComponent(secret)],
    ['in a form', new URLSearchParams({ a: secret }).toString().slice(2)],
    ['as bytes', [...bytes].join(',')],
    ['as inspected bytes', [...bytes].join(', ')],
  ]
}

/** Looks for all of these secrets. */
export function createSearch(secrets: readonly string[]): Search {
  const forms = secrets.flatMap(formsOf)
  const found = new Map<string, Leak>()
  let looked = 0
  return {
    look(where, value) {
      looked++
      const text = textOf(value)
      for (const [form, written] of forms) {
        if (text.includes(written)) found.set(`${where} ${form}`, { where, form })
      }
    },
    leaks: () => [...found.values()],
    looked: () => looked,
  }
}

/** Everything that a value can be turned into, in one text. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  const all = {
    depth: Number.POSITIVE_INFINITY,
    showHidden: true,
    maxStringLength: null,
    maxArrayLength: null,
  } as const
  const deep = inspect(value, { ...all, breakLength: Number.POSITIVE_INFINITY })
  return [deep, serialised(value), ...errorTexts(value, 0)].join('\n')
}

function serialised(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    // A cycle, or a number that JSON does not know: inspected all the same.
    return ''
  }
}

const DEEPEST = 5

/** What `inspect` may leave out of an error: its message apart from its stack, and what it came of. */
function errorTexts(value: unknown, depth: number): string[] {
  if (!(value instanceof Error) || depth > DEEPEST) return []
  return [value.message, String(value), value.stack ?? '', ...errorTexts(value.cause, depth + 1)]
}
