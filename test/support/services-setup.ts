/** Global setup of the contract tests: finds or starts Redis and PostgreSQL and provides their URLs. */
import type { TestProject } from 'vitest/node'
import { findServices } from '../../scripts/services.mjs'

declare module 'vitest' {
  interface ProvidedContext {
    /** The URL of each service, or an empty string if it is missing. */
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
