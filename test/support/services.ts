/**
 * Tests that need a service: they run where it was found, are skipped by name where it was not, and fail there when
 * REQUIRE_SERVICES=1. Only for the `contract` project, whose set-up looks for the services.
 */
import { describe, inject, it } from 'vitest'

/** A service the contract tests can ask for. */
export type ServiceName = 'redis' | 'postgres'

/** `describe` for tests against a real service; `body` gets its address. */
export function describeWithService(service: ServiceName, name: string, body: (url: string) => void): void {
  const url = inject('services')[service]
  if (url !== '') describe(name, () => body(url))
  else if (process.env['REQUIRE_SERVICES'] === '1') describe(name, () => failForMissing(service))
  else describe(name, () => it.skip(`${service} was neither found nor could be started`, () => {}))
}

function failForMissing(service: ServiceName): void {
  it(`needs ${service}`, () => {
    throw new Error(`REQUIRE_SERVICES=1, and ${service} was neither found nor could be started`)
  })
}
