/** The smallest share of each proof that starts processes, over SQLite or memory. test/proof/shares has larger shares, over services too. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

/** Runs a proof and returns its output. Rejects if the proof fails. */
async function prove(name: string, ...args: readonly string[]): Promise<string> {
  const script = ['scripts/run-ts.mjs', `test/proof/${name}.ts`, ...args]
  return (await promisify(execFile)(process.execPath, script)).stdout
}

describe('a killed receiver over sqliteStore', () => {
  it('loses nothing and doubles nothing; without a transaction it doubles', async () => {
    const [, kept, control] = (await prove('kill', '--store', 'sqlite', '--kills', '8')).trim().split('\n')
    expect(kept).toContain('0 lost, 0 doubled, 0 never got 200')
    expect(control).toMatch(/control.* [1-9]\d* doubled/)
  })
})

describe('a killed worker of sqliteInbox', () => {
  it('processes every accepted delivery once', async () => {
    const [kept] = (await prove('inbox', '--inbox', 'sqlite', '--kills', '1')).trim().split('\n')
    expect(kept).toContain('0 lost, 0 doubled, 0 never got 200')
  })
})

describe('1,000 copies of a delivery at once over four processes', () => {
  it('call one handler once, with sqliteStore', async () => {
    expect(await prove('concurrent', '--store', 'sqlite', '--rounds', '1')).toContain('1 handler calls, 0 rounds wrong')
  })
})

describe('2,000 deliveries over HTTP', () => {
  it('get as many 200 responses and handler calls, with a memory store past its cap and without a store', async () => {
    const output = await prove('load', '--deliveries', '2000')
    expect(output).toContain('| responses with 200 | 2,000 | 2,000 |')
    expect(output).toContain('| other responses | 0 | 0 |')
    expect(output).toContain('| handler calls | 2,000 | 2,000 |')
  })
})
