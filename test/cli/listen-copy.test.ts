/** The copied curl command in a real shell, and the copied test in a real test runner. Tests that need curl are skipped without it. */
import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, inject, it } from 'vitest'
import { EVENT_TYPES } from '../../src/events/event-types.js'
import { createEvent } from '../../src/testing/create-event.js'
import { cleanEnv, temporaryFolder } from '../support/command-line.js'
import { deliver, eventBody, type Listening, signatureOf, temporaryListening } from '../support/listening.js'
import { compile, project, typeScript } from '../support/project.js'
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
    expect(compile(folder)).toEqual([])
  })
})

describe('the copied tests of every kind of delivery', () => {
  it('pass against the receiver that init wrote', async () => {
    const folder = project([], { type: 'module' })
    expect((await runCli(['init'], { cwd: folder })).code).toBe(0)
    const listening = await start({ cwd: folder })
    for (const event of EVENT_TYPES) await deliver(listening, JSON.stringify(createEvent(event)))
    await deliver(listening, eventBody('qr.scanned', { kind: 'forged' }), signatureOf('another body'))
    await deliver(listening, eventBody('qr.scanned', { kind: 'unsigned' }), null)
    await deliver(listening, eventBody('qr.newer'))
    await deliver(listening, 'not JSON')
    await deliver(listening, eventBody('qr.scanned', {}, { timestamp: '2020-01-01T00:00:00Z' }))
    await rawRequest(listening.endpoint, { method: 'PUT' })
    const titles: string[] = []
    const files: string[] = []
    for (const [index, { id }] of (await listening.list()).entries()) {
      const { test } = await listening.details(id)
      titles.push(/test\("(.+)",/.exec(test)?.[1] ?? '')
      files.push(join(folder, `webhooks/copied-${index}.test.js`))
      writeFileSync(files.at(-1) as string, test)
    }
    expect(titles.slice(0, 6)).toEqual([
      'the recorded (no body) is refused',
      'the recorded qr.scanned is quarantined',
      'the recorded (not JSON) is quarantined',
      'the recorded qr.newer is processed',
      'the recorded qr.scanned is refused',
      'the recorded qr.scanned is refused',
    ])
    const args = ['--test', '--test-reporter=tap', ...files]
    const { stdout } = await run(process.execPath, args, { cwd: folder, env: cleanEnv() })
    expect(stdout).toMatch(new RegExp(`# pass ${EVENT_TYPES.length + 6}\n# fail 0`))
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
