/** Runs the binary of the installed package, in its own process and folder. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, inject } from 'vitest'

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

/** Runs the installed binary as a process until it exits. */
export function runBinary(args: readonly string[], { env, cwd, input }: RunOptions = {}): Promise<Run> {
  const child = spawn(binary(), args, { env: cleanEnv(env), cwd, stdio: 'pipe' })
  child.stdin.on('error', () => {}) // The command may exit before it has read its input.
  child.stdin.end(input)
  return finished(child)
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
