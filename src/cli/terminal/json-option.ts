/** The `--json` option and its output. */
import type { Command } from 'commander'
import type { Host } from './host.js'

/** Adds `--json` to a command. */
export function takesJson(command: Command): Command {
  return command.option('--json', 'print a single JSON document on standard output')
}

/** Prints a value as JSON. */
export function printJson(host: Host, value: unknown): void {
  host.print(toPrintableJson(value, 2))
}

/** Returns JSON in which characters that a terminal executes or hides are escaped. `JSON.stringify` escapes only those below U+0020. */
export function toPrintableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replaceAll(/[\u007f-\u009f\p{Cf}\u2028\u2029]/gu, (character) =>
    Array.from({ length: character.length }, (_, index) => {
      return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`
    }).join(''),
  )
}
