/** Starts a separate Postgres server that a test can stop, freeze and restart. Uses the installed binaries and leaves nothing behind. */
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { delimiter, join } from 'node:path'
import { describeWith } from './requirement.js'

/** A separate Postgres server with its own data folder. */
export interface PostgresServer {
  readonly url: string
  start(): void
  /** `fast` ends every session and shuts down; `immediate` is a crash. */
  stop(how: 'fast' | 'immediate'): void
  /** Pauses all its processes; its connections stay open. */
  freeze(): void
  /** Resumes its processes. */
  thaw(): void
  /** Makes a standby the new primary. */
  promote(): void
  /** Stops the server and removes its folder. */
  remove(): void
}

const FOLDERS = [
  ...globSync('/usr/lib/postgresql/*/bin').sort().reverse(),
  ...(process.env['PATH'] ?? '').split(delimiter),
]
const BINARIES = FOLDERS.find((folder) => existsSync(join(folder, 'initdb')))

/** `describe` for tests that start their own Postgres. */
export function describeWithOwnPostgres(name: string, body: () => void): void {
  describeWith('an installed Postgres server', BINARIES !== undefined, name, body)
}

/** Starts a Postgres server on a free port, or a standby of a running server. Call `remove` at the end. */
export async function startPostgresServer(primary?: PostgresServer): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'govalid-postgres-'))
  const data = join(folder, 'data')
  const port = await freePort()
  // Postgres refuses to run as root, so root starts it as the user `postgres`.
  const asRoot = userInfo().uid === 0
  const run = (tool: string, ...args: readonly string[]) => {
    const command = [join(BINARIES as string, tool), ...args]
    const [file = '', ...rest] = asRoot ? ['runuser', '-u', 'postgres', '--', ...command] : command
    execFileSync(file, rest, { stdio: 'ignore', cwd: tmpdir() })
  }
  if (asRoot) execFileSync('chown', ['postgres', folder])
  if (primary) run('pg_basebackup', '-d', primary.url, '-D', data, '--write-recovery-conf', '--no-sync', '-c', 'fast')
  else run('initdb', '-D', data, '-A', 'trust', '-U', 'postgres', '--no-sync')
  const signal = (name: 'SIGSTOP' | 'SIGCONT') => {
    const parent = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0] as string
    const listed = execFileSync('ps', ['-A', '-o', 'pid=', '-o', 'ppid='], { encoding: 'utf8' })
    const pairs = listed.split('\n').map((line) => line.trim().split(/\s+/))
    const children = pairs.filter(([, ppid]) => ppid === parent).map(([pid]) => Number(pid))
    for (const pid of [Number(parent), ...children]) {
      try {
        process.kill(pid, name)
      } catch {
        // The backend of a closed connection has ended since it was listed.
      }
    }
  }
  let isRunning = false
  const server: PostgresServer = {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    start() {
      const options = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1`
      run('pg_ctl', '-D', data, '-w', '-l', join(folder, 'log'), '-o', options, 'start')
      isRunning = true
    },
    stop(how) {
      run('pg_ctl', '-D', data, '-m', how, '-w', 'stop')
      isRunning = false
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    promote: () => run('pg_ctl', '-D', data, '-w', 'promote'),
    remove() {
      if (isRunning) {
        // A failed test may have left it frozen.
        server.thaw()
        server.stop('immediate')
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
  server.start()
  return server
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
