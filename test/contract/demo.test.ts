/** `npm run demo` as a person runs it, and with planted faults in its server, which it must report. */
import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { AS_PRINTED, sentAt } from '../../examples/demo/guide-payload.js'
import { EVENT_TYPES } from '../../src/index.js'

const ROOT = join(import.meta.dirname, '../..')
const FAULTY_SERVER = join(import.meta.dirname, 'demo-faults/server.ts')

async function runDemo(args: readonly string[] = [], fault = ''): Promise<{ code: unknown; lines: string[] }> {
  const env = { ...process.env, FAULT: fault }
  const demo = spawn(process.execPath, [join(ROOT, 'examples/demo/demo.ts'), ...args], { env, stdio: 'pipe' })
  const [printed, failed, [code]] = await Promise.all([text(demo.stdout), text(demo.stderr), once(demo, 'exit')])
  return { code, lines: `${printed}${failed}`.split('\n') }
}

describe('the demo', () => {
  it('plays every delivery, and every result is as expected', async () => {
    const { code, lines } = await runDemo()
    const attempts = lines.filter((line) => line.startsWith('✓'))
    expect(lines.at(-2)).toBe('Every result is as expected.')
    expect(code).toBe(0)
    expect(attempts).toHaveLength(19)
    for (const type of EVENT_TYPES) {
      expect(
        attempts.some((line) => line.includes(`${type}`) && line.includes('200 processed')),
        type,
      ).toBe(true)
    }
    expect(attempts.filter((line) => line.includes('nothing: stale') && line.includes('200 quarantined'))).toHaveLength(
      1,
    )
    expect(attempts.filter((line) => line.includes('401 refused'))).toHaveLength(2)
    expect(attempts.slice(-2).map((line) => /\d{3} \w+/.exec(line)?.[0])).toEqual(['500 failed', '200 processed'])
  })

  it('exits with 0 on the test’s server without a planted fault', async () => {
    expect(await runDemo([FAULTY_SERVER])).toMatchObject({ code: 0 })
  })

  it.each([
    ['forged deliveries are accepted', 'forged: another secret'],
    ['duplicates are processed', 'the first delivery again'],
    ['a handler’s error gets a 200', 'the handler fails once'],
    ['unknown events are errors', 'qr.archived'],
    ['stale events are errors', 'as printed in 2025'],
    ['the process ends', 'qr.removed'],
  ])('exits with 1 when %s', async (fault, where) => {
    const { code, lines } = await runDemo([FAULTY_SERVER], fault)
    const wrong = lines.filter((line) => line.startsWith('✗'))
    expect(wrong[0]).toContain(where)
    expect(lines.at(-2)).toMatch(/^\d+ results are not as expected\.$/)
    expect(code).toBe(1)
  })

  it('exits with 1 when the server does not start', async () => {
    const { code, lines } = await runDemo([join(ROOT, 'examples/demo/none.ts')])
    expect(lines.join('\n')).toContain('does not listen')
    expect(code).toBe(1)
  })
})

describe('the setup guide’s payload', () => {
  it('contains the values that the guide prints', () => {
    const { signature, ...signed } = JSON.parse(AS_PRINTED)
    const hmac = createHmac('sha256', 'your_webhook_secret').update(JSON.stringify(signed)).digest('hex')
    // The expected digits were computed from the guide with another program.
    expect(hmac).toBe('61c5cf369c28d618b01e7e02166861b795fa290fba0f4541f5bf1310f941cb88')
    expect(signature).toBe('sha256=a1b2c3d4...')
  })

  it('differs only in its timestamp when it is sent now', () => {
    const now = sentAt('2031-02-03T04:05:06Z')
    expect(now).not.toBe(AS_PRINTED)
    expect(now.replace('2031-02-03T04:05:06Z', '2025-01-29T12:00:00Z')).toBe(AS_PRINTED)
  })
})
