/** Parsers for option values: numbers, URLs, lists and files. An invalid value is reported together with its option. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { InvalidArgumentError } from 'commander'
import type { Host } from './host.js'
import { plain } from './paint.js'
import { UsageError } from './usage-error.js'

/** Parses a number from `min` to `max`. */
export function numberFrom(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() !== '' && value >= min && value <= max) return value
    throw new InvalidArgumentError(`Expected a number from ${min} to ${max}.`)
  }
}

/** Parses a whole number from `min` to `max`. */
export function wholeFrom(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = numberFrom(min, max)(text)
    if (Number.isInteger(value)) return value
    throw new InvalidArgumentError('Expected a whole number.')
  }
}

/** Parses an http or https URL without credentials. */
export function toUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new InvalidArgumentError('Expected an http or https URL, such as http://localhost:3000/webhooks/govalid.')
  }
  if (url.username !== '' || url.password !== '') {
    throw new InvalidArgumentError('The URL must not contain a user name or a password.')
  }
  return url.href
}

/** Collects the values of an option that can be repeated. */
export function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text]
}

/** Reads the bytes of a file, or of standard input for `-`. */
export function readBytes(host: Host, file: string): Uint8Array {
  try {
    return readFileSync(file === '-' ? 0 : resolve(host.cwd, file))
  } catch (error) {
    throw new UsageError(`Can't read ${plain(file)} (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`)
  }
}
