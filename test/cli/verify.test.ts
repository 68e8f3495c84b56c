/** The `verify` command: its input files and its output. test/vectors covers the findings themselves. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { signDelivery } from '../../src/testing/sign-delivery.js'
import { temporaryFolder } from '../support/command-line.js'
import { scannedEvent } from '../support/payloads.js'
import { runCli, runJson } from '../support/run-cli.js'
import vectors from '../vectors/misconfigurations.json' with { type: 'json' }

const folder = temporaryFolder()
const SECRET = 'your_webhook_secret'
const ENV = { GOVALID_WEBHOOK_SECRET: SECRET }
const BODY = JSON.stringify(scannedEvent())
const { signature } = await signDelivery(BODY, { secret: SECRET })
const save = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content)
save('body', BODY)
const verify = (args: readonly string[], env: Readonly<Record<string, string>> = ENV) =>
  runCli(['verify', ...args], { env, cwd: folder })

describe('a delivery that verifies', () => {
  it('is reported as valid, with its event', async () => {
    const { code, stdout, stderr } = await verify(['--body', 'body', '--signature', signature])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('✓ valid')
    expect(stdout).toContain('event: qr.scanned')
  })

  it('is valid even if its fields have other types, which are listed', async () => {
    const odd = JSON.stringify(scannedEvent({ data: { ...scannedEvent().data, scan_count: '15' } }))
    save('odd', odd)
    const signed = await signDelivery(odd, { secret: SECRET })
    const { code, stdout } = await verify(['--body', 'odd', '--signature', signed.signature])
    expect(code).toBe(0)
    expect(stdout).toContain('data.scan_count: expected number, received string')
  })

  it('is valid even if it is not an event, and the output says that a receiver quarantines it', async () => {
    save('text', 'hello')
    const signed = await signDelivery('hello', { secret: SECRET })
    const { code, stdout } = await verify(['--body', 'text', '--signature', signed.signature])
    expect(code).toBe(0)
    expect(stdout).toContain('A receiver quarantines this delivery.')
  })

  it('can come from standard input, with headers in the format of a proxy log', async () => {
    save('headers', `POST /webhooks/govalid HTTP/1.1\r\n> Host: example.com\r\n> X-GoValid-Signature: ${signature}\r\n`)
    const { code } = await runCli(['verify', '--body', '-', '--headers', 'headers'], {
      env: ENV,
      cwd: folder,
      input: BODY,
    })
    expect(code).toBe(0)
  })

  it('is verified without its signature field with --without-signature-field', async () => {
    save('with-field', JSON.stringify({ ...scannedEvent(), signature: 'sha256=a1b2c3d4...' }))
    const args = ['--body', 'with-field', '--signature', signature]
    expect((await verify([...args, '--without-signature-field'])).code).toBe(0)
    const { code, stdout } = await verify(args)
    expect(code).toBe(1)
    expect(stdout).toContain("signedContent: 'body-without-signature'")
  })
})

const twelve = [...new Map(vectors.filter(({ issue }) => issue > 0).map((vector) => [vector.issue, vector])).values()]

describe('each of the twelve misconfigurations', () => {
  it.each(twelve)('is found and exits with 1: $name', async (vector) => {
    const others = 'otherBodies' in vector ? (vector.otherBodies as string[]) : []
    const secrets = 'otherSecrets' in vector ? (vector.otherSecrets as string[]) : []
    save(`body-${vector.issue}`, Buffer.from(vector.body, 'base64'))
    for (const [index, other] of others.entries()) save(`other-${index}`, Buffer.from(other, 'base64'))
    const args = [
      ...['verify', '--body', `body-${vector.issue}`, '--signature', vector.signature ?? ''],
      ...others.flatMap((_, index) => ['--other-body', `other-${index}`]),
      ...secrets.flatMap((_, index) => ['--other-secret-env', `OTHER_${index}`]),
    ]
    const env = {
      GOVALID_WEBHOOK_SECRET: vector.secret,
      ...Object.fromEntries(secrets.map((secret, index) => [`OTHER_${index}`, secret])),
    }
    const { code, json } = await runJson<{ valid: boolean; proven: boolean; findings: { code: string }[] }>(args, {
      env,
      cwd: folder,
    })
    expect([code, json.valid, json.proven]).toEqual([1, false, vector.proven])
    expect(json.findings.map((found) => found.code)).toEqual(vector.codes)
  })

  it('has a test above', () => {
    expect(twelve).toHaveLength(12)
  })
})

describe('a delivery that does not verify', () => {
  it('is explained with a proven fix', async () => {
    const { code, stdout } = await verify([
      '--body',
      'body',
      '--signature',
      signature.toUpperCase().replace('SHA', 'sha'),
    ])
    expect(code).toBe(1)
    expect(stdout).toMatch(/✗ header_digits {2}.+\n {2}Fix: .+\n\nProven: /)
  })

  it('is reported as unexplained if no misconfiguration fits', async () => {
    const { stdout } = await verify(['--body', 'body', '--signature', signature], { GOVALID_WEBHOOK_SECRET: 'a guess' })
    expect(stdout).toContain('✗ unexplained')
    expect(stdout).toContain('No known misconfiguration explains this signature.')
  })

  it('is explained without printing a secret, as text and as JSON', async () => {
    save('newline', `${BODY}\n`)
    for (const more of [[], ['--json']]) {
      const args = ['--body', 'newline', '--signature', signature, '--other-secret-env', 'STAGING', ...more]
      const { stdout, stderr } = await verify(args, {
        GOVALID_WEBHOOK_SECRET: `"${SECRET}"`,
        STAGING: 'staging-secret',
      })
      expect(stdout).toContain('secret_decorated')
      expect(stdout + stderr).not.toMatch(/your_webhook_secret|staging-secret/)
    }
  })

  it('may have its signature in another header, which is suggested', async () => {
    save('renamed', `X-Forwarded-Signature: ${signature}\n`)
    const { code, stdout } = await verify(['--body', 'body', '--headers', 'renamed'])
    expect(code).toBe(1)
    expect(stdout).toContain('it may have been renamed to x-forwarded-signature')
  })
})
