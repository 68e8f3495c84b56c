/** A share of `npm run proof -- kill`: real processes are killed at every point, and no event is lost or processed twice. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { describeWithService } from '../../support/services.js'

const KILLS = 20
const TIMEOUT_MS = 240_000

async function prove(store: string): Promise<string> {
  const script = ['scripts/run-ts.mjs', 'test/proof/kill.ts', '--store', store, '--kills', String(KILLS)]
  const { stdout } = await promisify(execFile)(process.execPath, script)
  return stdout
}

function expectProof(store: string): void {
  test(`loses and doubles no event over ${KILLS} killed processes, and doubles some without a transaction`, {
    timeout: TIMEOUT_MS,
  }, async () => {
    const [, real, control, frozen] = (await prove(store)).trim().split('\n')
    expect(real).toContain('0 lost, 0 doubled, 0 never got 200')
    expect(control).toMatch(/control.* [1-9]\d* doubled/)
    expect(frozen).toMatch(/frozen in their handler.*: 0 deliveries .* 0 with unexpected responses: as expected/)
  })
}

describe('sqliteStore', () => expectProof('sqlite'))
describeWithService('postgres', 'postgresStore', (url) => {
  process.env['DATABASE_URL'] = url
  expectProof('postgres')
})
