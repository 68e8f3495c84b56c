/** Repeats calls of pg-boss after a failover. pg-boss closes the connection of a failed statement, so the next call gets another one. */
import { type Clock, monotonicMs } from '../../clock.js'
import { codeOf } from '../../stores/postgres/server-errors.js'

/** As long as a delivery may wait for its inbox, in milliseconds. */
const REPEAT_FOR_MS = 4000
/** The pool may hold several connections to the wrong server. Repeat immediately until they have all been closed. */
const IMMEDIATE_REPEATS = 10
const PAUSE_MS = 100

/** A server that became read-only, shuts down, starts or is full (25006, 57P, 53300), or a lost connection (the others). */
const WRONG_SERVER = /^(25006|57P|53300|08|ECONNRESET|EPIPE)/

/** Calls `call`, and repeats it while it meets connections to the wrong server. The call must be repeatable. */
export async function repeatOnFailover<Result>(clock: Clock, call: () => Promise<Result>): Promise<Result> {
  const startedAt = monotonicMs(clock)
  for (let repeats = 0; ; repeats++) {
    try {
      return await call()
    } catch (error) {
      if (!isWrongServer(error) || monotonicMs(clock) - startedAt > REPEAT_FOR_MS) throw error
      if (repeats >= IMMEDIATE_REPEATS) await new Promise<void>((resolve) => clock.setTimer(PAUSE_MS, resolve))
    }
  }
}

function isWrongServer(error: unknown): boolean {
  if (WRONG_SERVER.test(codeOf(error))) return true
  return error instanceof Error && /^Connection terminated/.test(error.message)
}
