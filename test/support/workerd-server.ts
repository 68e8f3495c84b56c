/** Runs a bare workerd without a development server in front, so that tests see the runtime's own HTTP. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

const COMPATIBILITY_DATE = '2026-10-01'

/** Flags that disable `nodejs_compat`, which Workers have by default since the compatibility date 2026-08-04. */
export const WITHOUT_NODE: readonly string[] = ['no_nodejs_compat', 'no_nodejs_compat_v2']

/** A running workerd. */
export interface WorkerdServer {
  readonly port: number
  readonly pid: number | undefined
  stop(): Promise<void>
}

/** Serves a folder's `worker.js`, a single ES module, on a free port of 127.0.0.1. */
export async function serveWorkerd(folder: string, flags: readonly string[]): Promise<WorkerdServer> {
  await writeFile(join(folder, 'config.capnp'), configOf(flags))
  const server = spawn(workerdBinary(), ['serve', join(folder, 'config.capnp'), '--control-fd=3'], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  })
  return { port: await portOf(server), pid: server.pid, stop: () => stopProcess(server) }
}

/** The path of the workerd that wrangler depends on. */
export function workerdBinary(): string {
  const fromWrangler = createRequire(createRequire(join(process.cwd(), 'package.json')).resolve('wrangler'))
  return fromWrangler('workerd').default
}

const configOf = (flags: readonly string[]) => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = .worker) ],
  sockets = [ (name = "http", address = "127.0.0.1:0", http = (), service = "main") ],
);
const worker :Workerd.Worker = (
  modules = [ (name = "worker.js", esModule = embed "worker.js") ],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  compatibilityFlags = ${JSON.stringify(flags)},
);
`

async function portOf(server: ChildProcess): Promise<number> {
  const lines = createInterface({ input: server.stdio[3] as Readable })
  const [line] = await Promise.race([
    once(lines, 'line'),
    once(server, 'exit').then(([code]) => Promise.reject(new Error(`workerd ended with ${code} before it listened`))),
  ])
  const { port } = JSON.parse(line)
  return port
}

async function stopProcess(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  server.kill('SIGKILL')
  await once(server, 'exit')
}
