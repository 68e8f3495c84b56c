/** The copied curl command in a real shell, and the copied test in a real test runner. Tests that need curl are skipped without it. */
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, inject, it } from 'vitest'
import { cleanEnv, temporaryFolder } from '../support/command-line.js'
import { deliver, eventBody, type Listening, temporaryListening } from '../support/listening.js'
import { project, typeScript } from '../support/project.js'
import { rawRequest } from '../support/raw-request.js'
import { describeWith } from '../support/requirement.js'
import { runCli } from '../support/run-cli.js'

const run = promisify(execFile)
const start = temporaryListening()
const cwd = temporaryFolder()
let logs = 0
const listen = () => start({ cwd, args: ['--file', `log-${logs++}.jsonl`] })
const hasCurl = spawnSync('curl', ['--version']).status === 0
const newest = async (listening: Listening) => listening.details((await listening.list())[0]!.id)

const BODIES: readonly (readonly [string, Uint8Array])[] = [
  ['an event', Buffer.from(eventBody('qr.scanned', { qr_title: 'Étiquette' }))],
  [
    'quotes and shell commands',
    Buffer.from(`{"a":"'; touch planted; echo '","b":"$(touch planted) \`touch planted\` !!"}`),
  ],
  ['a file name after @', Buffer.from('@/etc/passwd')],
  ['line breaks', Buffer.from('{\r\n"event":\n"qr.created"}\n\n')],
  ['terminal control sequences', Buffer.from('{"a":"\u001b[201~\u0003\u0015touch planted\n"}')],
  ['direction marks', Buffer.from('{"a":"\u202e\u2066\u200b"}')],
  ['bytes that are not text', Buffer.from([0xff, 0xfe, 0x00, 0x27, 0x0a])],
  ['nothing', Buffer.alloc(0)],
  ['a megabyte', Buffer.from(eventBody('qr.scanned', { long: 'x'.repeat(1_000_000) }))],
]

describeWith('curl', hasCurl, 'the copied curl command', () => {
  it.each(BODIES)('sends the same body and headers: %s', async (_, body) => {
    const listening = await listen()
    await deliver(listening, body, undefined, {
      'x-quote': `it's "$(touch planted)"`,
      'x-latin': 'caf\u00e9',
      'x-empty': '',
    })
    const first = await newest(listening)
    expect(first.curl).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u)
    const script = join(cwd, 'command.sh')
    writeFileSync(script, first.curl)
    const { stdout } = await run('sh', [script], { cwd })
    expect(stdout).toMatch(/^HTTP\/1\.1 200 /)
    const second = await newest(listening)
    expect(second.summary.id).not.toBe(first.summary.id)
    expect([second.summary.attempt, second.summary.verified, second.body]).toEqual([2, true, first.body])
    const own = ['host', 'connection', 'content-length']
    const kept = (headers: typeof first.headers) =>
      Object.fromEntries(headers.filter(([name]) => !own.includes(name.toLowerCase())))
    expect(kept(second.headers)).toEqual(kept(first.headers))
    expect(spawnSync('ls', ['planted'], { cwd }).status).not.toBe(0)
  })

  it('keeps the method and adds no content type', async () => {
    const listening = await listen()
    await rawRequest(listening.endpoint, { method: 'PUT' })
    const first = await newest(listening)
    await run('sh', ['-c', first.curl], { cwd })
    const second = await newest(listening)
    expect(second.summary).toMatchObject({ method: 'PUT', status: 405, bytes: 0 })
    expect(second.headers.map(([name]) => name.toLowerCase())).not.toContain('content-type')
  })
})

/** Runs `init` in a project, copies a delivery as a test, saves it where its first line says, and returns the command of that line. */
async function copyTest(folder: string, initArgs: readonly string[] = []) {
  expect((await runCli(['init', ...initArgs], { cwd: folder })).code).toBe(0)
  const listening = await start({ cwd: folder })
  await deliver(listening, eventBody('qr.scanned'))
  const { test } = await newest(listening)
  const [, file = '', command = ''] = /^\/\/ Save this file as (\S+) and run: (.+)\n/.exec(test) ?? []
  writeFileSync(join(folder, file), test)
  return { file, command, test }
}

