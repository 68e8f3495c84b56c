/** Runs the built command line with generated use and misuse, and searches everything that it prints. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signDelivery } from '../../../src/testing/index.js'
import type { Random } from '../random.js'
import { generateSecret } from './generate.js'
import { createSearch, type Search } from './search.js'

const MAX_MS = 60_000

/** Runs one command with its own secret and API key. `file` is the built command line. */
export async function searchCommandLine(random: Random, file: string): Promise<Search> {
  const secret = generateSecret(random)
  const apiKey = `gv_${Array.from({ length: 40 }, () => random.pick([...'abcdefghijkmnpqrstuvwxyz23456789'])).join('')}`
  const search = createSearch([secret, apiKey])
  const folder = mkdtempSync(join(tmpdir(), 'govalid-secrets-'))
  const server = await serveEcho(random)
  try {
    const { signature, rawBody } = await signDelivery('{"event":"qr.scanned","data":{}}', { secret })
    writeFileSync(join(folder, 'body'), random.chance(0.7) ? rawBody : 'another')
    writeFileSync(join(folder, 'headers'), `x-govalid-signature: ${random.pick([signature, secret, 'sha256=1'])}\n`)
    writeFileSync(join(folder, 'handlers.mjs'), HANDLERS)
    const args = random.pick(commands(random, { url: server.url, signature, secret, apiKey }))
    const env = {
      PATH: process.env['PATH'],
      GOVALID_WEBHOOK_SECRET: random.pick([secret, `${secret}\n`, `"${secret}"`]),
      OTHER_SECRET: 'another',
      GOVALID_API_KEY: random.pick([apiKey, ` ${apiKey}`, secret]),
      ...(random.chance(0.3) && { FORCE_COLOR: '1' }),
    }
    const { stdout, stderr } = await run(file, [...args, ...(random.chance(0.4) ? ['--json'] : [])], env, folder)
    const where = `govalid-webhooks ${args.slice(0, 2).join(' ').replaceAll(secret, '(secret)')}`
    search.look(`${where}: output`, stdout)
    search.look(`${where}: errors`, stderr)
  } finally {
    server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return search
}

const HANDLERS = `export default (receiver) => receiver.on('*', () => { throw new Error('no database') })\n`

interface CommandInput {
  readonly url: string
  readonly signature: string
  readonly secret: string
  readonly apiKey: string
}

/** Correct and wrong command lines. Some of them have a secret where it doesn't belong. */
function commands(random: Random, { url, signature, secret, apiKey }: CommandInput): readonly (readonly string[])[] {
  const event = random.pick(['qr.scanned', 'payment.received', 'no.such.event', 'body'])
  const api = ['--base-url', `${url}/api/v1/`]
  return [
    ['send', event, '--to', url],
    ['send', '--all', '--to', url],
    ['send', event, '--to', url, '--secret', secret],
    ['send', event, '--to', url, '--secret-env', secret],
    ['send', event, '--to', url, '--tamper'],
    ['verify', '--body', 'body', '--signature', signature],
    ['verify', '--body', 'body', '--headers', 'headers'],
    ['verify', '--body', 'body', '--signature', signature, '--secret-env', 'OTHER_SECRET'],
    ['verify', '--body', 'body', '--signature', signature, `--secret=${secret}`],
    ['verify', '--body', 'no-such-file', '--signature', signature],
    ['doctor', url],
    ['endpoints', 'list', ...api],
    ['endpoints', 'create', '--url', 'https://example.com/hook', '--events', 'qr.scanned', ...api],
    ['endpoints', 'delete', 'wh-1', '--yes', ...api],
    ['endpoints', 'enable', 'wh-1', ...api],
    ['endpoints', 'list', '--api-key', apiKey, ...api],
    ['endpoints', 'list', '--api-key-env', apiKey, ...api],
    ['simulate', 'handlers.mjs'],
    ['init', '--framework', 'express', '--yes'],
  ]
}

interface Printed {
  readonly stdout: string
  readonly stderr: string
}

async function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd: string): Promise<Printed> {
  const child = spawn(process.execPath, [file, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), MAX_MS)
  const printed = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      printed[name] += text
    })
  }
  await once(child, 'close')
  clearTimeout(timer)
  return printed
}

/** Starts an endpoint and an API that echoes the API key of each request. */
async function serveEcho(random: Random) {
  const server = createServer((request, response) => {
    const echoed = request.headers.authorization?.replace('Bearer ', '') ?? 'no'
    response.writeHead(random.pick([200, 200, 401, 404, 500]), { 'content-type': 'application/json' })
    response.end(
      JSON.stringify(
        random.pick<unknown>([{ detail: echoed }, [{ id: 'wh-1', secret: echoed }], { error: { message: echoed } }]),
      ),
    )
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
