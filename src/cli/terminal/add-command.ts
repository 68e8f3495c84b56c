/** What a command is made of. */
import type { Command } from 'commander'
import type { Host } from './host.js'
import type { ExitCode } from './usage-error.js'

/** Turns an action that resolves to an exit code into what the parser calls. */
export type Act = <Arguments extends readonly unknown[]>(
  action: (...given: Arguments) => Promise<ExitCode>,
) => (...given: Arguments) => Promise<void>

/** Adds a command to the program. */
export type AddCommand = (program: Command, host: Host, act: Act) => void
