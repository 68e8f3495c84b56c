/**
 * Tests that need something that may be missing, such as a service or a program. They are skipped with the name of what is missing.
 * With REQUIRE_SERVICES=1 they fail instead, so that CI can't skip them silently.
 */
import { describe, it } from 'vitest'

/** Like `describe`, for tests that need `what`. If it is missing, its tests are skipped, or fail with REQUIRE_SERVICES=1. */
export function describeWith(what: string, isPresent: boolean, name: string, body: () => void): void {
  describe(name, isPresent ? body : () => reportMissing(what))
}

function reportMissing(what: string): void {
  if (process.env['REQUIRE_SERVICES'] !== '1') it.skip(`skipped: ${what} is missing`, () => {})
  else {
    it(`needs ${what}`, () => {
      throw new Error(`${what} is missing. With REQUIRE_SERVICES=1, these tests must run. See test/README.md.`)
    })
  }
}
