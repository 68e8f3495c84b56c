/** Searches for secrets in every form that a log, a debugger, a serializer or an error report can print of a value. */
import { inspect } from 'node:util'

/** A place where a secret was found. */
export interface Leak {
  readonly where: string
  /** The encoding of the secret. */
  readonly form: string
}

/** A search for secrets. */
export interface Search {
  /** Searches a value that left the SDK. `where` names its origin. */
  look(where: string, value: unknown): void
  /** The leaks, each place and encoding once. */
  leaks(): readonly Leak[]
  /** The number of searched values. */
  looked(): number
}

/** A secret in all encodings, each with its name. */
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
    // The last characters are left out, because they depend on the following bytes.
    ['in base64', bytes.toString('base64').slice(0, Math.floor(bytes.length / 3) * 4)],
    ['in base64url', bytes.toString('base64url').slice(0, Math.floor(bytes.length / 3) * 4)],
    ['in a URL', encodeURIComponent(secret)],
    ['in a form', new URLSearchParams({ a: secret }).toString().slice(2)],
    ['as bytes', [...bytes].join(',')],
    ['as inspected bytes', [...bytes].join(', ')],
  ]
}

/** Makes a search for several secrets. */
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

/** A value in every printable form, in one text. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  const all = {
    depth: Number.POSITIVE_INFINITY,
    showHidden: true,
    maxStringLength: null,
    maxArrayLength: null,
  } as const
  const deep = inspect(value, { ...all, breakLength: Number.POSITIVE_INFINITY })
  return [deep, serialized(value), ...errorTexts(value, 0)].join('\n')
}

function serialized(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    // A cycle or a bigint can't be serialized, but it is still inspected.
    return ''
  }
}

const MAX_DEPTH = 5

/** The parts of an error that `inspect` may omit: its message, its stack and its causes. */
function errorTexts(value: unknown, depth: number): string[] {
  if (!(value instanceof Error) || depth > MAX_DEPTH) return []
  return [value.message, String(value), value.stack ?? '', ...errorTexts(value.cause, depth + 1)]
}
