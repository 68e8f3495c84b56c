/** Registers tests that need a service. Only for the projects `services` and `proofs`, whose setup finds the services. */
import { inject } from 'vitest'
import { describeWith } from './requirement.js'

/** A service that tests can require. */
export type ServiceName = 'redis' | 'postgres'

/** `describe` for tests against a real service. `body` receives its URL. */
export function describeWithService(service: ServiceName, name: string, body: (url: string) => void): void {
  const url = inject('services')[service]
  describeWith(service, url !== '', name, () => body(url))
}
