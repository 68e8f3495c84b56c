// Cloudflare Workers: the built package, bundled by wrangler as for a deployment, in a bare workerd on a socket of its own, without
// `nodejs_compat`: an import of anything of Node would keep it from starting. No development server stands in front, so it is the runtime's own HTTP.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { remoteControl, type TargetFactory, type Traits } from '../target.js'
import { processorMsOf } from '../within.js'

const TRAITS: Traits = {
  parser: 'workerd',
  otherMethods: { status: 405, by: 'sdk', why: 'a Worker is given every method' },
  options: { status: 405, by: 'sdk', why: 'a Worker is given OPTIONS too' },
}

const ROOT = join(import.meta.dirname, '../../..')
const COMPATIBILITY_DATE = '2026-10-01'

// Since its date of 2026-08-04 a Worker has `nodejs_compat` unless it says otherwise.
export const workerd = factory('workerd', ['no_nodejs_compat', 'no_nodejs_compat_v2'])
/** With everything of Node that a Worker can have; `node:crypto` among it. */
export const workerdWithNode = factory('workerd with nodejs_compat', [])

function factory(name: string, flags: readonly string[]): TargetFactory {
  return {
    name,
    class: 'workerd',
    async start() {
      const folder = await mkdtemp(join(tmpdir(), 'govalid-workerd-'))
      await bundle(join(import.meta.dirname, 'workerd/wrangler.jsonc'), folder)
      const { port, pid, stop: stopServing } = await serve(folder, flags)
      const stop = async () => {
        await stopServing()
        await rm(folder, { recursive: true, force: true })
      }
      const control = remoteControl(port)
      return { name, class: 'workerd', traits: TRAITS, port, control, processorMs: () => processorMsOf(pid), stop }
    },
  }
}

/** Bundles a Worker as `wrangler deploy` would upload it. */
async function bundle(config: string, outdir: string): Promise<void> {
  if (!existsSync(join(ROOT, 'dist'))) throw new Error('there is no dist/: run `npm run build` before the Worker tests')
  const wrangler = join(ROOT, 'node_modules/wrangler/bin/wrangler.js')
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false' }
  await promisify(execFile)(process.execPath, [wrangler, 'deploy', '--dry-run', '--outdir', outdir, '-c', config], {
    env,
  })
}

interface Running {
  readonly port: number
  readonly pid: number | undefined
  stop(): Promise<void>
}

/** Serves the `worker.js` of a folder on a free port of 127.0.0.1. */
async function serve(folder: string, flags: readonly string[]): Promise<Running> {
  await writeFile(join(folder, 'config.capnp'), configOf(flags))
  const server = spawn(binary(), ['serve', join(folder, 'config.capnp'), '--control-fd=3'], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  })
  return { port: await portOf(server), pid: server.pid, stop: () => stopProcess(server) }
}

/** The runtime that wrangler brings along. */
function binary(): string {
  const fromWrangler = createRequire(createRequire(import.meta.url).resolve('wrangler'))
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
