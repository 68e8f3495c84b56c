/** The types that a command and the program share. */
import type { Command } from 'commander'
import type { Host } from './host.js'
import type { ExitCode } from './usage-error.js'

/** Adapts an action that resolves to an exit code to the callback that the parser expects. */
export type Act = <Arguments extends readonly unknown[]>(
  action: (...args: Arguments) => Promise<ExitCode>,
) => (...args: Arguments) => Promise<void>

/** Registers a command with the program. */
export type AddCommand = (program: Command, host: Host, act: Act) => void
