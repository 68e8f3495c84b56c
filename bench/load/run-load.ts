/**
 * Runs the load benchmarks: starts a server process for each subject and one sender process, and passes their reports on. The script of a
 * benchmark has to call `playRole` first, because both processes run the same script.
 */
import { type ChildProcess, execSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findServices } from '../../scripts/services.mjs'
import { type SenderReport, type SenderTask, sendLoad } from './sender.js'
import { type Framework, type ServerReport, type ServerTask, serveLoad } from './server.js'
import { SUBJECTS, type Subject } from './subjects.js'

/** Plays the role of a child process. Returns `false` in the process of the benchmark itself. */
export async function playRole(): Promise<boolean> {
  const [role, task = '{}'] = process.argv.slice(2)
  if (role === '--send') sendLoad()
  else if (role === '--serve') await serveLoad(JSON.parse(task) as ServerTask)
  else return false
  return true
}

/** A running server and its subject. */
export interface LoadServer extends Subject {
  readonly name: string
  /** Sends deliveries and waits until the server has handled all that got a 200. */
  send(task: Omit<SenderTask, 'port'>): Promise<LoadResult>
  end(): Promise<void>
}

/** What a server did with the deliveries of one task. */
export type LoadResult = SenderReport & Omit<ServerReport, 'port'> & { readonly handledSeconds: number }

/** The processes and services of a benchmark. */
export interface LoadBench {
  /** The subjects that can be measured here. The others were named on the console. */
  readonly subjects: readonly string[]
  start(framework: Framework, subject: string, watchesBlocks: boolean): Promise<LoadServer>
}

/** Handlers of an inbox run after the responses. */
const HANDLED_LIMIT_MS = 60_000

/** Calls `run` with the subjects whose name contains one of the texts `only`, and stops everything that was started. */
export async function withLoadBench(only: readonly string[], run: (bench: LoadBench) => Promise<void>): Promise<void> {
  const services = await findServices()
  const folder = mkdtempSync(join(tmpdir(), 'govalid-bench-'))
  const sender = fork(process.argv[1] as string, ['--send'])
  const urls = { redis: services.redis?.url, postgres: services.postgres?.url }
  const isAvailable = ([name, { needs }]: readonly [string, Subject]) => {
    if (!only.some((text) => name.includes(text))) return false
    if (needs && !urls[needs]) console.log(`\n${name} is skipped, because ${needs} was not found.`)
    return !needs || urls[needs] !== undefined
  }
  let started = 0
  try {
    await run({
      subjects: Object.entries(SUBJECTS)
        .filter(isAvailable)
        .map(([name]) => name),
      async start(framework, subject, watchesBlocks) {
        const scope = `govalid_bench_${process.pid}_${started++}`
        const place = { scope, folder: mkdtempSync(join(folder, 'subject-')), ...urls }
        return startServer(sender, { framework, subject, place, watchesBlocks })
      },
    })
  } finally {
    sender.disconnect()
    await Promise.all([services.postgres?.stop(), services.redis?.stop()])
    rmSync(folder, { recursive: true, force: true })
  }
}

async function startServer(sender: ChildProcess, task: ServerTask): Promise<LoadServer> {
  const child = fork(process.argv[1] as string, ['--serve', JSON.stringify(task)])
  const { port } = await nextMessage<ServerReport>(child)
  const report = () => {
    child.send('report')
    return nextMessage<ServerReport>(child)
  }
  return {
    ...(SUBJECTS[task.subject] as Subject),
    name: task.subject,
    async send(sending) {
      await report()
      const startedAt = performance.now()
      sender.send({ ...sending, port } satisfies SenderTask)
      const sent = await nextMessage<SenderReport>(sender)
      const expected = sent.responses['200'] ?? 0
      let found = await report()
      while (found.handled < expected && performance.now() - startedAt < HANDLED_LIMIT_MS) {
        await new Promise((resolve) => setTimeout(resolve, 20))
        found = add(found, await report())
      }
      return { ...sent, ...found, handledSeconds: (performance.now() - startedAt) / 1000 }
    },
    async end() {
      child.send('end')
      await once(child, 'exit')
    },
  }
}

/** Describes what went wrong: responses other than 200, deliveries with 200 that weren't handled exactly once, and reports. */
export function faultsOf({ responses, handled, doubled, reports }: LoadResult): string {
  const others = Object.entries(responses).filter(([status]) => status !== '200')
  const lost = (responses['200'] ?? 0) - (handled - doubled)
  const faults = [
    ...others.map(([status, count]) => `${count.toLocaleString('en')} × ${status}`),
    ...(lost > 0 ? [`${lost.toLocaleString('en')} lost`] : []),
    ...(doubled > 0 ? [`${doubled.toLocaleString('en')} doubled`] : []),
  ]
  if (faults.length === 0) return ''
  return `**${faults.join(', ')}**${reports.length > 0 ? ` (${reports.join(', ')})` : ''}`
}

function add(first: ServerReport, second: ServerReport): ServerReport {
  return {
    port: first.port,
    cpuMicros: first.cpuMicros + second.cpuMicros,
    handled: first.handled + second.handled,
    doubled: first.doubled + second.doubled,
    longestBlockMs: Math.max(first.longestBlockMs, second.longestBlockMs),
    reports: [...new Set([...first.reports, ...second.reports])],
  }
}

async function nextMessage<Message>(child: ChildProcess): Promise<Message> {
  const waiting = new AbortController()
  const { signal } = waiting
  try {
    const [message] = await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(([code]) => Promise.reject(new Error(`A process exited with ${code}.`))),
    ])
    return message as Message
  } finally {
    waiting.abort()
  }
}

/** @throws Error with its fix if a process may not open that many connections. */
export function assertOpenFiles(connections: number): void {
  if (process.platform === 'win32') return
  // Node has already raised its own limit as far as it may, and child processes inherit it.
  const limit = execSync('ulimit -n', { encoding: 'utf8' }).trim()
  if (limit === 'unlimited' || Number(limit) >= connections + 200) return
  throw new Error(
    `${connections} connections need as many open files, but this shell allows ${limit}. Run "ulimit -n ${connections + 200}" first, or pass --connections ${Math.max(1, Number(limit) - 200)}.`,
  )
}
