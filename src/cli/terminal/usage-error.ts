/** The exit codes of the command line, and the error for invalid usage. */

/** The exit codes. */
export const EXIT = {
  /** The command ran and found no problem. */
  ok: 0,
  /** The command ran and found a problem: a check or a delivery failed, or the API returned an error. */
  failed: 1,
  /** Invalid usage: the command didn't run. */
  usage: 2,
} as const

/** An exit code. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Invalid usage of the command line. The program prints the message and exits with 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}
