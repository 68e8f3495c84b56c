/**
 * Values that may be available now or later. Most stages of most deliveries are synchronous, and awaiting a value that is already
 * available costs more than the stage itself.
 */

/** A value, or a promise of it. */
export type MaybePromise<T> = T | PromiseLike<T>

/** Whether a value has to be awaited. */
export function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as PromiseLike<T> | null | undefined)?.then === 'function'
}

/**
 * Continues with a value: synchronously if it is already available.
 *
 * @throws the error that `next` throws, if the value is available.
 */
export function andThen<T, Result>(
  value: T | PromiseLike<T>,
  next: (value: T) => Result | Promise<Result>,
): Result | Promise<Result> {
  return isPromiseLike(value) ? (value.then(next) as Promise<Result>) : next(value)
}
