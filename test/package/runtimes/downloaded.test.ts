/** The installed tarball on every promised runtime that isn't a development dependency, downloaded from the npm registry. */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { testExample } from '../../contract/example-suite.js'
import { readPage } from '../../docs/pages.js'
import { bundlePrograms, type Format, type Programs } from '../../proof/runtimes/bundles.js'
import { collectVectors } from '../../proof/runtimes/fixtures.js'
import { proveRuntime } from '../../proof/runtimes/prove-runtime.js'
import { RUNTIMES, type Runtime, type Wanted } from '../../proof/runtimes/runtimes.js'
import { followPage } from '../../support/follow-page.js'
import { describeWith } from '../../support/requirement.js'
import { expectNoDifference } from '../expect-no-difference.js'

const vectors = collectVectors()
// In the consumer's folder, so that the programs find its node_modules.
const folder = mkdtempSync(join(inject('packed').consumer, 'runtimes-'))
let programs: Record<Format, Programs>
beforeAll(async () => {
  programs = { esm: await bundlePrograms(folder, 'esm'), cjs: await bundlePrograms(folder, 'cjs') }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

// Downloaded one after another, before the tests are registered, so that a missing runtime can be skipped by name.
for (const wanted of RUNTIMES.filter(({ isLocal }) => !isLocal)) {
  const runtime = await download(wanted)
  describeWith(`${wanted.name} (a download from the npm registry)`, runtime !== undefined, wanted.name, () => {
    it('verifies every vector, processes deliveries and serves HTTP', async () => {
      const found = runtime as Runtime
      expectNoDifference(found, await proveRuntime(found, programs, vectors), vectors.length)
    })
    const command = runtime?.command
    if (command && wanted.name.startsWith('Node')) {
      it.each(['README.md', 'docs/guide/quickstart.md'])('%s does what it says', async (path) => {
        expect(await followPage(readPage(path), command[0])).toEqual([])
      })
    }
    if (command && (wanted.name === 'Bun' || wanted.name === 'Deno')) testExample(wanted.name.toLowerCase(), command)
  })
}

async function download(wanted: Wanted): Promise<Runtime | undefined> {
  try {
    return await wanted.find()
  } catch {
    return undefined
  }
}
