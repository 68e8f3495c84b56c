/**
 * A share of `npm run proof:runtimes`: the installed tarball on every Node of this machine, in workerd with and without `nodejs_compat`, and in the
 * edge runtime. Nothing is fetched.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { bundlePrograms, type Format, type Programs } from '../proof/runtimes/bundles.js'
import { collectVectors } from '../proof/runtimes/fixtures.js'
import { differencesOf, matrixOf } from '../proof/runtimes/print-matrix.js'
import { type Finding, proveRuntime } from '../proof/runtimes/prove-runtime.js'
import { nodeAt, RUNTIMES, type Runtime } from '../proof/runtimes/runtimes.js'
import { nodesOnPath } from '../support/nodes.js'

const vectors = collectVectors()
const nodes = nodesOnPath().map(({ file, version }) => nodeAt(file, version.slice(1)))
const local = RUNTIMES.filter(({ isLocal }) => isLocal)

describe('the runtimes that are here', () => {
  // Within the consumer, so that its node_modules is found.
  const folder = mkdtempSync(join(inject('packed').consumer, 'runtimes-'))
  let programs: Record<Format, Programs>
  beforeAll(async () => {
    programs = { esm: await bundlePrograms(folder, 'esm'), cjs: await bundlePrograms(folder, 'cjs') }
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.each(nodes)('Node $version judges every vector, receives and serves as it must', async (runtime) => {
    expectNoDifference(runtime, await proveRuntime(runtime, programs, vectors))
  })

  it.each(local)('$name does too', async (wanted) => {
    const runtime = await wanted.find()
    expectNoDifference(runtime, await proveRuntime(runtime, programs, vectors))
  })

  it('a vector that is judged otherwise is a difference, and so it stands in the table', async () => {
    const [first, ...others] = vectors
    const wrong = [{ ...first!, accept: !first!.accept }, ...others]
    const findings = await proveRuntime(nodes[0]!, programs, wrong)
    const found = findings.filter(({ differences }) => differences.length > 0)
    expect(found.map(({ format, what, differences }) => ({ format, what, differences }))).toEqual(
      (['esm', 'cjs'] as const).flatMap((format) =>
        ['node:crypto', 'WebCrypto'].map((path) => ({
          format,
          what: `vectors, ${path}`,
          differences: ['RFC 4231: case 1: true'],
        })),
      ),
    )
    expect(matrixOf(findings)[0]?.found[0]).toBe(`${vectors.length}, 1 DIFFERENT`)
    expect(differencesOf(findings)).toHaveLength(4)
  })
})

it('the runtimes that are promised are all in the matrix', () => {
  expect(RUNTIMES.map(({ name }) => name)).toEqual([
    ...['Node 20', 'Node 22', 'Node 24', 'Node 26', 'Bun', 'Deno', 'workerd', 'workerd nodejs_compat', 'edge runtime'],
  ])
})

function expectNoDifference(runtime: Runtime, findings: readonly Finding[]): void {
  expect(findings.flatMap(({ what, differences }) => differences.map((one) => `${what}: ${one}`))).toEqual([])
  const looked = findings.map(({ format, what, count }) => `${format}, ${what}: ${count}`)
  const expected = ['esm', 'cjs'].flatMap((format) => [
    ...runtime.paths.flatMap((path) => [
      `${format}, vectors, ${path}: ${vectors.length}`,
      `${format}, receiver, ${path}: 12`,
    ]),
    ...runtime.servers.map((server) => `${format}, HTTP, ${server}: 12`),
  ])
  expect(looked).toEqual(expected)
}
