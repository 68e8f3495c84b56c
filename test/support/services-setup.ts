/** Global set-up of the contract tests: finds or starts Redis and PostgreSQL, and hands their addresses to the tests. */
import type { TestProject } from 'vitest/node'
import { findServices } from '../../scripts/services.mjs'

declare module 'vitest' {
  interface ProvidedContext {
    /** The address of each service found; an empty string where there is none. */
    services: { readonly redis: string; readonly postgres: string }
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { redis, postgres } = await findServices()
  project.provide('services', { redis: redis?.url ?? '', postgres: postgres?.url ?? '' })
  return async () => {
    await Promise.all([redis?.stop(), postgres?.stop()])
  }
}
