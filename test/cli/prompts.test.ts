/** Prompts at a real pseudo-terminal. Skipped if python3 isn't installed, which creates the terminal. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { toHandler } from '../../src/adapters/node.js'
import { createReceiver } from '../../src/index.js'
import { binary, cleanEnv, temporaryServers } from '../support/command-line.js'
import { startGoValidApi } from '../support/govalid-api.js'
import { describeWith } from '../support/requirement.js'

const SECRET = 'typed-by-hand'
const start = temporaryServers()
const hasPython = spawnSync('python3', ['-c', 'import pty']).status === 0

// Types each reply after its question has appeared, prints the whole screen, and exits with the program's exit code.
const TYPIST = `
import json, os, pty, sys
command, typed = json.loads(sys.argv[1]), json.loads(sys.argv[2])
pid, terminal = pty.fork()
if pid == 0: os.execv(command[0], command)
screen = b''
while True:
    try: part = os.read(terminal, 4096)
    except OSError: break
    if not part: break
    screen += part
    if typed and typed[0][0].encode() in screen:
        os.write(terminal, typed.pop(0)[1].encode())
sys.stdout.buffer.write(screen)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status))
`

/** Runs the command line at a terminal. Resolves to the exit code and the text on the screen. */
function runAtTerminal(
  args: readonly string[],
  typed: readonly (readonly [question: string, reply: string])[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
) {
  const command = JSON.stringify([binary(), ...args])
  const child = spawn('python3', ['-c', TYPIST, command, JSON.stringify(typed)], {
    env: cleanEnv({ TERM: 'xterm', ...env }),
    cwd,
  })
  let screen = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text
  })
  return new Promise<{ code: number | null; screen: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, screen })),
  )
}

const stops: (() => Promise<void>)[] = []
afterEach(() => Promise.all(stops.splice(0).map((stop) => stop())))

describeWith('python3', hasPython, 'at a terminal', () => {
  const serve = (handled: string[] = []) =>
    start(
      toHandler(createReceiver({ secret: SECRET, onError: () => {} }).on('*', ({ event }) => void handled.push(event))),
    )

  it('asks for a missing secret and never shows it', async () => {
    const { code, screen } = await runAtTerminal(
      ['send', 'qr.scanned', '--to', await serve()],
      [['secret', `${SECRET}\r`]],
    )
    expect(code).toBe(0)
    expect(screen).toContain('Enter the webhook secret (GOVALID_WEBHOOK_SECRET is not set): ')
    expect(screen).toContain('200 processed')
    expect(screen).not.toContain(SECRET)
  })

  it('exits with 2 if no secret is typed', async () => {
    const { code, screen } = await runAtTerminal(['send', 'qr.scanned', '--to', await serve()], [['secret', '\r']])
    expect(code).toBe(2)
    expect(screen).toContain('This command needs the webhook secret.')
  })

  it('exits with 130 on Ctrl-C', async () => {
    const { code } = await runAtTerminal(['send', 'qr.scanned', '--to', await serve()], [['secret', '\u0003']])
    expect(code).toBe(130)
  })

  it('sends test events only after a confirmation of the URL', async () => {
    const handled: string[] = []
    const url = await serve(handled)
    const args = ['doctor', url, '--event', 'qr.scanned']
    const no = await runAtTerminal(args, [['[y/N]', 'n\r']], { GOVALID_WEBHOOK_SECRET: SECRET })
    expect([no.code, handled]).toEqual([2, []])
    expect(no.screen).toContain(`Send them to ${url}? [y/N]`)
    const yes = await runAtTerminal(args, [['[y/N]', 'yes\r']], { GOVALID_WEBHOOK_SECRET: SECRET })
    expect([yes.code, handled]).toEqual([0, ['qr.scanned']])
  })

  it('deletes an endpoint only after a confirmation', async () => {
    const api = await startGoValidApi({ apiKey: 'gv_1' })
    stops.push(api.close)
    const env = { GOVALID_API_KEY: 'gv_1' }
    const remove = ['endpoints', 'delete', 'wh-001', '--base-url', api.baseUrl]
    expect((await runAtTerminal(remove, [['[y/N]', '\r']], env)).code).toBe(2)
    expect(api.requests).toEqual([])
    await runAtTerminal(remove, [['[y/N]', 'y\r']], env)
    expect(api.requests.map(({ line }) => line)).toEqual(['DELETE /api/v1/webhooks/wh-001/'])
  })

  it('overwrites a file only after a confirmation of its name', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'govalid-init-'))
    stops.push(async () => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(join(folder, 'package.json'), '{}')
    mkdirSync(join(folder, 'webhooks'))
    const file = join(folder, 'webhooks/server.mjs')
    writeFileSync(file, '// mine')
    const no = await runAtTerminal(['init'], [['[y/N]', 'n\r']], {}, folder)
    expect([no.code, readFileSync(file, 'utf8')]).toEqual([0, '// mine'])
    expect(no.screen).toContain('Overwrite webhooks/server.mjs? [y/N]')
    await runAtTerminal(['init'], [['[y/N]', 'y\r']], {}, folder)
    expect(readFileSync(file, 'utf8')).toContain('createServer')
  })

  it('prints colors, but not with NO_COLOR or on a dumb terminal', async () => {
    const send = ['send', 'qr.scanned', '--to', await serve()]
    const env = { GOVALID_WEBHOOK_SECRET: SECRET }
    expect((await runAtTerminal(send, [], env)).screen).toContain('\u001b[32m✓\u001b[39m')
    expect((await runAtTerminal(send, [], { ...env, NO_COLOR: '1' })).screen).not.toContain('\u001b[3')
    expect((await runAtTerminal(send, [], { ...env, TERM: 'dumb' })).screen).not.toContain('\u001b[')
  })

  it('shows progress and removes it at the end', async () => {
    const args = ['send', 'qr.scanned', '--count', '40', '--to', await serve()]
    const { screen } = await runAtTerminal(args, [], { GOVALID_WEBHOOK_SECRET: SECRET })
    expect(screen).toContain('\r\u001b[K7 of 40 sent')
    expect(screen.lastIndexOf('\r\u001b[K')).toBeLessThan(screen.indexOf('40 sent: 40 × 200'))
  })
})
