/** Copies an example out of the repository, installs it with the packed package, and builds it for production without the secret. */
import { execFile } from 'node:child_process'
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { inject } from 'vitest'
import root from '../../package.json' with { type: 'json' }
import type { Example } from './examples.js'

/** The event whose handler takes longer than GoValid waits. */
export const SLOW_EVENT = 'credit.topup'

const SLOW_BODY = `{
    await new Promise((resolve) => setTimeout(resolve, 6000))
    console.log(\`${SLOW_EVENT}: \${JSON.stringify(event.data)}\`)
  }`
/** The slow handler, and the handler that it is put in front of. NestJS has a method with a decorator instead of a call. */
const SLOW_HANDLERS: readonly { readonly before: string; readonly code: string }[] = [
  { before: ".on('qr.scanned'", code: `.on('${SLOW_EVENT}', async (event) => ${SLOW_BODY})\n  ` },
  {
    before: "@OnGoValid('qr.scanned')",
    code: `@OnGoValid('${SLOW_EVENT}')\n  async onSlow(event: EventOf<'${SLOW_EVENT}'>) ${SLOW_BODY}\n\n  `,
  },
]
/** Folders that a developer's own installation and builds leave in an example. */
const NOT_SOURCES = new Set(['node_modules', 'build', 'dist', '.svelte-kit', '.nuxt', '.output', '.astro', '.next'])
/** Variables of this process that would change an example. */
const OWN_VARIABLES =
  /^(GOVALID_|VITEST|NODE_ENV$|NODE_OPTIONS$|npm_|INIT_CWD$|TEST$|DEV$|PROD$|MODE$|SSR$|BASE_URL$|PORT$|HOST$)/
const CLI = 'node node_modules/govalid-webhooks/dist/cli.js'
const COMMAND_MS = 540_000
const EXAMPLES = join(import.meta.dirname, '../../examples')

/** An installed and built example. */
export interface Installed {
  readonly folder: string
  /** The command that starts it. */
  readonly start: string
  remove(): void
}

/** Installs and builds an example, and runs its own test if it has one. */
export async function install(example: Example): Promise<Installed> {
  const folder = join(inject('packedRepository'), 'examples', example.name)
  cpSync(join(EXAMPLES, example.folder ?? example.name), folder, {
    recursive: true,
    filter: (from) => !NOT_SOURCES.has(basename(from)),
  })
  addSlowHandler(join(folder, example.receiver))
  if (example.packages) writeManifest(folder, example)
  await run(
    folder,
    existsSync(join(folder, 'package-lock.json')) ? 'npm ci' : 'npm install --no-package-lock --install-links',
  )
  const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  if (scripts.build !== undefined) await run(folder, 'npm run build')
  const { ownTest = example.receiver.replace(/\.ts$/, '.test.ts') } = example
  if (existsSync(join(folder, ownTest))) await run(folder, `node --test ${ownTest}`)
  return {
    folder,
    start: example.start ?? scripts.start,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Replaces the endpoint of an installed example with the one that `init` writes, and builds it again. */
export async function installWithInit(installed: Installed, init: NonNullable<Example['init']>): Promise<Installed> {
  const { folder, start } = installed
  for (const path of init.removes) rmSync(join(folder, path), { recursive: true })
  await run(folder, `${CLI} init --json`)
  for (const { file, before, after } of init.edits ?? []) replaceIn(join(folder, file), before, after)
  const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  if (scripts.build !== undefined) await run(folder, 'npm run build')
  return { ...installed, start: init.start ?? start }
}

/** Sends a signed event with the installed command line. Rejects unless the response is 200. */
export async function sendTo({ folder }: Installed, url: string, secret: string): Promise<void> {
  await run(folder, `${CLI} send qr.scanned --to ${url}`, { GOVALID_WEBHOOK_SECRET: secret })
}

/** This process's environment without the secret and its own settings, with its Node and the example's tools first in the path. */
export function environment(folder: string, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !OWN_VARIABLES.test(name))
  const path = [dirname(process.execPath), join(folder, 'node_modules/.bin'), process.env['PATH']].join(delimiter)
  const quiet = { NUXT_TELEMETRY_DISABLED: '1', ASTRO_TELEMETRY_DISABLED: '1', NEXT_TELEMETRY_DISABLED: '1' }
  return { ...Object.fromEntries(kept), PATH: path, CI: '1', ...quiet, ...more }
}

function addSlowHandler(file: string): void {
  const source = readFileSync(file, 'utf8')
  const handler = SLOW_HANDLERS.find(({ before }) => source.includes(before))
  if (!handler) throw new Error(`${file} has no handler for qr.scanned.`)
  replaceIn(file, handler.before, handler.code + handler.before)
}

function replaceIn(file: string, before: string, after: string): void {
  const source = readFileSync(file, 'utf8')
  if (!source.includes(before)) throw new Error(`${file} lacks the text to replace: ${before}`)
  writeFileSync(
    file,
    source.replace(before, () => after),
  )
}

function writeManifest(folder: string, { name, start, packages = [] }: Example): void {
  const versions: Readonly<Record<string, string>> = root.devDependencies
  const dependencies = Object.fromEntries(packages.map((one) => [one, versions[one]]))
  const manifest = {
    name,
    private: true,
    type: 'module',
    scripts: { start },
    dependencies: { 'govalid-webhooks': 'file:../..', ...dependencies },
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
}

async function run(folder: string, command: string, env?: NodeJS.ProcessEnv): Promise<void> {
  const options = { cwd: folder, env: environment(folder, env), timeout: COMMAND_MS, maxBuffer: 64 * 1024 * 1024 }
  try {
    await promisify(execFile)('sh', ['-c', command], options)
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${command} failed in ${folder}\n${stdout}${stderr}`, { cause: error })
  }
}
