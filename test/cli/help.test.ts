/** What the command line says of itself, how it ends when it is used wrongly, and what it never repeats. */
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { binary, cleanEnv, runCli, temporaryServers } from '../support/command-line.js'
import { nodesOnPath } from '../support/nodes.js'

const COMMANDS = ['listen', 'send', 'verify', 'doctor', 'endpoints', 'simulate', 'init']
const URL = 'http://127.0.0.1:9/'

describe('help', () => {
  it('names every command and every exit code', async () => {
    const { code, stdout, stderr } = await runCli(['--help'])
    expect([code, stderr]).toEqual([0, ''])
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'))
    expect(stdout).toMatch(/Exit codes:\n {2}0 .+\n {2}1 .+\n {2}2 /)
  })

  it.each([
    ...COMMANDS.map((command) => [command]),
    ...['list', 'create', 'update', 'delete', 'enable'].map((name) => ['endpoints', name]),
  ])('of %s %s tells its options, and hides the traps for secrets', async (...command) => {
    const { code, stdout } = await runCli([...command, '--help'])
    expect(code).toBe(0)
    expect(stdout).toContain(`Usage: govalid-webhooks ${command.join(' ')}`)
    expect(stdout).not.toMatch(/--secret |--api-key |--key /)
  })

  it('is shown with the exit code of wrong use where no command is named', async () => {
    const { code, stdout, stderr } = await runCli([])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain('Usage: govalid-webhooks')
  })

  it('names the version of the package', async () => {
    const { stdout } = await runCli(['--version'])
    expect(stdout.trim()).toBe(
      JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')).version,
    )
  })
})

describe('wrong use ends with 2 and says how it is right', () => {
  it.each([
    ['a command that does not exist', ['sned'], 'Did you mean send'],
    ['an option that does not exist', ['send', 'qr.scanned', '--to', URL, '--colour'], "unknown option '--colour'"],
    ['a missing option', ['send', 'qr.scanned'], '--to <url>'],
    ['no address', ['send', 'qr.scanned', '--to', 'localhost'], 'http or https'],
    ['an address with a password', ['doctor', 'http://me:pass@127.0.0.1/'], 'must not hold a user'],
    ['no number', ['send', 'qr.scanned', '--to', URL, '--count', 'many'], 'from 1 to 100000'],
    ['a broken number', ['send', 'qr.scanned', '--to', URL, '--count', '1.5'], 'whole number'],
    ['an event that does not exist', ['send', 'qr.scand', '--to', URL], 'Did you mean qr.scanned?'],
    ['an event like no other', ['send', 'nonsense', '--to', URL], 'The events are: qr.created,'],
    ['nothing to send', ['send', '--to', URL], 'Name an event or a file'],
    ['data that is no object', ['send', 'qr.scanned', '--data', '[1]', '--to', URL], '--data must be a JSON object'],
    ['contradictions', ['send', 'qr.scanned', '--to', URL, '--retry', '--tamper'], '--retry goes with neither'],
    ['an event to examine that does not exist', ['doctor', URL, '--event', 'qr.creatd'], 'Did you mean qr.created?'],
    ['a file that is not there', ['verify', '--body', 'none', '--signature', 'x'], 'none cannot be read (ENOENT)'],
    ['a signature in two ways', ['verify', '--body', '-', '--signature', 'x', '--headers', 'y'], 'in place of it'],
    ['nothing to change', ['endpoints', 'update', 'wh-001'], 'Say what is to change'],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await runCli(args, { env: { GOVALID_WEBHOOK_SECRET: 'a secret' } })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain(message)
  })
})

describe('a secret', () => {
  const SECRET = 'correct-horse-battery'

  it.each([
    ['--secret', ['send', 'qr.scanned', '--to', URL, '--secret', SECRET]],
    ['--secret=', ['send', 'qr.scanned', '--to', URL, `--secret=${SECRET}`]],
    ['--api-key', ['endpoints', 'list', '--api-key', SECRET]],
    ['a mistyped option', ['send', 'qr.scanned', '--to', URL, `--secrt=${SECRET}`]],
    ['the name of a variable', ['send', 'qr.scanned', '--to', URL, '--secret-env', SECRET]],
    [
      'the name of a variable, which it could be',
      ['send', 'qr.scanned', '--to', URL, '--secret-env', SECRET.replaceAll('-', '_')],
    ],
  ])('on the command line as %s is refused, and not repeated', async (_, args) => {
    const { code, stdout, stderr } = await runCli(args)
    expect(code).toBe(2)
    expect(stdout + stderr).not.toMatch(/correct.horse/)
    expect(stderr).not.toBe('')
  })

  it.each([
    ['is not set', {}],
    ['is blank', { GOVALID_WEBHOOK_SECRET: ' ' }],
  ])('that %s, with nobody to ask, is wrong use', async (why, env: Record<string, string>) => {
    const { code, stderr } = await runCli(['send', 'qr.scanned', '--to', URL], { env })
    expect(code).toBe(2)
    expect(stderr).toContain(`GOVALID_WEBHOOK_SECRET ${why}`)
  })
})

describe('a reader that has seen enough', () => {
  const start = temporaryServers()

  it('ends it without a word', async () => {
    const url = await start((request, response) => void request.resume().on('end', () => response.end()))
    const child = spawn('sh', ['-c', `'${binary()}' doctor ${url} | head -n 1`], {
      env: cleanEnv({ GOVALID_WEBHOOK_SECRET: 'a secret' }),
    })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    await new Promise((resolve) => child.on('close', resolve))
    expect(said).toBe('')
  })
})

describe.each(nodesOnPath())('on Node $version', ({ file }) => {
  it('it starts', () => {
    const cli = join(inject('packed').consumer, 'node_modules/govalid-webhooks/dist/cli.js')
    expect(execFileSync(file, [cli, 'send', '--help']).toString()).toContain('Usage: govalid-webhooks send')
  })
})