describe('the copied test, after init', () => {
  it.each([
    ['a plain project', () => project([]), [], 'webhooks/delivery.test.mjs'],
    ['a project with ES modules', () => project(['express'], { type: 'module' }), [], 'webhooks/delivery.test.js'],
    [
      'a project with init --framework next',
      () => project([]),
      ['--framework', 'next'],
      'app/webhooks/govalid/delivery.test.js',
    ],
    ['a project with vitest', () => project(['vitest']), [], 'webhooks/delivery.test.mjs'],
  ] as const)('passes in %s', async (_, make, initArgs, expected) => {
    const folder = make()
    const { file, command } = await copyTest(folder, initArgs)
    expect(file).toBe(expected)
    const [, tool, args] = /^(npx vitest|node) (.+)$/.exec(command) ?? []
    const program = tool === 'node' ? [] : [join(import.meta.dirname, '../../node_modules/vitest/vitest.mjs')]
    const ran = run(process.execPath, [...program, ...(args ?? '').split(' ')], { cwd: folder, env: cleanEnv() })
    expect((await ran).stdout).toMatch(/pass(ed)?/)
  })

  it('compiles in a TypeScript project', async () => {
    const folder = typeScript(project([]))
    const { file, command } = await copyTest(folder)
    expect([file, command]).toEqual(['webhooks/delivery.test.ts', 'npx tsx --test webhooks/delivery.test.ts'])
    const tsc = join(import.meta.dirname, '../../node_modules/typescript/bin/tsc')
    expect(() => execFileSync(process.execPath, [tsc, '-p', folder], { cwd: folder, stdio: 'pipe' })).not.toThrow()
  })
})

describe('the copied test, without init', () => {
  it('passes on the recorded delivery', async () => {
    const listening = await listen()
    await deliver(listening, eventBody('qr.scanned', { qr_title: '\u202e"; process.exit(0) //' }))
    await deliver(listening, eventBody('qr.x"); process.exit(0); ("\u2028'))
    const folder = join(inject('packed').consumer, 'copied-tests')
    mkdirSync(folder, { recursive: true })
    writeFileSync(
      join(folder, 'receiver.js'),
      `import { createReceiver } from 'govalid-webhooks'
export const createWebhookReceiver = (options) => createReceiver(options).on('*', () => {}).onUnknown(() => {})`,
    )
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    for (const [index, { id }] of (await listening.list()).entries()) {
      const { test } = await listening.details(id)
      expect(test).toContain('Replace ./receiver.js with the path of your receiver.')
      writeFileSync(join(folder, `copied-${index}.test.js`), test)
    }
    const { stdout } = await run(
      process.execPath,
      ['--test', '--test-reporter=tap', folder.concat('/copied-0.test.js'), folder.concat('/copied-1.test.js')],
      { cwd: folder },
    )
    expect(stdout).toMatch(/# pass 2\n# fail 0/)
  })

  it('fails on a receiver that does not process the delivery', async () => {
    const listening = await listen()
    await deliver(listening, eventBody('qr.scanned'))
    const { test } = await newest(listening)
    const folder = join(inject('packed').consumer, 'failing-test')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    writeFileSync(
      join(folder, 'receiver.js'),
      `import { createReceiver } from 'govalid-webhooks'
export const createWebhookReceiver = (options) => createReceiver({ ...options, onError: () => {} }).on('*', () => { throw new Error('no') })`,
    )
    writeFileSync(join(folder, 'copied.test.js'), test)
    await expect(run(process.execPath, ['--test', join(folder, 'copied.test.js')], { cwd: folder })).rejects.toThrow()
  })
})
