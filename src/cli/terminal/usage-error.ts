/** The exit codes of the command line, and the error that says it was used in a way it cannot be. */

/** How a command can end. */
export const EXIT = {
  /** It did what it was asked, and found nothing wrong. */
  ok: 0,
  /** It did what it was asked, and the answer is no: a check failed, a delivery was not taken, the API refused. */
  no: 1,
  /** It could not be done as it was asked. */
  usage: 2,
} as const

/** An exit code. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Wrong use of the command line: the message is printed, and the exit code is 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}
