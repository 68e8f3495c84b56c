/** The runtimes of the matrix: how each is found or fetched, and how it serves the program. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { EdgeVM } from '@edge-runtime/vm'
import { serveWorkerd, WITHOUT_NODE, workerdBinary } from '../../support/workerd-server.js'
import type { Programs } from './bundles.js'
import type { CryptoPath } from './scenario.js'

/** A runtime that serves the program. */
export interface Serving {
  readonly url: string
  stop(): Promise<void>
}

/** A runtime that is available on this machine. */
export interface Runtime {
  readonly name: string
  readonly version: string
  readonly paths: readonly CryptoPath[]
  /** The ways it serves HTTP. The first is the runtime's own server. */
  readonly servers: readonly string[]
  /** The command that runs a file, if the runtime is a program. */
  readonly command?: readonly [string, ...string[]]
  /** Serves the programs of one format. */
  serve(programs: Programs, server: string): Promise<Serving>
}

/** A runtime of the matrix, before it is found. */
export interface Wanted {
  readonly name: string
  /** Whether it is part of the development dependencies. */
  readonly isLocal: boolean
  /** Finds the runtime, or fetches it. Rejects if neither is possible. */
  find(): Promise<Runtime>
}

const BOTH: readonly CryptoPath[] = ['node:crypto', 'WebCrypto']

/** All supported runtimes. */
export const RUNTIMES: readonly Wanted[] = [
  ...[20, 22, 24, 26].map((major) => fetched(`Node ${major}`, `node@${major}`, ['node'], ['node:http'])),
  fetched('Bun', 'bun@1.4.5', ['bun'], ['Bun.serve', 'node:http']),
  fetched('Deno', 'deno@2.9.6', ['deno', 'run', '--allow-all', '--quiet'], ['Deno.serve', 'node:http']),
  workerd('workerd', WITHOUT_NODE),
  workerd('workerd nodejs_compat', []),
  edge(),
]

/** An installed Node, by the path of its binary. */
export function nodeAt(file: string, version: string): Runtime {
  return processRuntime(`Node ${version}`, version, [file], ['node:http'])
}

/** A runtime from the registry. It is started by the path of its binary, so that it can be stopped by its process id. */
function fetched(name: string, spec: string, command: readonly string[], servers: readonly string[]): Wanted {
  return {
    name,
    isLocal: false,
    async find() {
      const [binary = '', ...args] = command
      const asked = `console.log((globalThis.Deno ? Deno.execPath() : process.execPath) + ' ' + (globalThis.Bun ? Bun.version : globalThis.Deno ? Deno.version.deno : process.versions.node))`
      const evaluate = binary === 'deno' ? ['eval', asked] : ['-e', asked]
      // The command runs in another folder, because npx would otherwise use the Node of the development dependencies.
      const cwd = await mkdtemp(join(tmpdir(), 'govalid-runtime-'))
      try {
        const found = await promisify(execFile)('npx', ['-y', '-p', spec, binary, ...evaluate], {
          cwd,
          timeout: 180_000,
        })
        const [file = '', version = ''] = found.stdout.trim().split(' ')
        return processRuntime(name, version, [file, ...args], servers)
      } finally {
        await rm(cwd, { recursive: true, force: true })
      }
    },
  }
}

function processRuntime(
  name: string,
  version: string,
  [file = '', ...args]: readonly string[],
  servers: readonly string[],
): Runtime {
  return {
    name,
    version,
    paths: BOTH,
    servers,
    command: [file, ...args],
    async serve(programs, server) {
      const child = spawn(file, [...args, programs.process, server], { stdio: ['ignore', 'pipe', 'inherit'] })
      const lines = createInterface({ input: child.stdout })
      const [line] = await Promise.race([
        once(lines, 'line'),
        once(child, 'error').then(([error]) => Promise.reject(error)),
        once(child, 'exit').then(([code]) =>
          Promise.reject(new Error(`${name} exited with ${code} before it listened`)),
        ),
      ])
      return { url: urlOf(JSON.parse(line).port), stop: () => stopProcess(child) }
    },
  }
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

function workerd(name: string, flags: readonly string[]): Wanted {
  return {
    name,
    isLocal: true,
    async find() {
      const { stdout } = await promisify(execFile)(workerdBinary(), ['--version'])
      return {
        name,
        version: stdout.trim().replace('workerd ', ''),
        paths: ['WebCrypto'],
        servers: ['workerd'],
        async serve({ worker }) {
          const { port, stop } = await serveWorkerd(dirname(worker), flags)
          return { url: urlOf(port), stop }
        },
      }
    },
  }
}

/** The runtime of Next.js's edge functions. It has no server, so Node's server passes it the requests. */
function edge(): Wanted {
  return {
    name: 'edge runtime',
    isLocal: true,
    async find() {
      const manifest = createRequire(join(process.cwd(), 'package.json')).resolve('@edge-runtime/vm/package.json')
      const { version } = JSON.parse(await readFile(manifest, 'utf8'))
      const serve = async (programs: Programs) => serveEdge(await readFile(programs.edge, 'utf8'))
      return { name: 'edge runtime', version, paths: ['WebCrypto'], servers: ['behind node:http'], serve }
    },
  }
}

async function serveEdge(initialCode: string): Promise<Serving> {
  const vm = new EdgeVM({ initialCode })
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { method = 'GET', headers, url } = request
    const init = {
      method,
      headers: headers as Record<string, string>,
      ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
    }
    const result = await vm.dispatchFetch(`http://127.0.0.1${url}`, init)
    response.writeHead(result.status).end(await result.text())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: urlOf((server.address() as AddressInfo).port),
    stop: async () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

const urlOf = (port: number) => `http://127.0.0.1:${port}`
