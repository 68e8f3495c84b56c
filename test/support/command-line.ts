/** Runs the command line: its sources in this process, or the binary of the installed package. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, inject } from 'vitest'
import { runProgram } from '../../src/cli/program.js'
import type { Host } from '../../src/cli/terminal/host.js'
import { createPaint, wantsColor } from '../../src/cli/terminal/paint.js'

/** How a run ended. */
export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The environment, folder and input of a run. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** The standard input. */
  readonly input?: string | Uint8Array
}

/** The path of the binary. */
export function binary(): string {
  return join(inject('packed').consumer, 'node_modules/.bin/govalid-webhooks')
}

/** An environment without the developer's variables. */
export function cleanEnv(env: RunOptions['env'] = {}): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env }
}

/**
 * Runs a command until it exits, from the sources and in this process. A command that reads standard input or loads a file of the user
 * runs as a process instead.
 */
export async function runCli(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const needsProcess = options.input !== undefined || args[0] === 'simulate' || args.includes('--handlers')
  if (needsProcess) return runBinary(args, options)
  const output = { stdout: '', stderr: '' }
  const env = cleanEnv(options.env)
  const host: Host = {
    env,
    cwd: options.cwd ?? process.cwd(),
    isInteractive: false,
    paint: createPaint(wantsColor({ isTTY: false }, env)),
    print(line = '') {
      output.stdout += `${line}\n`
    },
    note(line) {
      output.stderr += `${line}\n`
    },
    progress() {},
  }
  const code = await runProgram(host, [process.execPath, 'govalid-webhooks', ...args])
  return { code, ...output }
}

/** Runs the installed binary as a process until it exits. */
export function runBinary(args: readonly string[], { env, cwd, input }: RunOptions = {}): Promise<Run> {
  const child = spawn(binary(), args, { env: cleanEnv(env), cwd, stdio: 'pipe' })
  child.stdin.on('error', () => {}) // The command may exit before it has read its input.
  child.stdin.end(input)
  return finished(child)
}

/** Runs a command with `--json` and parses its output. */
export async function runJson<T>(
  args: readonly string[],
  options?: RunOptions,
): Promise<{ code: number | null; json: T }> {
  const { code, stdout, stderr } = await runCli([...args, '--json'], options)
  try {
    return { code, json: JSON.parse(stdout) as T }
  } catch {
    throw new Error(`expected JSON; exit code ${code}: ${stdout}${stderr}`)
  }
}

function finished(child: ChildProcess): Promise<Run> {
  let [stdout, stderr] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

/** Starts servers on loopback that are closed after each test. Resolves to the URL of `/webhooks/govalid`. */
export function temporaryServers(): (listener: RequestListener) => Promise<string> {
  const stops: (() => Promise<void>)[] = []
  afterEach(() => Promise.all(stops.splice(0).map((stop) => stop())))
  return async (listener) => {
    const server = createServer(listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    stops.push(async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/govalid`
  }
}

/** Creates a folder that is removed after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'govalid-cli-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
