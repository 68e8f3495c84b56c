/** Runs a server in a separate process, on a free port, and collects its output. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'

/** A running server. */
export interface ServerProcess {
  readonly url: string
  /** The handlers' output, on standard output. */
  readonly printed: Lines
  /** The receiver's reports, on standard error. */
  readonly reported: Lines
  stop(): Promise<void>
}

/** Starts a server and waits until it prints that it is listening. */
export async function startServer(command: readonly [string, ...string[]], secret: string): Promise<ServerProcess> {
  const port = await freePort()
  const env = { ...process.env, GOVALID_WEBHOOK_SECRET: secret, PORT: String(port) }
  const server = spawn(command[0], command.slice(1), { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const printed = collectLines(server.stdout)
  const reported = collectLines(server.stderr)
  const [listening] = await printed.take(1, 20_000)
  if (!listening?.toLowerCase().startsWith('listening')) {
    await stop(server)
    throw new Error(`${command.join(' ')} does not listen:\n${[listening, ...(await reported.take(0))].join('\n')}`)
  }
  return { url: `http://127.0.0.1:${port}/webhooks/govalid`, printed, reported, stop: () => stop(server) }
}

/** The lines that a process has printed and that weren't taken yet. */
export interface Lines {
  /** Takes all lines, as soon as there are `count`, the process has ended, or `limitMs` has passed. */
  take(count: number, limitMs?: number): Promise<readonly string[]>
}

function collectLines(stream: Readable): Lines {
  const lines: string[] = []
  let hasEnded = false
  createInterface({ input: stream })
    .on('line', (line) => lines.push(line))
    .on('close', () => {
      hasEnded = true
    })
  return {
    async take(count, limitMs = 5000) {
      const until = performance.now() + limitMs
      while (lines.length < count && !hasEnded && performance.now() < until) await wait(5)
      return lines.splice(0)
    },
  }
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  server.kill()
  await once(server, 'exit')
}

/** Returns a free port. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
