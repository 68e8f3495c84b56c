/** Catches errors, for tests that check more than one field of an error. */

/** Returns the error that a function throws. Throws if the function returns. */
export function caught(fn: () => unknown): unknown {
  try {
    fn()
  } catch (error) {
    return error
  }
  throw new Error('the function did not throw')
}

/** Returns the error that a promise rejects with. Rejects if the promise resolves. */
export async function rejection(pending: Promise<unknown>): Promise<unknown> {
  return pending.then(
    () => {
      throw new Error('the promise did not reject')
    },
    (error: unknown) => error,
  )
}
