// Runs `next start` on a build of the app under test, in its own process and on a free port.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** A running `next start`. */
export interface NextServer {
  readonly port: number
  readonly pid: number | undefined
  /** Returns everything that it has printed so far, on both streams. */
  printed(): string
  /** Sends SIGTERM, as a platform does, and waits for the end of the process. */
  terminate(): Promise<void>
  /** Kills the process. */
  stop(): Promise<void>
}

const START_MS = 20_000

/** Starts the build in `folder`, with or without the secret in its environment. */
export async function startNext(folder: string, secret: string | undefined): Promise<NextServer> {
  const port = await freePort()
  const next = join(resolve(folder, '../../..'), 'node_modules/next/dist/bin/next')
  const args = [next, 'start', folder, '--port', String(port), '--hostname', '127.0.0.1']
  const env = { ...process.env, NODE_ENV: 'production' as const, GOVALID_WEBHOOK_SECRET: secret }
  const server = spawn(process.execPath, args, { env: { ...env, NEXT_TELEMETRY_DISABLED: '1' }, stdio: 'pipe' })
  let printed = ''
  for (const stream of [server.stdout, server.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
  }
  const deadline = performance.now() + START_MS
  while (!printed.includes('Ready in')) {
    if (server.exitCode !== null || performance.now() > deadline) {
      server.kill('SIGKILL')
      throw new Error(`next start isn't ready:\n${printed}`)
    }
    await wait(20)
  }
  return {
    port,
    pid: server.pid,
    printed: () => printed,
    terminate: () => end(server, 'SIGTERM'),
    stop: () => end(server, 'SIGKILL'),
  }
}

async function end(server: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = once(server, 'exit')
  server.kill(signal)
  await ended
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
