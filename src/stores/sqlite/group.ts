/**
 * Runs a group of writes between one BEGIN IMMEDIATE and COMMIT, within one event-loop turn, so the group waits for the disk once. Each
 * write gets its own result. A write that fails doesn't affect the others.
 */
import { explainPermanent, isInUse, isLocked } from './database-errors.js'
import type { SqliteRunner } from './runner.js'
import { commit, rollBack, type Session } from './session.js'

/** One write. */
export interface Write<Result = unknown> {
  /** Runs the statements of the write. Called again if the group is rolled back. */
  run(runner: SqliteRunner): Result
  /** The write has its own transaction and is never repeated, because it calls a function of the application. */
  readonly isAlone?: boolean
}

/** How a write ended. The others were rolled back: `again` because of another write, `alone` because the cause is unknown. */
export type WriteResult = { readonly value: unknown } | { readonly error: unknown } | 'again' | 'alone'

/** How a group ended. `waits`: the connection or the file is in use, so nothing has run. A write without a result hasn't run either. */
export type GroupResult =
  | { readonly status: 'ended'; readonly results: readonly WriteResult[] }
  | { readonly status: 'waits'; readonly error: unknown }

/** Runs writes in order until `isOverTime`. Never throws. */
export function runGroup(session: Session, writes: readonly Write[], isOverTime: () => boolean): GroupResult {
  const { runner, user } = session
  const wasOpen = session.isOpen()
  try {
    session.begin()
  } catch (error) {
    if (isLocked(error) || isInUse(error)) return { status: 'waits', error }
    return ended(writes.map(() => ({ error: explainPermanent(user, error) })))
  }
  const results: { readonly value: unknown }[] = []
  for (const write of writes) {
    try {
      results.push({ value: write.run(runner) })
    } catch (error) {
      rollBack(runner)
      if (write.isAlone) return ended([{ error }])
      if (!wasOpen || !session.isTableMissing(error)) {
        return ended([...results.map(() => 'again' as const), { error: explainPermanent(user, error) }])
      }
      // The tables were dropped. Nothing is committed yet, so the group starts again and creates them.
      session.reopen()
      return runGroup(session, writes, isOverTime)
    }
    if (isOverTime()) break
  }
  try {
    commit(runner)
    return ended(results)
  } catch (error) {
    // Alone, only the write that causes it fails, for example because it doesn't fit on the disk.
    return ended(results.length === 1 ? [{ error: explainPermanent(user, error) }] : results.map(() => 'alone'))
  }
}

function ended(results: readonly WriteResult[]): GroupResult {
  return { status: 'ended', results }
}
