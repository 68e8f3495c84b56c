/** A share of `npm run proof:load`: every delivery over HTTP is answered 200 and worked once, and memory does not grow with them. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const DELIVERIES = 5000

test('as many answers 200 and handler calls as deliveries, with a memory store past its cap and without a store', async () => {
  const script = ['scripts/run-ts.mjs', 'test/proof/load.ts', '--deliveries', String(DELIVERIES)]
  const { stdout } = await promisify(execFile)(process.execPath, script)
  expect(stdout).toContain('| answered 200 | 5,000 | 5,000 |')
  expect(stdout).toContain('| answered otherwise | 0 | 0 |')
  expect(stdout).toContain('| handler calls | 5,000 | 5,000 |')
})
