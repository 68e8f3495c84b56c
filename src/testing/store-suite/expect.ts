/**
 * Assertions of the suite, independent of the test runner. A failed assertion throws an error with the expected and the actual value.
 */
import { isBytes } from '../../crypto/encoding.js'

/** Fails unless `actual` deeply equals `expected`. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (!isEqual(actual, expected)) throw new Error(`${what}: expected ${print(expected)}, got ${print(actual)}`)
}

/** Fails unless `condition` is true. */
export function expectTrue(condition: boolean, what: string): void {
  if (!condition) throw new Error(`expected ${what}`)
}

/** Returns the error that `body` throws or rejects with. Fails if there is none. */
export async function expectError(body: () => unknown, what: string): Promise<unknown> {
  try {
    await body()
  } catch (error) {
    return error
  }
  throw new Error(`${what}: expected an error`)
}

function isEqual(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left) !== Array.isArray(right)) return false
  if (isBytes(left) && isBytes(right)) return isSameBytes(left, right)
  if (isBytes(left) || isBytes(right)) return false
  const [leftEntries, rightEntries] = [Object.entries(left), Object.entries(right)]
  if (leftEntries.length !== rightEntries.length) return false
  return leftEntries.every(([name, value]) => Object.hasOwn(right, name) && isEqual(value, Reflect.get(right, name)))
}

function isSameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index])
}

function print(value: unknown): string {
  if (isBytes(value)) return `${value.length} bytes`
  return JSON.stringify(value, (_, item: unknown) => (item === undefined ? '(undefined)' : item)) ?? String(value)
}
