/** Checks the store of docs/how-to/custom-store.md: it passes the conformance suite, and fails it without its version check. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'
import { afterAll, describe, expect, test } from 'vitest'
import type { Store } from '../../src/stores/store.js'
import { fixedClock, type StoreDriver, testStore } from '../../src/testing/index.js'
import { codeBlocksOf, readPage } from './pages.js'

interface Shelf {
  now(): Promise<number>
  read(key: string): Promise<{ readonly value: string; readonly version: number } | undefined>
  write(key: string, value: string, version: number | undefined): Promise<boolean>
}

type ShelfStore = (shelf: Shelf, namespace: string) => Store

const folder = mkdtempSync(join(tmpdir(), 'govalid-docs-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the code on the page and returns its store factory. */
async function loadFromPage(): Promise<ShelfStore> {
  const block = codeBlocksOf(readPage('docs/how-to/custom-store.md')).find(({ code }) =>
    code.includes('export function shelfStore'),
  )
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }
  const file = join(folder, 'shelf-store.mjs')
  writeFileSync(file, ts.transpile(block?.code ?? '', options))
  return (await import(pathToFileURL(file).href)).shelfStore
}

const shelfStore = await loadFromPage()

/** Describes a driver on a service that checks versions, or ignores them. */
function describeDriver(checksVersions: boolean): StoreDriver {
  const clock = fixedClock()
  const kept = new Map<string, { value: string; version: number }>()
  const shelf: Shelf = {
    now: async () => clock.now(),
    read: async (key) => kept.get(key),
    async write(key, value, version) {
      if (checksVersions && kept.get(key)?.version !== version) return false
      kept.set(key, { value, version: (version ?? 0) + 1 })
      return true
    },
  }
  return {
    name: 'shelfStore',
    open: ({ namespace }) => shelfStore(shelf, namespace),
    advance: (ms) => clock.advance(ms),
  }
}

testStore({ describe, test }, describeDriver(true))

test('the suite detects a service that ignores versions', async () => {
  const tests = new Map<string, () => Promise<void>>()
  const collect = (name: string, run: () => Promise<void>) => void tests.set(name, run)
  testStore({ describe: (_, body) => body(), test: collect }, describeDriver(false))
  await expect(tests.get('of 1,000 concurrent callers, exactly one claims a new delivery')?.()).rejects.toThrow(
    'expected 1',
  )
})
