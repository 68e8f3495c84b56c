/** Texts that no person wrote: values of unset variables in the place of a secret, control characters in output, and very long input. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { toPrintableJson } from '../../src/cli/terminal/json-option.js'
import { signDelivery } from '../../src/testing/sign-delivery.js'
import { temporaryFolder } from '../support/command-line.js'
import { runCli, runJson } from '../support/run-cli.js'

const cwd = temporaryFolder()
const URL_OF = 'http://127.0.0.1:59999/webhooks/govalid'

describe('a secret that a mistake in the configuration produced', () => {
  const commands = [
    ['send', 'qr.scanned', '--to', URL_OF],
    ['doctor', URL_OF],
    ['listen', '--port', '0'],
    ['endpoints', 'create', '--url', 'https://example.com/', '--event', 'qr.scanned', '--base-url', URL_OF],
  ]
  it.each(commands)('is refused by %s', async (...args) => {
    for (const secret of ['undefined', ' null\n', '[object Object]', '{"GOVALID_WEBHOOK_SECRET":"k0pi"}']) {
      const env = { GOVALID_WEBHOOK_SECRET: secret, GOVALID_API_KEY: 'gv_1' }
      const { code, stdout, stderr } = await runCli(args, { cwd, env })
      expect([code, stdout]).toEqual([2, ''])
      expect(stderr).toMatch(/^error: The value given for the webhook secret is (the text "|a JSON object)/)
      expect(stderr).not.toContain('k0pi')
    }
  })

  it('is an API key too', async () => {
    const { code, stderr } = await runCli(['endpoints', 'list'], { cwd, env: { GOVALID_API_KEY: 'undefined' } })
    expect([code, stderr]).toEqual([2, expect.stringContaining('The value given for the API key is the text')])
  })

  it('is explained by verify', async () => {
    const { signature } = await signDelivery('{}', { secret: 'k0pi' })
    writeFileSync(join(cwd, 'body'), '{}')
    const env = { GOVALID_WEBHOOK_SECRET: '{"GOVALID_WEBHOOK_SECRET":"k0pi"}' }
    const { code, json } = await runJson(['verify', '--body', 'body', '--signature', signature], { cwd, env })
    expect([code, json]).toMatchObject([1, { proven: true, code: 'secret_decorated' }])
  })
})

describe('printed JSON', () => {
  it('escapes characters that a terminal executes or hides', () => {
    const hostile = '\u0000\u001b[31m\u007f\u009b31m\u202e\u2066\u200b\u2028\u{e0041}'
    const text = toPrintableJson({ hostile, plain: 'é ☕ 認証 🙂' })
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u)
    expect(text).toContain('é ☕ 認証 🙂')
    expect(JSON.parse(text)).toEqual({ hostile, plain: 'é ☕ 認証 🙂' })
  })
})

describe('verify', () => {
  it('reads a long file of headers in a moment', async () => {
    writeFileSync(join(cwd, 'body'), '{}')
    writeFileSync(join(cwd, 'headers'), `${'*'.repeat(100_000)}\n${' '.repeat(100_000)}\n${'a: b\n'.repeat(50_000)}`)
    const before = process.cpuUsage()
    const env = { GOVALID_WEBHOOK_SECRET: 'k0pi' }
    const { json } = await runJson(['verify', '--body', 'body', '--headers', 'headers'], { cwd, env })
    expect(json).toMatchObject({ code: 'header_missing' })
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(3000)
  })
})
