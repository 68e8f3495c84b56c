/** Compares the findings of the runtimes proof with the expected ones. */
import { expect } from 'vitest'
import type { Finding } from '../proof/runtimes/prove-runtime.js'
import type { Runtime } from '../proof/runtimes/runtimes.js'

/** Fails if a finding has a difference, or if a vector, crypto path, format or server of the runtime wasn't checked. */
export function expectNoDifference(runtime: Runtime, findings: readonly Finding[], vectorCount: number): void {
  expect(findings.flatMap(({ what, differences }) => differences.map((one) => `${what}: ${one}`))).toEqual([])
  const actual = findings.map(({ format, what, count }) => `${format}, ${what}: ${count}`)
  const expected = ['esm', 'cjs'].flatMap((format) => [
    ...runtime.paths.flatMap((path) => [
      `${format}, vectors, ${path}: ${vectorCount}`,
      `${format}, receiver, ${path}: 12`,
    ]),
    ...runtime.servers.map((server) => `${format}, HTTP, ${server}: 12`),
  ])
  expect(actual).toEqual(expected)
}
