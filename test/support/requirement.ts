/**
 * Tests that need something that may be missing, such as a service, a program or a download. Without it they are skipped with its name.
 * With REQUIRE_SERVICES=1 they fail instead, so CI can't skip them.
 */
import { describe, it } from 'vitest'

/** Like `describe`, for tests that need `what`. */
export function describeWith(what: string, isPresent: boolean, name: string, body: () => void): void {
  describe(name, isPresent ? body : () => reportMissing(what))
}

function reportMissing(what: string): void {
  if (process.env['REQUIRE_SERVICES'] !== '1') it.skip(`skipped: ${what} is missing`, () => {})
  else {
    it(`needs ${what}`, () => {
      throw new Error(`${what} is missing, and REQUIRE_SERVICES=1 requires it. See test/README.md.`)
    })
  }
}
