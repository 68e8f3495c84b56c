/**
 * Registers tests that need a service. Without the service they are skipped with a message, or fail if REQUIRE_SERVICES=1.
 * Only for the `contract` project, whose setup finds the services.
 */
import { describe, inject, it } from 'vitest'

/** A service that contract tests can require. */
export type ServiceName = 'redis' | 'postgres'

/** `describe` for tests against a real service. `body` receives its URL. */
export function describeWithService(service: ServiceName, name: string, body: (url: string) => void): void {
  const url = inject('services')[service]
  if (url !== '') describe(name, () => body(url))
  else if (process.env['REQUIRE_SERVICES'] === '1') describe(name, () => failForMissing(service))
  else describe(name, () => it.skip(`skipped: ${service} was not found and could not be started`, () => {}))
}

function failForMissing(service: ServiceName): void {
  it(`needs ${service}`, () => {
    throw new Error(`REQUIRE_SERVICES=1, but ${service} was not found and could not be started`)
  })
}
