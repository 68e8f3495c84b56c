/** A Redis of a test's own, to be stopped, frozen and started again. Found as installed binary; nothing of it is left behind. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Redis } from 'ioredis'
import { describe, it } from 'vitest'

/** A Redis server that forgets everything when it ends. */
export interface RedisServer {
  readonly url: string
  /** Starts it, again on the same port. */
  start(...options: readonly string[]): Promise<void>
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>
  /** Stops it from doing anything; its connections stay open. */
  freeze(): void
  /** Lets it go on. */
  thaw(): void
  /** Sends it one command. */
  command(name: string, ...values: readonly string[]): Promise<unknown>
  /** How many keys it has. */
  countKeys(): Promise<number>
  /** Ends it for good. */
  remove(): Promise<void>
}

const BINARY = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'redis-server'))
  .find((file) => existsSync(file))

/** `describe` for tests that need a Redis of their own; skipped by name where none is installed, failing there when REQUIRE_SERVICES=1. */
export function describeWithOwnRedis(name: string, body: () => void): void {
  if (BINARY) describe(name, body)
  else if (process.env['REQUIRE_SERVICES'] === '1') {
    describe(name, () => {
      it('needs an installed redis-server', () => {
        throw new Error('REQUIRE_SERVICES=1, and there is no redis-server to start')
      })
    })
  } else describe(name, () => it.skip('there is no redis-server to start', () => {}))
}

/** Starts a Redis on a free port; `remove` it at the end. */
export async function startRedisServer(...options: readonly string[]): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'govalid-redis-'))
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  let running: ChildProcess | undefined
  const server: RedisServer = {
    url,
    async start(...more) {
      const quiet = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no']
      running = spawn(BINARY as string, [...quiet, ...options, ...more], { stdio: 'ignore' })
      await untilResponses(url)
    },
    async kill() {
      const ending = running
      running = undefined
      if (!ending || ending.exitCode !== null) return
      const ended = new Promise((resolve) => ending.once('exit', resolve))
      ending.kill('SIGKILL')
      await ended
    },
    freeze: () => void running?.kill('SIGSTOP'),
    thaw: () => void running?.kill('SIGCONT'),
    command: (name, ...values) => ask(url, (client) => client.call(name, ...values)),
    countKeys: () => ask(url, (client) => client.dbsize()),
    async remove() {
      await server.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  try {
    await server.start()
    return server
  } catch (error) {
    await server.remove()
    throw error
  }
}

async function ask<WebhookResponse>(
  url: string,
  question: (client: Redis) => Promise<WebhookResponse>,
): Promise<WebhookResponse> {
  const client = new Redis(url, { retryStrategy: () => null, lazyConnect: true }).on('error', () => {})
  try {
    await client.connect()
    return await question(client)
  } finally {
    client.disconnect()
  }
}

async function untilResponses(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      await ask(url, (client) => client.ping())
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
  throw new Error(`the Redis started at ${url} does not answer`)
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      // A cluster's nodes talk to each other 10,000 ports higher.
      server.close(() => (port < 55_000 ? resolve(port) : freePort().then(resolve, reject)))
    })
  })
}
