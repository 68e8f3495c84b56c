/** What is asked at a terminal: a real pseudo-terminal, on which somebody types. Skipped by name where there is no python3 to make one. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { toHandler } from '../../src/adapters/node.js'
import { createReceiver } from '../../src/index.js'
import { binary, cleanEnv, temporaryServers } from '../support/command-line.js'
import { startGoValidApi } from '../support/govalid-api.js'

const SECRET = 'typed-by-hand'
const start = temporaryServers()
const hasPython = spawnSync('python3', ['-c', 'import pty']).status === 0

// Types each answer once its question has been printed; prints all that was on the screen, and ends as the program does.
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

/** Runs the command line at a terminal; gives the exit code and what was on the screen. */
function runAtTerminal(
  args: readonly string[],
  typed: readonly (readonly [question: string, response: string])[],
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

describe.runIf(hasPython)('at a terminal', () => {
  const serve = (handled: string[] = []) =>
    start(
      toHandler(createReceiver({ secret: SECRET, onError: () => {} }).on('*', ({ event }) => void handled.push(event))),
    )

  it('a secret that is not in the environment is asked for, and never shown', async () => {
    const { code, screen } = await runAtTerminal(
      ['send', 'qr.scanned', '--to', await serve()],
      [['secret', `${SECRET}\r`]],
    )
    expect(code).toBe(0)
    expect(screen).toContain('the webhook secret (GOVALID_WEBHOOK_SECRET is not set): ')
    expect(screen).toContain('200 processed')
    expect(screen).not.toContain(SECRET)
  })

  it('no secret is wrong use', async () => {
    const { code, screen } = await runAtTerminal(['send', 'qr.scanned', '--to', await serve()], [['secret', '\r']])
    expect(code).toBe(2)
    expect(screen).toContain('Without the webhook secret there is nothing to do.')
  })

  it('Ctrl-C ends it', async () => {
    const { code } = await runAtTerminal(['send', 'qr.scanned', '--to', await serve()], [['secret', '\u0003']])
    expect(code).toBe(130)
  })

  it('made-up events are sent only after a yes to the address', async () => {
    const handled: string[] = []
    const url = await serve(handled)
    const args = ['doctor', url, '--event', 'qr.scanned']
    const no = await runAtTerminal(args, [['[y/N]', 'n\r']], { GOVALID_WEBHOOK_SECRET: SECRET })
    expect([no.code, handled]).toEqual([2, []])
    expect(no.screen).toContain(`Send them to ${url}? [y/N]`)
    const yes = await runAtTerminal(args, [['[y/N]', 'yes\r']], { GOVALID_WEBHOOK_SECRET: SECRET })
    expect([yes.code, handled]).toEqual([0, ['qr.scanned']])
  })

  it('an endpoint is removed only after a yes', async () => {
    const api = await startGoValidApi({ apiKey: 'gv_1' })
    stops.push(api.close)
    const env = { GOVALID_API_KEY: 'gv_1' }
    const remove = ['endpoints', 'delete', 'wh-001', '--base-url', api.baseUrl]
    expect((await runAtTerminal(remove, [['[y/N]', '\r']], env)).code).toBe(2)
    expect(api.requests).toEqual([])
    await runAtTerminal(remove, [['[y/N]', 'y\r']], env)
    expect(api.requests.map(({ line }) => line)).toEqual(['DELETE /api/v1/webhooks/wh-001/'])
  })

  it('a file is overwritten only after a yes to its name', async () => {
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

  it('there are colours, and with NO_COLOR there are none', async () => {
    const send = ['send', 'qr.scanned', '--to', await serve()]
    const env = { GOVALID_WEBHOOK_SECRET: SECRET }
    expect((await runAtTerminal(send, [], env)).screen).toContain('\u001b[32m✓\u001b[39m')
    expect((await runAtTerminal(send, [], { ...env, NO_COLOR: '1' })).screen).not.toContain('\u001b[3')
    expect((await runAtTerminal(send, [], { ...env, TERM: 'dumb' })).screen).not.toContain('\u001b[')
  })

  it('long work shows its progress, and takes it away', async () => {
    const args = ['send', 'qr.scanned', '--count', '40', '--to', await serve()]
    const { screen } = await runAtTerminal(args, [], { GOVALID_WEBHOOK_SECRET: SECRET })
    expect(screen).toContain('\r\u001b[K7 of 40 sent')
    expect(screen.lastIndexOf('\r\u001b[K')).toBeLessThan(screen.indexOf('40 sent: 40 × 200'))
  })
})

describe.skipIf(hasPython)('at a terminal', () => {
  it.skip('python3 was not found to make one', () => {})
})
