/**
 * TypeScript projects that installed only the tarball, without zod. Correct code compiles and wrong code doesn't, with every way to resolve
 * modules. skipLibCheck is off, so the package's own declarations are checked too.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { ROOT, standaloneSpecifiers } from '../manifest.js'

const { consumer } = inject('packed')

const GOOD = `
import { createReceiver, EVENT_TYPES, isEventType, isWebhookError, memoryStore, parseEvent, PermanentError, verifyAndParse } from 'govalid-webhooks'

const receiver = createReceiver({ secret: 'a secret', store: memoryStore() })
  .on('qr.scanned', async (event, context) => {
    const id: string = event.data.qr_id
    const key: string = context.idempotencyKey
    if (id === key) throw new PermanentError('never')
  })

export async function check(body: Uint8Array, signature: string): Promise<number> {
  const parsed = await verifyAndParse(body, signature, 'a secret').catch((error: unknown) => {
    throw isWebhookError(error) ? new Error(error.code) : error
  })
  return [parsed, receiver, parseEvent, EVENT_TYPES, isEventType('qr.scanned')].length
}
`

const BAD = `
import { createReceiver } from 'govalid-webhooks'

createReceiver({ secret: 'a secret' }).on('qr.scanned', async (event) => {
  console.log(event.data.nonsense)
})
`

// The types of these entries import the package that they adapt, and their users have it installed.
const TYPED_BY_A_PEER = ['fastify', 'inboxes/bullmq', 'inboxes/pg-boss'].map((name) => `govalid-webhooks/${name}`)

const SUBPATHS = standaloneSpecifiers
  .filter((specifier) => !TYPED_BY_A_PEER.includes(specifier))
  .map((specifier, index) => `export * as subpath${index} from '${specifier}'`)
  .join('\n')

const NODE = { lib: ['ES2022'], types: ['node'] }
const consumers = [
  { name: 'nodenext, ES modules', type: 'module', options: { ...NODE, module: 'nodenext' }, subpaths: true },
  { name: 'nodenext, CommonJS', type: 'commonjs', options: { ...NODE, module: 'nodenext' }, subpaths: true },
  {
    // TypeScript 6 needs `ignoreDeprecations` for it. Older versions are in runtimes/compilers.test.ts.
    name: 'node10, which ignores `exports`',
    type: 'commonjs',
    options: { ...NODE, module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '6.0' },
    subpaths: true,
  },
  {
    name: 'bundler',
    type: 'module',
    options: { ...NODE, module: 'preserve', moduleResolution: 'bundler' },
    subpaths: true,
  },
  {
    name: 'bundler without the types of Node',
    type: 'module',
    options: { lib: ['ES2022', 'DOM', 'DOM.Iterable'], types: [], module: 'preserve', moduleResolution: 'bundler' },
    subpaths: false,
  },
]

/** Compiles a project and returns the compiler's errors, one per line. */
function compile({ type, options }: (typeof consumers)[number], files: Readonly<Record<string, string>>): string[] {
  const folder = join(consumer, `project-${nextProject()}`)
  mkdirSync(folder)
  const compilerOptions = {
    ...{ target: 'ES2022', strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true },
    ...{ typeRoots: [join(ROOT, 'node_modules/@types')], ...options },
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type }))
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return tsc(folder)
}

let projects = 0
function nextProject(): number {
  projects += 1
  return projects
}

function tsc(folder: string): string[] {
  try {
    execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '--pretty', 'false'], {
      cwd: folder,
    })
    return []
  } catch (error) {
    const { stdout } = error as { stdout: Buffer }
    return stdout.toString().trim().split('\n')
  }
}

describe.each(consumers)('a TypeScript project with $name', (project) => {
  it('compiles correct code and reports exactly the wrong line', () => {
    const subpaths: Record<string, string> = project.subpaths ? { 'subpaths.ts': SUBPATHS } : {}
    const errors = compile(project, { 'good.ts': GOOD, 'bad.ts': BAD, ...subpaths })
    expect(errors).toEqual([expect.stringMatching(/^bad\.ts\(5,.*TS\d+: Property 'nonsense' does not exist on type/)])
  })
})
