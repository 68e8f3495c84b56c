/**
 * `cloudflareQueueInbox` when its runtime dies: the test kills workerd with SIGKILL before, during and after the processing of a delivery,
 * and restarts it on the same D1 and R2. The Worker keeps the queue's messages in D1, as the platform would keep them.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { signDelivery } from '../../../src/testing/index.js'

const ROOT = join(import.meta.dirname, '../../..')
const SECRET = 'your_webhook_secret'
const folder = mkdtempSync(join(tmpdir(), 'govalid-queue-kill-'))
const eventually = <T>(check: () => Promise<T>) => vi.waitFor(check, { timeout: 25_000, interval: 100 })

interface State {
  readonly sent: readonly string[]
  readonly effects: readonly string[]
  readonly held: readonly string[]
  readonly objects: number
}

interface Runtime {
  state(): Promise<State>
  call(path: string): Promise<unknown>
  deliver(event: string, id: string, filler?: string): Promise<string>
  /** Kills every process of the runtime at once, with SIGKILL. */
  kill(): Promise<void>
}

const running = new Set<Runtime>()
afterAll(async () => {
  for (const runtime of running) await runtime.kill()
  rmSync(folder, { recursive: true, force: true })
})

/** Starts wrangler and its runtime on the state in the folder. */
async function start(): Promise<Runtime> {
  const config = join(ROOT, 'test/runtime/workerd/queue-kill/wrangler.jsonc')
  const options = ['--port', '0', '--inspector-port', '0', '--persist-to', join(folder, 'state')]
  const secret = ['--var', `GOVALID_WEBHOOK_SECRET:${SECRET}`]
  const wrangler = join(ROOT, 'node_modules/wrangler/bin/wrangler.js')
  const quiet = {
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    WRANGLER_SEND_METRICS: 'false',
    XDG_CONFIG_HOME: folder,
    CI: '1',
  }
  const child = spawn(process.execPath, [wrangler, 'dev', '-c', config, ...options, ...secret], {
    // Its own process group, so that the runtime dies with wrangler.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...quiet, WRANGLER_REGISTRY_PATH: join(folder, 'registry') },
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (printed += text))
  const url = await vi.waitFor(
    () => {
      const found = /Ready on (http:\/\/\S+)/.exec(printed)
      if (!found) throw new Error(`wrangler isn't ready: ${printed}`)
      return found[1] as string
    },
    { timeout: 60_000, interval: 100 },
  )
  const call = async (path: string) => (await fetch(new URL(path, url))).text()
  const runtime: Runtime = {
    call,
    state: async () => JSON.parse(await call('/state')) as State,
    async deliver(event, id, filler = '') {
      const payload = { event, timestamp: new Date().toISOString(), webhook_id: 'wh-001', data: { id, filler } }
      const { rawBody, headers } = await signDelivery(payload, { secret: SECRET })
      const response = await fetch(new URL('/webhooks/govalid', url), { method: 'POST', headers, body: rawBody })
      return `${response.status} ${((await response.json()) as { status: string }).status}`
    },
    async kill() {
      running.delete(runtime)
      const exited = once(child, 'exit')
      process.kill(-(child.pid as number), 'SIGKILL')
      await exited
      await eventually(() => expect(fetch(url)).rejects.toThrow())
    },
  }
  running.add(runtime)
  return runtime
}

const POINTS = ['before processing', 'in the handler', 'after the effect', 'before the acknowledgement']

test('an accepted delivery is processed once wherever the runtime is killed, and twice without the transaction (acceptance case 185)', {
  timeout: 240_000,
}, async () => {
  let runtime = await start()
  await runtime.call('/set-up')
  const ids: string[] = []
  for (const [index, point] of POINTS.entries()) {
    await runtime.call(`/hold?point=${point}`)
    const id = `killed ${point}`
    ids.push(id)
    // Every other delivery is too large for a message, so its body is stored in R2.
    expect(await runtime.deliver('qr.created', id, index % 2 === 0 ? 'x'.repeat(200_000) : '')).toBe('200 accepted')
    await eventually(async () => expect((await runtime.state()).held).toEqual([point]))
    await runtime.kill()
    runtime = await start()
    const left = await runtime.state()
    expect(left).toMatchObject({
      sent: [expect.any(String)],
      objects: point === 'before the acknowledgement' ? 0 : (index + 1) % 2,
    })
    await runtime.call('/redeliver')
    await eventually(async () => expect(await runtime.state()).toMatchObject({ sent: [], effects: ids, objects: 0 }))
  }

  await runtime.call('/hold?point=after the effect')
  expect(await runtime.deliver('qr.transferred', 'control')).toBe('200 accepted')
  await eventually(async () => expect((await runtime.state()).held).toEqual(['after the effect']))
  await runtime.kill()
  runtime = await start()
  await runtime.call('/redeliver')
  await eventually(async () => expect(await runtime.state()).toMatchObject({ effects: [...ids, 'control', 'control'] }))
})
