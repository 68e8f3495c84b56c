// Finds the services of the contract tests, in this order: the address in the environment, a server at the default local address, a temporary
// server from installed binaries. Also finds the Chromium of the browser tests.
//
//   node scripts/services.mjs            prints which services would be used, without starting any
//   node scripts/services.mjs install    installs missing server binaries with apt-get (needs root)
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { basename, delimiter, join } from 'node:path'

/**
 * @typedef {'redis' | 'postgres'} ServiceName
 * @typedef {{ url: string, source: 'environment' | 'running' | 'started', stop: () => Promise<void> }} Service
 * @typedef {Record<ServiceName, Service | undefined>} Services
 */

const services = {
  redis: {
    variable: 'REDIS_URL',
    port: 6379,
    url: (/** @type {number} */ port) => `redis://127.0.0.1:${port}`,
    aptPackage: 'redis-server',
    binary: () => findBinary('redis-server', []),
    start: startRedis,
  },
  postgres: {
    variable: 'DATABASE_URL',
    port: 5432,
    url: (/** @type {number} */ port) => `postgres://postgres@127.0.0.1:${port}/postgres`,
    aptPackage: 'postgresql',
    binary: () => findBinary('postgres', globSync('/usr/lib/postgresql/*/bin').sort().reverse()),
    start: startPostgres,
  },
}

/** @type {readonly ServiceName[]} */
const NAMES = ['redis', 'postgres']

/**
 * Finds every service, and starts temporary servers if needed. The caller has to stop the services.
 * @returns {Promise<Services>}
 */
export async function findServices() {
  return { redis: await findService('redis'), postgres: await findService('postgres') }
}

/**
 * Finds the Chromium for the browser tests: `CHROMIUM_PATH`, or an installed one.
 * @returns {string | undefined}
 */
export function findChromium() {
  const named = process.env['CHROMIUM_PATH']
  if (named) return named
  return ['chromium', 'chromium-browser', 'google-chrome'].map((name) => findBinary(name, [])).find(Boolean)
}

/**
 * @param {ServiceName} name
 * @returns {Promise<Service | undefined>}
 */
async function findService(name) {
  const service = services[name]
  const existing = await findExisting(name)
  if (existing) return { ...existing, stop: async () => {} }
  const binary = service.binary()
  if (binary === undefined) return undefined
  const port = await freePort()
  const stop = await service.start(binary, port)
  return { url: service.url(port), source: 'started', stop }
}

/**
 * @param {ServiceName} name
 * @returns {Promise<{ url: string, source: 'environment' | 'running' } | undefined>}
 */
async function findExisting(name) {
  const service = services[name]
  const fromEnvironment = process.env[service.variable]
  if (fromEnvironment) return { url: fromEnvironment, source: 'environment' }
  return (await isReachable(service.port)) ? { url: service.url(service.port), source: 'running' } : undefined
}

/**
 * @param {string} binary
 * @param {number} port
 */
async function startRedis(binary, port) {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const server = spawn(binary, args, { stdio: 'ignore', cwd: tmpdir() })
  await untilReachable(port)
  return async () => {
    if (server.exitCode !== null) return
    const exited = new Promise((resolve) => server.once('exit', resolve))
    server.kill()
    await exited
  }
}

/**
 * PostgreSQL refuses to run as root, so root runs the cluster as the user `postgres`.
 * @param {string} binary
 * @param {number} port
 */
async function startPostgres(binary, port) {
  const folder = mkdtempSync(join(tmpdir(), 'govalid-postgres-'))
  const asRoot = userInfo().uid === 0
  /** @param {string} tool @param {string[]} args */
  const run = (tool, args) => {
    const command = [join(binary, '..', tool), ...args]
    const [file = '', ...rest] = asRoot ? ['runuser', '-u', 'postgres', '--', ...command] : command
    execFileSync(file, rest, { stdio: 'ignore', cwd: tmpdir() })
  }
  if (asRoot) execFileSync('chown', ['postgres', folder])
  const data = join(folder, 'data')
  const options = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c fsync=off`
  run('initdb', ['-D', data, '-A', 'trust', '-U', 'postgres', '--no-sync'])
  run('pg_ctl', ['-D', data, '-w', '-l', join(folder, 'log'), '-o', options, 'start'])
  return async () => {
    run('pg_ctl', ['-D', data, '-m', 'fast', '-w', 'stop'])
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * @param {string} name
 * @param {readonly string[]} extraFolders
 */
function findBinary(name, extraFolders) {
  const folders = [...extraFolders, ...(process.env['PATH'] ?? '').split(delimiter)]
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file))
}

/** @param {number} port */
function isReachable(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1000 })
    const end = (/** @type {boolean} */ result) => () => {
      socket.destroy()
      resolve(result)
    }
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false))
  })
}

/** @param {number} port */
async function untilReachable(port) {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (await isReachable(port)) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`The server on port ${port} was started but doesn't accept connections.`)
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}

async function installMissing() {
  const missing = []
  for (const name of NAMES) {
    if (!(await findExisting(name)) && services[name].binary() === undefined) missing.push(services[name].aptPackage)
  }
  if (findChromium() === undefined) missing.push('chromium')
  if (missing.length === 0) return
  if (userInfo().uid !== 0 || findBinary('apt-get', []) === undefined) {
    console.log(
      `Missing: ${missing.join(', ')}. Run this command as root on a system with apt-get, or install them yourself.`,
    )
    return
  }
  /** @type {import('node:child_process').ExecFileSyncOptions} */
  const options = { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
  execFileSync('apt-get', ['update', '-qq'], options)
  execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], options)
}

async function describeServices() {
  for (const name of NAMES) {
    const existing = await findExisting(name)
    const binary = services[name].binary()
    const fallback = binary === undefined ? 'not found' : `would be started from ${binary}`
    console.log(`${name}: ${existing ? `${existing.url} (${existing.source})` : fallback}`)
  }
  console.log(`chromium: ${findChromium() ?? 'not found'}`)
}

// `import.meta.main` would be wrong when this file is bundled into another script, so the check uses the file name.
if (basename(process.argv[1] ?? '') === 'services.mjs')
  await (process.argv[2] === 'install' ? installMissing() : describeServices())
