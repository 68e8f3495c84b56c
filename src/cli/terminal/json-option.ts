/** The `--json` option and its output. */
import type { Command } from 'commander'
import type { Host } from './host.js'

/** Adds `--json` to a command. */
export function takesJson(command: Command): Command {
  return command.option('--json', 'print a single JSON document on standard output')
}

/** Prints a value as JSON. */
export function printJson(host: Host, value: unknown): void {
  host.print(JSON.stringify(value, undefined, 2))
}
