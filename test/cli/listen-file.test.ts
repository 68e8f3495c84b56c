/** The log file of `listen`: restarts, crashes, limits and locking. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../support/command-line.js'
import { deliver, eventBody, LISTEN_SECRET, temporaryListening } from '../support/listening.js'
import { runCli } from '../support/run-cli.js'

const start = temporaryListening()
const root = temporaryFolder()
let folders = 0
const folder = () => {
  const path = join(root, `project-${folders++}`)
  mkdirSync(path)
  return path
}
const FILE = '.govalid-webhooks/deliveries.jsonl'
const linesOf = (cwd: string) => readFileSync(join(cwd, FILE), 'utf8').split('\n')

describe('a restart', () => {
  it('keeps the bytes, responses and attempts', async () => {
    const cwd = folder()
    const first = await start({ cwd })
    const body = eventBody('qr.scanned', { note: 'é\u0000\u202e' })
    await deliver(first, body)
    await deliver(first, Buffer.from([0xff, 0, 0x0d, 0x0a]), null)
    await deliver(first, body)
    const before = await first.list()
    expect(await first.stop()).toBe(0)
    const second = await start({ cwd })
    expect(await second.list()).toEqual(before)
    expect(before.map(({ attempt, status }) => [attempt, status])).toEqual([
      [2, 200],
      [1, 401],
      [1, 200],
    ])
    await deliver(second, body)
    expect((await second.list())[0]?.attempt).toBe(3)
    const details = await second.details(before[1]!.id)
    expect(details.body).toBe(Buffer.from([0xff, 0, 0x0d, 0x0a]).toString('base64'))
  })

  it('after kill -9 keeps every delivery that got a response', async () => {
    const cwd = folder()
    const first = await start({ cwd })
    for (let number = 0; number < 20; number++) await deliver(first, eventBody('qr.created', { number }))
    await first.stop('SIGKILL')
    const second = await start({ cwd })
    const list = await second.list()
    expect(list.map(({ finished }) => finished)).toEqual(new Array(20).fill(true))
  })

  it('changes the token', async () => {
    const cwd = folder()
    const first = await start({ cwd })
    await first.stop()
    const second = await start({ cwd })
    expect(second.token).not.toBe(first.token)
    expect((await second.ask('GET', 'deliveries', undefined, { 'x-inspector-token': first.token })).status).toBe(401)
  })
})

describe('the file', () => {
  it('may end in an incomplete line and contain other invalid lines', async () => {
    const cwd = folder()
    const first = await start({ cwd })
    await deliver(first, eventBody('qr.scanned'))
    await deliver(first, eventBody('qr.created'))
    await first.stop()
    const [line = ''] = linesOf(cwd)
    appendFileSync(
      join(cwd, FILE),
      `null\n[]\n{"id":7}\n\u0000\n{"responseTo":"x","response":{}}\n${line.slice(0, 200)}`,
    )
    const second = await start({ cwd })
    expect((await second.list()).map(({ event }) => event)).toEqual(['qr.created', 'qr.scanned'])
    await deliver(second, eventBody('qr.deleted'))
    await second.stop()
    const third = await start({ cwd })
    expect((await third.list()).map(({ event }) => event)).toEqual(['qr.deleted', 'qr.created', 'qr.scanned'])
  })

  it('is compacted to the last 1,000 deliveries on start', async () => {
    const cwd = folder()
    const first = await start({ cwd })
    await deliver(first, eventBody('qr.scanned'))
    await first.stop()
    const record = JSON.parse(linesOf(cwd)[0] ?? '')
    const many = Array.from({ length: 1500 }, (_, number) => JSON.stringify({ ...record, id: `id-${number}` }))
    writeFileSync(join(cwd, FILE), `${many.join('\n')}\n`)
    const second = await start({ cwd })
    const list = await second.list()
    expect([list.length, list[0]?.id, list.at(-1)?.id]).toEqual([1000, 'id-1499', 'id-500'])
    expect(linesOf(cwd)).toHaveLength(1001)
    await deliver(second, eventBody('qr.created'))
    expect((await second.list()).at(-1)?.id).toBe('id-501')
    expect(await second.list()).toHaveLength(1000)
  })

  it('is compacted while listen runs', async () => {
    const cwd = folder()
    const listening = await start({ cwd })
    const body = eventBody('qr.scanned', { long: 'x'.repeat(700_000) })
    await deliver(listening, body)
    await listening.ask('DELETE', 'deliveries')
    expect(statSync(join(cwd, FILE)).size).toBe(0)
    expect(await listening.list()).toEqual([])
    for (let number = 0; number < 8; number++) {
      await deliver(listening, body)
      if (number % 2 === 1) await listening.ask('DELETE', 'deliveries')
    }
    expect(statSync(join(cwd, FILE)).size).toBe(0)
  })

  it('is readable only by its owner and ignored by git', async () => {
    const cwd = folder()
    const listening = await start({ cwd })
    await deliver(listening, eventBody('qr.scanned'))
    expect(statSync(join(cwd, FILE)).mode & 0o077).toBe(0)
    expect(readFileSync(join(cwd, '.govalid-webhooks/.gitignore'), 'utf8')).toBe('*\n')
  })

  it('is locked by one process at a time, and a lock of a dead process is ignored', async () => {
    const cwd = folder()
    const first = await start({ cwd })
    const env = { GOVALID_WEBHOOK_SECRET: LISTEN_SECRET }
    const { code, stderr } = await runCli(['listen', '--port', '0'], { cwd, env })
    expect([code, stderr]).toEqual([2, expect.stringContaining('Pass another --file')])
    await first.stop('SIGKILL')
    expect(existsSync(join(cwd, `${FILE}.lock`))).toBe(true)
    const second = await start({ cwd })
    await second.stop()
    expect(existsSync(join(cwd, `${FILE}.lock`))).toBe(false)
  })

  it('exits with 2 if it cannot be created', async () => {
    const cwd = folder()
    writeFileSync(join(cwd, 'file'), '')
    const env = { GOVALID_WEBHOOK_SECRET: LISTEN_SECRET }
    const { code, stderr } = await runCli(['listen', '--port', '0', '--file', 'file/log.jsonl'], { cwd, env })
    expect([code, stderr]).toEqual([2, expect.stringContaining("Can't save deliveries in")])
  })

  it('may become unwritable, and deliveries still get a response and are shown', async () => {
    const cwd = folder()
    const listening = await start({ cwd })
    rmSync(join(cwd, FILE))
    mkdirSync(join(cwd, FILE))
    expect((await deliver(listening, eventBody('qr.scanned'))).status).toBe(200)
    expect(await listening.list()).toMatchObject([{ event: 'qr.scanned', status: 200 }])
    expect(listening.output()).toMatch(/Can't write deliveries to the file \(.*deliveries\.jsonl isn't a regular file/)
  })
})
