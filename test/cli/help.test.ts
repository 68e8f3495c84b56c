/** The help texts, the errors for invalid usage, and the handling of secrets on the command line. */
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { binary, cleanEnv, temporaryServers } from '../support/command-line.js'
import { nodesOnPath } from '../support/nodes.js'
import { runCli } from '../support/run-cli.js'

/** In the order of their first use. */
const COMMANDS = ['init', 'listen', 'send', 'doctor', 'verify', 'explain', 'simulate', 'endpoints']
const ACTIONS = ['list', 'create', 'update', 'enable', 'disable', 'delete']
const URL = 'http://127.0.0.1:9/'
const CREATE = ['endpoints', 'create', '--url', 'https://example.com/']

describe('help and version', () => {
  it('--help lists every command and every exit code', async () => {
    const { code, stdout, stderr } = await runCli(['--help'])
    expect([code, stderr]).toEqual([0, ''])
    const listed = [...stdout.matchAll(/^ {2}(\w+) .*/gm)].map(([, command]) => command)
    expect(listed.filter((name) => COMMANDS.includes(name ?? ''))).toEqual(COMMANDS)
    expect(stdout).toContain('Get started:\n  $ npx govalid-webhooks init\n')
    expect(stdout).toMatch(/Exit codes:\n {2}0 .+\n {2}1 .+\n {2}2 /)
  })

  it.each([...COMMANDS.map((command) => [command]), ...ACTIONS.map((name) => ['endpoints', name])])(
    '--help shows the usage of %s %s and hides the options that carry secrets',
    async (...command) => {
      const { code, stdout } = await runCli([...command, '--help'])
      expect(code).toBe(0)
      expect(stdout).toContain(`Usage: govalid-webhooks ${command.join(' ')}`)
      expect(stdout).not.toMatch(/--secret |--api-key |--key /)
    },
  )

  it.each([[], ...COMMANDS.map((command) => [command]), ...ACTIONS.map((name) => ['endpoints', name])])(
    '--help of %s %s has an example, and no line is longer than 80 characters',
    async (...command) => {
      const { stdout } = await runCli([...command, '--help'])
      expect(stdout).toMatch(/\n {2}\$ npx govalid-webhooks /)
      expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
    },
  )

  it('the help is shown with exit code 2 if no command is given', async () => {
    const { code, stdout, stderr } = await runCli([])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain('Usage: govalid-webhooks')
  })

  it('--version prints the version of the package', async () => {
    const { stdout } = await runCli(['--version'])
    expect(stdout.trim()).toBe(
      JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')).version,
    )
  })
})

describe('invalid usage exits with 2 and explains the fix for', () => {
  it.each([
    ['a misspelled command', ['sned'], 'Did you mean send?'],
    ['a misspelled subcommand', ['endpoints', 'crate'], 'Did you mean create?'],
    ['a misspelled option', ['send', 'qr.scanned', '--to', URL, '--retri'], 'Did you mean --retry?'],
    ['an unknown option', ['send', 'qr.scanned', '--to', URL, '--color'], "unknown option '--color'"],
    ['a missing option', ['send', 'qr.scanned'], '--to <url>'],
    ['an address without a scheme', ['send', 'qr.scanned', '--to', 'localhost'], 'Expected an http or https URL'],
    ['an address with a password', ['doctor', 'http://me:pass@127.0.0.1/'], 'must not contain a user name'],
    ['a count that is not a number', ['send', 'qr.scanned', '--to', URL, '--count', 'many'], 'from 1 to 100000'],
    ['a fractional count', ['send', 'qr.scanned', '--to', URL, '--count', '1.5'], 'whole number'],
    ['a misspelled event', ['send', 'payment.fialed', '--to', URL], 'Did you mean "payment.failed"?'],
    ['an event like no other', ['send', 'nonsense', '--to', URL], 'Known events: qr.created,'],
    ['a misspelled event to subscribe to', [...CREATE, '--event', 'qr.scaned'], 'Did you mean "qr.scanned"?'],
    ['a newer event to subscribe to', [...CREATE, '--event', 'invoice.sent'], 'add --unknown'],
    ['nothing to send', ['send', '--to', URL], 'Name an event or a file'],
    [
      'data that is not an object',
      ['send', 'qr.scanned', '--data', '[1]', '--to', URL],
      '--data must be a JSON object',
    ],
    ['contradicting options', ['send', 'qr.scanned', '--to', URL, '--retry', '--tamper'], "--retry can't be combined"],
    ['a misspelled event to examine', ['doctor', URL, '--event', 'qr.creatd'], 'Did you mean "qr.created"?'],
    ['a missing file', ['verify', '--body', 'none', '--signature', 'x'], "Can't read none (ENOENT)"],
    [
      'two signatures',
      ['verify', '--body', '-', '--signature', 'x', '--headers', 'y'],
      'either --signature or --headers',
    ],
    ['nothing to change', ['endpoints', 'update', 'wh-001'], 'Nothing to change'],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await runCli(args, { env: { GOVALID_WEBHOOK_SECRET: 'a secret' } })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain(message)
  })
})

describe('a secret on the command line', () => {
  const SECRET = 'correct-horse-battery'

  it.each([
    ['--secret', ['send', 'qr.scanned', '--to', URL, '--secret', SECRET]],
    ['--secret=', ['send', 'qr.scanned', '--to', URL, `--secret=${SECRET}`]],
    ['--api-key', ['endpoints', 'list', '--api-key', SECRET]],
    ['a mistyped option', ['send', 'qr.scanned', '--to', URL, `--secrt=${SECRET}`]],
    ['the name of a variable', ['send', 'qr.scanned', '--to', URL, '--secret-env', SECRET]],
    ['a possible name of a variable', ['send', 'qr.scanned', '--to', URL, '--secret-env', SECRET.replaceAll('-', '_')]],
  ])('as %s is refused and not repeated', async (_, args) => {
    const { code, stdout, stderr } = await runCli(args)
    expect(code).toBe(2)
    expect(stdout + stderr).not.toMatch(/correct.horse/)
    expect(stderr).not.toBe('')
  })
})

describe('a secret in the environment', () => {
  it.each([
    ['is not set', {}],
    ['is blank', { GOVALID_WEBHOOK_SECRET: ' ' }],
  ])('that %s is reported with the command that sets it', async (problem, env: Record<string, string>) => {
    const { code, stderr } = await runCli(['send', 'qr.scanned', '--to', URL], { env })
    expect(code).toBe(2)
    expect(stderr).toContain(`GOVALID_WEBHOOK_SECRET ${problem}. Run: export GOVALID_WEBHOOK_SECRET=`)
  })
})

describe('a reader that closes the pipe', () => {
  const start = temporaryServers()

  it('ends the command without an error message', async () => {
    const url = await start((request, response) => void request.resume().on('end', () => response.end()))
    const child = spawn('sh', ['-c', `'${binary()}' doctor ${url} | head -n 1`], {
      env: cleanEnv({ GOVALID_WEBHOOK_SECRET: 'a secret' }),
    })
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text
    })
    await new Promise((resolve) => child.on('close', resolve))
    expect(errors).toBe('')
  })
})

describe.each(nodesOnPath())('on Node $version', ({ file }) => {
  it('the command line starts', () => {
    const cli = join(inject('packed').consumer, 'node_modules/govalid-webhooks/dist/cli.js')
    expect(execFileSync(file, [cli, 'send', '--help']).toString()).toContain('Usage: govalid-webhooks send')
  })
})
