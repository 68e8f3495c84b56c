/** The files of a folder that somebody else prepared: commands follow no link out of it and destroy no file that they didn't create. */
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../support/command-line.js'
import { type StandIn, startGoValidApi } from '../support/govalid-api.js'
import { LISTEN_SECRET } from '../support/listening.js'
import { runCli } from '../support/run-cli.js'

const root = temporaryFolder()
const API_KEY = 'gv_live_0123456789'
const PRECIOUS = 'precious\n'
let cases = 0
let folder: string
let outside: string
let api: StandIn

beforeEach(async () => {
  const base = join(root, `case-${cases++}`)
  folder = join(base, 'project')
  outside = join(base, 'outside')
  for (const path of [folder, outside]) mkdirSync(path, { recursive: true })
  writeFileSync(join(outside, 'precious'), PRECIOUS)
  writeFileSync(join(folder, 'package.json'), '{"dependencies":{"express":"5"}}')
  api = await startGoValidApi({ apiKey: API_KEY })
})
afterEach(async () => {
  await api.close()
  // Whatever a command did: nothing outside the folder has changed.
  expect(readdirSync(outside)).toEqual(['precious'])
  expect(readFileSync(join(outside, 'precious'), 'utf8')).toBe(PRECIOUS)
})

const run = (...args: readonly string[]) =>
  runCli(args, { cwd: folder, env: { GOVALID_WEBHOOK_SECRET: LISTEN_SECRET, GOVALID_API_KEY: API_KEY } })

const COMMANDS = {
  'listen, its file': ['.govalid-webhooks/deliveries.jsonl', ['listen', '--port', '0']],
  'listen, its lock': ['.govalid-webhooks/deliveries.jsonl.lock', ['listen', '--port', '0']],
  'listen, another file': ['logs/today.jsonl', ['listen', '--port', '0', '--file', 'logs/today.jsonl']],
  'listen, the lock of another file': ['today.jsonl.lock', ['listen', '--port', '0', '--file', 'today.jsonl']],
  'init, the receiver': ['webhooks/receiver.mjs', ['init']],
  'init --force, the receiver': ['webhooks/receiver.mjs', ['init', '--force']],
  'init, the endpoint': ['webhooks/server.mjs', ['init', '--force']],
  'init, the test': ['webhooks/receiver.test.mjs', ['init', '--force']],
  'init, the env example': ['.env.example', ['init']],
  'endpoints list, the state': ['counts.json', ['endpoints', 'list', '--state', 'counts.json']],
} as const

/** Ends with the base URL for commands that use the API. */
const commandOf = (args: readonly string[]) => (args[0] === 'endpoints' ? [...args, '--base-url', api.baseUrl] : args)

describe.each(Object.entries(COMMANDS))('%s', (_, [file, args]) => {
  it.each([
    ['a file outside', () => join(outside, 'precious')],
    ['no file, outside', () => join(outside, 'new')],
  ])('exits with 2 if it is a symbolic link to %s', async (_to, target) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    symlinkSync(target(), join(folder, file))
    const { code, stderr } = await run(...commandOf(args))
    expect(code).toBe(2)
    expect(stderr).toMatch(/is a symbolic link, so this command doesn't use it\. Delete it/)
    expect(lstatSync(join(folder, file)).isSymbolicLink()).toBe(true)
  })

  it('exits with 2 if it is a folder', async () => {
    mkdirSync(join(folder, file), { recursive: true })
    const { code, stderr } = await run(...commandOf(args))
    expect([code, stderr]).toEqual([2, expect.stringContaining("isn't a regular file")])
  })
})

const IN_FOLDERS = Object.entries(COMMANDS).filter(([, [file]]) => file.includes('/'))

describe.each(IN_FOLDERS)('%s, in a folder', (_, [file, args]) => {
  it('exits with 2 if the folder is a symbolic link to a folder outside', async () => {
    symlinkSync(outside, join(folder, dirname(file)))
    const { code, stderr } = await run(...commandOf(args))
    expect([code, stderr]).toEqual([2, expect.stringContaining('leads out of this folder through a symbolic link')])
  })
})

describe('a file that a command did not create', () => {
  it.each(['notes.txt', 'data.jsonl'])('is not overwritten by listen: %s', async (name) => {
    const text = name === 'notes.txt' ? 'my notes' : '{"id":"1"}\n{"id":"2"}\n'
    writeFileSync(join(folder, name), text)
    const { code, stderr } = await run('listen', '--port', '0', '--file', name)
    expect([code, stderr]).toEqual([2, expect.stringContaining('contains no deliveries')])
    expect(readFileSync(join(folder, name), 'utf8')).toBe(text)
  })

  it('is not treated as a lock, and not deleted', async () => {
    writeFileSync(join(folder, 'log.jsonl.lock'), 'my notes')
    const { code, stderr } = await run('listen', '--port', '0', '--file', 'log.jsonl')
    expect([code, stderr]).toEqual([2, expect.stringContaining('is no lock of a listen command')])
    expect(readFileSync(join(folder, 'log.jsonl.lock'), 'utf8')).toBe('my notes')
  })

  it('is not used as a temporary file', async () => {
    for (const name of ['counts.json.new', 'counts.json.tmp'])
      symlinkSync(join(outside, 'precious'), join(folder, name))
    expect((await run(...commandOf(COMMANDS['endpoints list, the state'][1]))).code).toBe(0)
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual(['counts.json.tmp'])
  })

  it('keeps its content if it is an env example, even under two names', async () => {
    writeFileSync(join(folder, 'original'), 'A=1\n')
    linkSync(join(folder, 'original'), join(folder, '.env.example'))
    expect((await run('init')).code).toBe(0)
    expect(readFileSync(join(folder, '.env.example'), 'utf8')).toMatch(/^A=1\n\n# The webhook secret/)
    expect(readFileSync(join(folder, 'original'), 'utf8')).toBe('A=1\n')
  })
})

describe('init', () => {
  it('writes nothing if one of its files cannot be used', async () => {
    symlinkSync(join(outside, 'new'), join(folder, '.env.example'))
    expect((await run('init')).code).toBe(2)
    expect(existsSync(join(folder, 'webhooks'))).toBe(false)
  })

  it('follows a link that stays in the folder', async () => {
    mkdirSync(join(folder, 'real'))
    symlinkSync('real', join(folder, 'webhooks'))
    expect((await run('init')).code).toBe(0)
    expect(readdirSync(join(folder, 'real'))).toContain('receiver.mjs')
  })
})
