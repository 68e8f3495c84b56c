/** The option `--json`, and how it prints. */
import type { Command } from 'commander'
import type { Host } from './host.js'

/** Gives a command the option. */
export function takesJson(command: Command): Command {
  return command.option('--json', 'print one JSON document on standard output, and nothing else there')
}

/** Prints a value as JSON. */
export function printJson(host: Host, value: unknown): void {
  host.print(JSON.stringify(value, undefined, 2))
}
