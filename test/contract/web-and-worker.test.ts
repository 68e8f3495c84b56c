/** The web-and-worker example as a person runs it: one process accepts, one processes, and each can be stopped or killed alone. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sentAt, timestamp } from '../../examples/demo/guide-payload.js'
import { send, sign } from '../../examples/demo/sender.js'
import { freePort, startServer } from '../../examples/demo/server-process.js'

const EXAMPLE = join(import.meta.dirname, '../../examples/web-and-worker')
const SECRET = 'your_webhook_secret'

let folder: string
const workers: ChildProcess[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'govalid-web-and-worker-'))
  process.env['WEBHOOKS_DB'] = join(folder, 'webhooks.db')
  process.env['HANDLER_MS'] = '50'
})

afterEach(async () => {
  for (const worker of workers.splice(0)) {
    if (worker.exitCode === null && worker.signalCode === null) {
      worker.kill('SIGKILL')
      await once(worker, 'exit')
    }
  }
  rmSync(folder, { recursive: true })
})

function startWorker() {
  const env = { ...process.env, GOVALID_WEBHOOK_SECRET: SECRET }
  const worker = spawn(process.execPath, [join(EXAMPLE, 'worker.ts')], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  workers.push(worker)
  const lines: string[] = []
  createInterface({ input: worker.stdout }).on('line', (line) => lines.push(line))
  return { worker, lines }
}

test('the web process accepts without a running worker, and a later worker processes each delivery once', async () => {
  const web = await startServer([process.execPath, join(EXAMPLE, 'web.ts')], SECRET)
  const delivery = await sign(sentAt(timestamp()), SECRET)
  expect((await send(web.url, delivery)).text).toBe('200 accepted')
  expect((await send(web.url, delivery)).text).toBe('200 accepted')
  expect((await send(web.url, await sign(sentAt(timestamp()), 'a guess'))).text).toBe('401 refused')
  await web.stop()

  const { worker, lines } = startWorker()
  await expect.poll(() => lines, { timeout: 20_000 }).toEqual(['qr.scanned: Product Certificate #001, scan 15'])
  worker.kill()
  expect(await once(worker, 'exit')).toEqual([0, null])

  const next = startWorker()
  await new Promise((resolve) => setTimeout(resolve, 3000))
  expect(next.lines).toEqual([])
})

test('a worker that gets SIGTERM finishes its running delivery, and the next worker has nothing to do (acceptance case 184)', async () => {
  process.env['HANDLER_MS'] = '1500'
  const web = await startServer([process.execPath, join(EXAMPLE, 'web.ts')], SECRET)
  expect((await send(web.url, await sign(sentAt(timestamp()), SECRET))).text).toBe('200 accepted')
  await web.stop()
  const { worker, lines } = startWorker()
  await expect.poll(() => isTaken(join(folder, 'webhooks.db')), { timeout: 20_000 }).toBe(true)
  worker.kill('SIGTERM')
  expect(await once(worker, 'exit')).toEqual([0, null])
  expect(lines).toEqual(['qr.scanned: Product Certificate #001, scan 15'])

  const next = startWorker()
  await new Promise((resolve) => setTimeout(resolve, 3000))
  expect(next.lines).toEqual([])
})

test.each([
  ['Ctrl-C, which sends SIGINT to every process of the terminal', 'SIGINT', 'group'],
  ['SIGTERM to the process that started both', 'SIGTERM', 'starter'],
] as const)('both processes end after %s, and the worker finishes its running delivery', async (_, signal, to) => {
  process.env['HANDLER_MS'] = '1500'
  const env = { ...process.env, GOVALID_WEBHOOK_SECRET: SECRET, PORT: String(await freePort()) }
  const starter = spawn(process.execPath, [join(EXAMPLE, 'start.ts')], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const group = -(starter.pid as number)
  try {
    const ended = once(starter, 'exit')
    const lines: string[] = []
    createInterface({ input: starter.stdout }).on('line', (line) => lines.push(line))
    await expect.poll(() => lines, { timeout: 20_000 }).toHaveLength(1)
    const url = `http://127.0.0.1:${env.PORT}/webhooks/govalid`
    expect((await send(url, await sign(sentAt(timestamp()), SECRET))).text).toBe('200 accepted')
    await expect.poll(() => isTaken(join(folder, 'webhooks.db')), { timeout: 20_000 }).toBe(true)
    process.kill(to === 'group' ? group : -group, signal)
    expect(await ended).toEqual([0, null])
    expect(lines.slice(1)).toEqual(['qr.scanned: Product Certificate #001, scan 15'])
    expect(waitingIn(join(folder, 'webhooks.db'))).toBe(0)
  } finally {
    try {
      process.kill(group, 'SIGKILL')
    } catch {
      // The process group has already ended.
    }
  }
})

/** Counts the deliveries in the file. */
function waitingIn(file: string): unknown {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 1000 })
  try {
    return database.prepare('SELECT count(*) AS waiting FROM govalid_inbox').get()?.['waiting']
  } finally {
    database.close()
  }
}

/** Whether a worker holds the only delivery in the file. */
function isTaken(file: string): boolean {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 1000 })
  try {
    return database.prepare('SELECT 1 FROM govalid_inbox WHERE lease_until > 0').get() !== undefined
  } finally {
    database.close()
  }
}

test('one command starts both processes, and the worker processes the deliveries that the web process accepts', async () => {
  const { url, printed, stop } = await startServer([process.execPath, join(EXAMPLE, 'start.ts')], SECRET)
  expect((await send(url, await sign(sentAt(timestamp()), SECRET))).text).toBe('200 accepted')
  await expect
    .poll(async () => (await printed.take(1)).join(), { timeout: 20_000 })
    .toContain('qr.scanned: Product Certificate #001, scan 15')
  await stop()
})
