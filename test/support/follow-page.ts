/**
 * Follows a page word by word in an empty folder: writes its files, runs its commands in a shell, and compares what they print. Only
 * `npm install` is replaced by links to this repository, because the tests need no registry.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from '../../examples/demo/server-process.js'
import { codeBlocksOf, type Page, ROOT } from '../docs/pages.js'

interface Reader {
  /** The reader's empty folder. */
  readonly project: string
  readonly port: number
  readonly env: NodeJS.ProcessEnv
  readonly differences: string[]
  server?: { readonly process: ChildProcess; printed: string }
}

/** Follows a page with the Node at a path. Returns how reality differs from the page; nothing if it doesn't. */
export async function followPage(page: Page, node: string): Promise<readonly string[]> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'govalid-reader-')))
  const [project, tools] = [join(folder, 'project'), join(folder, 'tools')]
  for (const path of [project, tools]) mkdirSync(path)
  symlinkSync(node, join(tools, 'node'))
  const port = await freePort()
  const env = { PATH: `${tools}:${process.env['PATH']}`, HOME: folder, NO_COLOR: '1' }
  const reader: Reader = { project, port, env, differences: [] }
  const lines = page.lines.map((line) => line.replaceAll('3000', String(port)))
  const fileName = /Save this as `([^`]+)`/.exec(lines.join('\n'))?.[1]
  try {
    for (const { language, code } of codeBlocksOf({ ...page, lines })) {
      if (language === 'js') writeOrCompare(reader, code, fileName)
      if (language === 'text') await expectPrinted(reader, code.split('\n'), () => reader.server?.printed ?? '')
      if (language === 'bash') for (const command of code.split('\n')) await run(reader, command, [])
      if (language === 'console') for (const { command, shown } of stepsOf(code)) await run(reader, command, shown)
    }
    return reader.differences
  } finally {
    await stop(reader.server?.process)
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Returns the commands of a block, each with the lines that the page shows below it. */
function stepsOf(code: string): readonly { command: string; shown: string[] }[] {
  const steps: { command: string; shown: string[] }[] = []
  for (const line of code.split('\n')) {
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), shown: [] })
    else if (line !== '') steps.at(-1)?.shown.push(line)
  }
  return steps
}

/** Writes a file of the page. If a command wrote the file before, the page shows it, and the two must be equal. */
function writeOrCompare({ project, differences }: Reader, code: string, fileName: string | undefined): void {
  const named = /^\/\/ (\S+)\n/.exec(code)
  const text = `${named ? code.slice(named[0].length) : code}\n`
  const file = join(project, named?.[1] ?? fileName ?? 'the page names no file')
  if (!existsSync(file)) writeFileSync(file, text)
  else if (readFileSync(file, 'utf8') !== text) differences.push(`${named?.[1]} isn't the file that the page shows`)
}

async function run(reader: Reader, command: string, shown: readonly string[]): Promise<void> {
  const { project, env, differences } = reader
  const [, name, value] = /^export (\w+)=(.*)$/.exec(command) ?? []
  const packages = /^npm install (.+)$/.exec(command)?.[1]?.split(' ')
  if (name !== undefined) env[name] = value
  else if (packages) install(project, packages)
  else if (/^node \S*server\.\w+$/.test(command)) await startServer(reader, command, shown)
  else {
    const { stdout, code } = await promisify(execFile)('bash', ['-c', command], { cwd: project, env }).then(
      ({ stdout }) => ({ stdout, code: 0 }),
      (error) => ({ stdout: `${error.stdout}${error.stderr}`, code: error.code }),
    )
    if (code !== 0) differences.push(`${command}: exit code ${code}\n${stdout}`)
    await expectPrinted(reader, shown, () => stdout, 0)
  }
}

/** Links packages and their commands, and lists them in package.json as npm does. */
function install(project: string, packages: readonly string[]): void {
  const manifest = join(project, 'package.json')
  const known = existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')) : {}
  const dependencies = { ...known.dependencies, ...Object.fromEntries(packages.map((name) => [name, '*'])) }
  writeFileSync(manifest, JSON.stringify({ ...known, dependencies }))
  const modules = join(project, 'node_modules')
  mkdirSync(join(modules, '.bin'), { recursive: true })
  for (const name of packages) {
    symlinkSync(name === 'govalid-webhooks' ? ROOT : join(ROOT, 'node_modules', name), join(modules, name))
  }
  symlinkSync(join(ROOT, 'dist/cli.js'), join(modules, '.bin/govalid-webhooks'))
}

/** Starts the server and waits for the first line that the page shows. Later lines may come with a delivery. */
async function startServer(reader: Reader, command: string, [first = '']: readonly string[]): Promise<void> {
  const env = { ...reader.env, PORT: String(reader.port) }
  const child = spawn('bash', ['-c', `exec ${command}`], {
    cwd: reader.project,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const server = { process: child, printed: '' }
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (server.printed += chunk))
  reader.server = server
  await expectPrinted(reader, [first], () => server.printed)
}

/** Waits until all lines were printed in this order, whatever was printed between them. Times and columns may differ. */
async function expectPrinted(
  reader: Reader,
  lines: readonly string[],
  printed: () => string,
  limitMs = 10_000,
): Promise<void> {
  const missing = () => {
    const actual = printed().split('\n').map(withoutTimes)
    let from = 0
    return lines.find((line) => {
      const at = actual.indexOf(withoutTimes(line), from)
      from = at + 1
      return at < 0
    })
  }
  for (let left = limitMs; left > 0 && missing() !== undefined; left -= 50) await wait(50)
  const line = missing()
  if (line !== undefined) reader.differences.push(`not printed: ${line}\n${printed()}`)
}

function withoutTimes(line: string): string {
  return line
    .replace(/[\d.,]+ ms/g, 'N ms')
    .replace(/ +/g, ' ')
    .trim()
}

async function stop(server: ChildProcess | undefined): Promise<void> {
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
  server.kill()
  await once(server, 'exit')
}
