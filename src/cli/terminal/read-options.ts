/** Reads the values of options: numbers, addresses, JSON, files. What cannot be read is told with the option's name. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { InvalidArgumentError } from 'commander'
import type { Host } from './host.js'
import { UsageError } from './usage-error.js'

/** Reads a number from `least` to `most`. */
export function numberFrom(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() !== '' && value >= least && value <= most) return value
    throw new InvalidArgumentError(`It must be a number from ${least} to ${most}.`)
  }
}

/** Reads a whole number from `least` to `most`. */
export function wholeFrom(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = numberFrom(least, most)(text)
    if (Number.isInteger(value)) return value
    throw new InvalidArgumentError('It must be a whole number.')
  }
}

/** Reads an http or https address without a user in it. */
export function toUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) throw new InvalidArgumentError('It must be an http or https address.')
  if (url.username !== '' || url.password !== '')
    throw new InvalidArgumentError('It must not hold a user or a password.')
  return url.href
}

/** Adds to a list, for an option that can be given more than once. */
export function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text]
}

/** The bytes of a file, or of standard input for `-`. */
export function readBytes(host: Host, file: string): Uint8Array {
  try {
    return readFileSync(file === '-' ? 0 : resolve(host.cwd, file))
  } catch (error) {
    throw new UsageError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`)
  }
}
