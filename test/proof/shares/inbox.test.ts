/** A share of `npm run proof:inbox`: real processes that accept and work are killed at every point, over each inbox on its engine. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { describeWithService } from '../../support/services.js'

const TIMEOUT_MS = 240_000

function expectProof(inbox: string): void {
  test('what was answered 200 is worked once although processes are killed, and poison is set aside', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const script = ['scripts/run-ts.mjs', 'test/proof/inbox.ts', '--inbox', inbox, '--kills', '1']
    const { stdout } = await promisify(execFile)(process.execPath, script)
    const [kept, control] = stdout.trim().split('\n')
    expect(kept).toContain('8 kills over 40 deliveries: 0 lost, 0 doubled, 0 never answered 200')
    expect(kept).toContain('1 accepted, 19 failed, 1 set aside')
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
