/** What a function throws, for tests that look at an error from more than one side. */

/** The error a function throws; fails when it throws none. */
export function caught(fn: () => unknown): unknown {
  try {
    fn()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

/** What a promise rejects with; fails when it does not. */
export async function rejection(pending: Promise<unknown>): Promise<unknown> {
  return pending.then(
    () => {
      throw new Error('nothing was rejected')
    },
    (error: unknown) => error,
  )
}
