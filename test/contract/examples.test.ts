/**
 * The examples as a person runs them: each in its own process, on a free port, with a signed delivery. The Bun and Deno examples run only if
 * their runtime is on the PATH: npx -y -p bun@1.4.5 -p deno@2.9.6 npx vitest run --project contract examples
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AS_PRINTED, sentAt, timestamp } from '../../examples/demo/guide-payload.js'
import { send, sign } from '../../examples/demo/sender.js'
import { type ServerProcess, startServer } from '../../examples/demo/server-process.js'

const EXAMPLES = join(import.meta.dirname, '../../examples')
const SECRET = 'your_webhook_secret'

type Command = readonly [string, ...string[]]

const runnable: readonly { name: string; command: Command }[] = [
  { name: 'express', command: [process.execPath] },
  { name: 'fastify', command: [process.execPath] },
  { name: 'node', command: [process.execPath] },
  { name: 'hono', command: [process.execPath] },
  { name: 'bun', command: ['bun'] },
  { name: 'deno', command: ['deno', 'run', '-A'] },
]

function isInstalled([program]: Command): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const installed = runnable.filter(({ command }) => isInstalled(command))
const missing = runnable.filter((example) => !installed.includes(example))

describe.each(installed)('the $name example', ({ name, command }) => {
  let server: ServerProcess
  beforeAll(async () => {
    server = await startServer([...command, join(EXAMPLES, name, 'server.ts')], SECRET)
  })
  afterAll(() => server?.stop())

  it('passes a signed delivery to its handler', async () => {
    const response = await send(server.url, await sign(sentAt(timestamp()), SECRET))
    expect(response.text).toBe('200 processed')
    expect(await server.printed.take(1)).toEqual(['qr.scanned: Product Certificate #001, scan 15, Jakarta'])
  })

  it('passes the other known event to its handler', async () => {
    const time = timestamp()
    const body = JSON.stringify({
      event: 'counterfeit.detected',
      timestamp: time,
      webhook_id: 'wh-001',
      data: { a: 1 },
    })
    expect((await send(server.url, await sign(body, SECRET))).text).toBe('200 processed')
    expect(await server.printed.take(1)).toEqual([`counterfeit.detected at ${time}: {"a":1}`])
  })

  it('refuses a forged delivery', async () => {
    const response = await send(server.url, await sign(sentAt(timestamp()), 'a guess'))
    expect(response.text).toBe('401 refused')
    expect(await server.printed.take(0)).toEqual([])
  })

  it('serves the webhook only on its own path', async () => {
    const elsewhere = new URL('/elsewhere', server.url).href
    expect((await send(elsewhere, await sign(AS_PRINTED, SECRET))).text).toMatch(/^404 /)
  })
})

describe('the examples', () => {
  const servers = runnable.map(({ name }) => `${name}/server.ts`)
  const files = [...servers, 'nextjs/app/webhooks/govalid/route.ts', 'cloudflare-workers/worker.ts']

  it('differ only in the adapter', () => {
    const [first, ...others] = files.map((file) => {
      const source = readFileSync(join(EXAMPLES, file), 'utf8')
      return /\.on\('qr[\s\S]+JSON\.stringify.+\n *\}/.exec(source)?.[0].replaceAll(/^ +/gm, '')
    })
    expect(first).toContain('counterfeit.detected')
    for (const other of others) expect(other).toBe(first)
  })

  it.skip.each(missing)('for $name are skipped, because $name is not on the PATH', () => {})
})
