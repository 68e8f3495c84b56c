/** Starts a separate Redis server that a test can stop, freeze and restart. Uses the installed binary and leaves nothing behind. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Redis } from 'ioredis'
import { describeWith } from './requirement.js'

/** A separate Redis server without persistence. */
export interface RedisServer {
  readonly url: string
  /** Starts the server, always on the same port. */
  start(...options: readonly string[]): Promise<void>
  /** Kills the server, as a crash would. */
  kill(): Promise<void>
  /** Pauses the server; its connections stay open. */
  freeze(): void
  /** Resumes the server. */
  thaw(): void
  /** Sends one command. */
  command(name: string, ...values: readonly string[]): Promise<unknown>
  /** Counts the keys. */
  countKeys(): Promise<number>
  /** Kills the server and removes its folder. */
  remove(): Promise<void>
}

const BINARY = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'redis-server'))
  .find((file) => existsSync(file))

/** `describe` for tests that start their own Redis. */
export function describeWithOwnRedis(name: string, body: () => void): void {
  describeWith('an installed redis-server', BINARY !== undefined, name, body)
}

/** Starts a Redis server on a free port. Call `remove` at the end. */
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
      await untilReady(url)
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

async function ask<Result>(url: string, command: (client: Redis) => Promise<Result>): Promise<Result> {
  const client = new Redis(url, { retryStrategy: () => null, lazyConnect: true }).on('error', () => {})
  try {
    await client.connect()
    return await command(client)
  } finally {
    client.disconnect()
  }
}

async function untilReady(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      await ask(url, (client) => client.ping())
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
  throw new Error(`the Redis server at ${url} did not become ready within 5 s`)
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      // A cluster's nodes use a second port, 10,000 higher.
      server.close(() => (port < 55_000 ? resolve(port) : freePort().then(resolve, reject)))
    })
  })
}
