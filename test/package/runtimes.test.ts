/**
 * A share of the runtimes proof: the installed tarball on every local Node, in workerd with and without `nodejs_compat`, and in the edge
 * runtime. The test downloads nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { bundlePrograms, type Format, type Programs } from '../proof/runtimes/bundles.js'
import { collectVectors } from '../proof/runtimes/fixtures.js'
import { differencesOf, matrixOf } from '../proof/runtimes/print-matrix.js'
import { proveRuntime } from '../proof/runtimes/prove-runtime.js'
import { nodeAt, RUNTIMES } from '../proof/runtimes/runtimes.js'
import { nodesOnPath } from '../support/nodes.js'
import { expectNoDifference } from './expect-no-difference.js'

const vectors = collectVectors()
const nodes = nodesOnPath().map(({ file, version }) => nodeAt(file, version.slice(1)))
const local = RUNTIMES.filter(({ isLocal }) => isLocal)

describe('the local runtimes', () => {
  // The folder is inside the consumer, so that its node_modules is found.
  const folder = mkdtempSync(join(inject('packed').consumer, 'runtimes-'))
  let programs: Record<Format, Programs>
  beforeAll(async () => {
    programs = { esm: await bundlePrograms(folder, 'esm'), cjs: await bundlePrograms(folder, 'cjs') }
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.each(nodes)('Node $version verifies every vector correctly, receives and serves', async (runtime) => {
    expectNoDifference(runtime, await proveRuntime(runtime, programs, vectors), vectors.length)
  })

  it.each(local)('$name verifies every vector correctly, receives and serves', async (candidate) => {
    const runtime = await candidate.find()
    expectNoDifference(runtime, await proveRuntime(runtime, programs, vectors), vectors.length)
  })

  it('a vector with another verdict counts as a difference and appears in the matrix', async () => {
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

it('every supported runtime is in the matrix', () => {
  expect(RUNTIMES.map(({ name }) => name)).toEqual([
    ...['Node 20', 'Node 22', 'Node 24', 'Node 26', 'Bun', 'Deno', 'workerd', 'workerd nodejs_compat', 'edge runtime'],
  ])
})
