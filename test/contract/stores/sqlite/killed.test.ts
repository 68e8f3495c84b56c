/** A process that is killed in the middle of a group: nothing of the group is committed, and each delivery can be processed again. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { sqliteStore } from '../../../../src/stores/sqlite/sqlite-store.js'
import { bundleForTests } from '../../../support/bundle.js'
import { makeLater, rowsOf, temporaryFiles } from '../../../support/sqlite.js'

const newFile = temporaryFiles()
const script = bundleForTests(join(import.meta.dirname, '../../../support/killed-in-group.ts'))
const COUNT = 200
/** The first two operations of a turn run immediately, each in its own transaction. */
const IMMEDIATE = 2

async function kill(operation: 'claim' | 'complete'): Promise<string> {
  const file = newFile()
  const child = spawn(process.execPath, [script, file, operation], { stdio: 'inherit' })
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
  return file
}

/** Claims every delivery a lease later, and returns how many claims have each result. */
async function claimAll(file: string): Promise<Readonly<Record<string, number>>> {
  const database = new DatabaseSync(file)
  makeLater(database, 90_000)
  const store = sqliteStore({ database })
  const counts: Record<string, number> = {}
  for (let index = 0; index < COUNT; index++) {
    const key = index.toString(16).padStart(64, '0')
    const times = { leaseMs: 55_000, retainUntil: Date.now() + 60 * 60_000, attemptGapMs: 30_000 }
    const result = await store.claim({ key, token: 'another', ...times })
    const name = result.status === 'claimed' ? `attempt ${result.attempt}` : result.status
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

test('a group of claims counts no attempt', async () => {
  const file = await kill('claim')
  expect(rowsOf(new DatabaseSync(file), 'SELECT 1 FROM govalid_deliveries')).toHaveLength(IMMEDIATE)
  expect(await claimAll(file)).toEqual({ 'attempt 1': COUNT - IMMEDIATE, 'attempt 2': IMMEDIATE })
})

test('a group of completions finishes no delivery', async () => {
  const file = await kill('complete')
  expect(await claimAll(file)).toEqual({ 'attempt 2': COUNT })
})
