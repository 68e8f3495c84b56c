/** The `/nestjs` module in real apps of NestJS 12 and 11, each in its own process and on a real socket. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { createEvent, signDelivery, testAdapter } from '../../src/testing/index.js'

const SECRET = 'a secret for tests'

/** A running app. */
interface App {
  readonly url: string
  lines(): readonly string[]
  until(line: string | RegExp): Promise<void>
  stop(): Promise<void>
}

const processes: ChildProcess[] = []
afterAll(() => {
  for (const each of processes) each.kill('SIGKILL')
})

type Version = 'nest12' | 'nest11'

/** Starts an app. `variant` has the words that the app looks for. */
async function start(version: Version, platform: string, variant = ''): Promise<App> {
  const app = inject('nestApps')[version]
  const env = { PATH: process.env['PATH'], SECRET, PLATFORM: platform, VARIANT: variant }
  const child = spawn(process.execPath, [app], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  processes.push(child)
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
  }
  const until = async (wanted: string | RegExp) => {
    const isThere = () => (typeof wanted === 'string' ? printed.includes(wanted) : wanted.test(printed))
    for (const end = performance.now() + 60_000; !isThere(); ) {
      if (performance.now() > end || (child.exitCode !== null && !isThere()))
        throw new Error(`no ${wanted} in:\n${printed}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  await until(/listening on|failed:|context handles/)
  return {
    url: /listening on (\S+)/.exec(printed)?.[1] ?? '',
    lines: () => printed.split('\n'),
    until,
    async stop() {
      const ended = child.exitCode ?? once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function send(url: string, event: object, secret = SECRET): Promise<string> {
  const response = await fetch((await signDelivery(event, { secret })).request(url))
  return `${response.status} ${await response.text()}`
}

const PROCESSED = '200 {"status":"processed"}'
const PLATFORMS = ['express', 'fastify']
const APPS = (['nest12', 'nest11'] as const).flatMap((version) =>
  PLATFORMS.map((platform) => [version, platform] as const),
)

describe.each(APPS)('%s on %s', (version, platform) => {
  // A guard that refuses everything: deliveries must not reach it.
  describe.each(['', 'raw prefix async e2e guard'])('with the options "%s"', (variant) => {
    let app: App
    const url = () => `${app.url}${variant.includes('prefix') ? '/api' : ''}/webhooks/govalid`
    beforeAll(async () => {
      app = await start(version, platform, variant)
    })
    afterAll(() => app?.stop())
    testAdapter(
      { describe, test },
      {
        name: 'the app',
        url,
        secret: SECRET,
        handled: (qrId) => app.lines().filter((line) => line.includes(qrId)).length,
        slowEvent: 'qr.expired',
      },
    )

    test('calls the methods of providers and controllers for an event, a list and a namespace', async () => {
      for (const type of ['qr.created', 'qr.removed', 'subscription.created', 'payment.completed'] as const) {
        expect(await send(url(), createEvent(type, { webhook_id: crypto.randomUUID() }))).toBe(PROCESSED)
      }
      await app.until('paid')
      expect(app.lines()).toEqual(
        expect.arrayContaining(['audit qr.created', 'audit qr.removed', 'bill subscription.created']),
      )
    })

    test('serves only its own path, and leaves the parsers of other routes alone', async () => {
      const root = app.url
      const event = createEvent('qr.scanned', { webhook_id: crypto.randomUUID() })
      for (const path of ['/webhooks', '/webhooks/govalid/more', '/elsewhere/webhooks/govalid']) {
        expect(await send(`${root}${path}`, event)).toMatch(/^404 /)
      }
      if (variant.includes('prefix')) expect(await send(`${root}/webhooks/govalid`, event)).toMatch(/^404 /)
      if (variant.includes('guard')) return
      const echo = await fetch(`${root}/echo`, {
        method: 'POST',
        body: '{"a":1}',
        headers: { 'content-type': 'application/json' },
      })
      expect(await echo.json()).toEqual({ a: 1 })
    })
  })

  test('URI versioning leaves the path alone', async () => {
    const app = await start(version, platform, 'versions')
    expect(await send(`${app.url}/webhooks/govalid`, createEvent('qr.scanned'))).toBe(PROCESSED)
    await app.stop()
  })

  test('a shutdown waits for a running handler and saves its completion', async () => {
    const app = await start(version, platform)
    const sent = send(`${app.url}/webhooks/govalid`, createEvent('qr.expired', { data: { qr_id: 'late' } }))
    await app.until('slow late')
    await app.stop()
    expect(await sent).toBe('503 {"status":"unfinished"}')
    expect(app.lines()).toContain('slow handler ended')
  })
})

describe.each(['nest12', 'nest11'] as const)('%s', (version) => {
  const apps: App[] = []
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.stop()
  })
  const printedBy = async (variant: string) => {
    const app = await start(version, 'express', variant)
    apps.push(app)
    return app.lines().join('\n')
  }

  test('refuses a handler in a request-scoped class, with its fix', async () => {
    expect(await printedBy('scoped')).toMatch(
      /failed: The class of the handler ScopedService\.never is not a singleton\. Remove `scope`/,
    )
  })

  test('refuses two handlers of one name, with its fix', async () => {
    expect(await printedBy('twins')).toMatch(
      /failed: Two handlers have the name Twin\.once\. If its class is a provider of several modules/,
    )
  })

  test('registers handlers in an application context without a server', async () => {
    expect(await printedBy('context')).toContain('context handles scans: true')
  })
})
