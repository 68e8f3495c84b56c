/** A share of `npm run proof -- inbox`: real processes that accept and process are killed at every point, with each inbox on its engine. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { describeWithService } from '../../support/services.js'

const TIMEOUT_MS = 240_000

function expectProof(inbox: string): void {
  test('processes every accepted delivery once although processes are killed, and quarantines a failing one', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const script = ['scripts/run-ts.mjs', 'test/proof/inbox.ts', '--inbox', inbox, '--kills', '1']
    const { stdout } = await promisify(execFile)(process.execPath, script)
    const [real, control] = stdout.trim().split('\n')
    expect(real).toContain('8 kills over 40 deliveries: 0 lost, 0 doubled, 0 never got 200')
    expect(real).toContain('1 accepted, 19 failed, 1 quarantined')
    expect(control).toMatch(/control.* [1-9]\d* doubled/)
  })
}

describe('sqliteInbox', () => expectProof('sqlite'))
describeWithService('redis', 'bullmqInbox', (url) => {
  process.env['REDIS_URL'] = url
  expectProof('bullmq')
})
describeWithService('postgres', 'pgBossInbox', (url) => {
  process.env['DATABASE_URL'] = url
  expectProof('pg-boss')
})
