/** A share of `npm run proof -- load`: every delivery over HTTP gets 200 and one handler call. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const DELIVERIES = 5000

test('every delivery gets 200 and one handler call, with a memory store past its cap and without a store', async () => {
  const script = ['scripts/run-ts.mjs', 'test/proof/load.ts', '--deliveries', String(DELIVERIES)]
  const { stdout } = await promisify(execFile)(process.execPath, script)
  expect(stdout).toContain('| responses with 200 | 5,000 | 5,000 |')
  expect(stdout).toContain('| other responses | 0 | 0 |')
  expect(stdout).toContain('| handler calls | 5,000 | 5,000 |')
})
