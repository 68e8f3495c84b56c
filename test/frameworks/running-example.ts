/** Starts an installed example on a free loopback port, with the secret in its environment, and reads what it prints. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from '../../examples/demo/server-process.js'
import { environment, type Installed } from './installed-example.js'

/** The secret of every running example. */
export const SECRET = 'your_webhook_secret'

const START_MS = 60_000
const STOP_MS = 10_000

/** A running example. */
export interface Running {
  readonly url: string
  /** Returns the printed lines so far. */
  lines(): readonly string[]
  /** Sends SIGTERM, as a platform does, and resolves to whether the process ended by itself in time. */
  stop(): Promise<boolean>
}

/** Starts an example and waits until it responds at the path. */
export async function start({ folder, start: command }: Installed, path: string): Promise<Running> {
  const port = await freePort()
  const env = environment(folder, { GOVALID_WEBHOOK_SECRET: SECRET, PORT: String(port), HOST: '127.0.0.1' })
  // A process group, because a start script may be a shell with children.
  const server = spawn(command, { shell: true, cwd: folder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  for (const stream of [server.stdout, server.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
  }
  for (const deadline = performance.now() + START_MS; !(await accepts(port)); await wait(50)) {
    if (server.exitCode === null && performance.now() < deadline) continue
    await stop(server)
    throw new Error(`${command} does not listen on port ${port}:\n${printed}`)
  }
  const url = `http://127.0.0.1:${port}${path}`
  // Some frameworks load a route when its first request arrives, which takes longer than GoValid waits.
  await fetch(url).then((response) => response.text())
  return {
    url,
    lines: () => printed.split('\n'),
    stop: () => stop(server),
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

async function stop(server: ChildProcess): Promise<boolean> {
  if (server.pid === undefined || server.exitCode !== null || server.signalCode !== null) return false
  const ended = once(server, 'exit').then(() => true)
  process.kill(-server.pid, 'SIGTERM')
  const inTime = await Promise.race([ended, wait(STOP_MS, false)])
  if (!inTime) process.kill(-server.pid, 'SIGKILL')
  return inTime
}
