/** The `init` command: the files for each framework compile, pass their tests, start and receive a delivery. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { transform } from 'esbuild'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { cleanEnv } from '../support/command-line.js'
import { compile, project, typeScript } from '../support/project.js'
import { runCli, runJson } from '../support/run-cli.js'

const SECRET = 'your_webhook_secret'

interface Result {
  readonly framework: string
  readonly files: readonly { readonly path: string; readonly result: string }[]
  readonly next: readonly string[]
}

const init = (cwd: string, ...args: readonly string[]) => runJson<Result>(['init', ...args], { cwd })
const read = (folder: string, file: string) => readFileSync(join(folder, file), 'utf8')

interface Expected {
  readonly framework: string
  readonly dependencies: readonly string[]
  /** Where the files belong in JavaScript. Default: `webhooks/server` and its folder. */
  readonly endpoint?: string
  readonly folder?: string
  /** The path of the webhook. Default: `/webhooks/govalid`. */
  readonly route?: string
  /** The ending of the test's name. Default: `test`. */
  readonly testEnding?: string
  /** Whether the framework is a development dependency of this repository, so that its endpoint can be compiled here. */
  readonly isHere?: true
  readonly isServer?: true
}

const FRAMEWORKS: readonly Expected[] = [
  { framework: 'node', dependencies: [], isServer: true, isHere: true },
  { framework: 'express', dependencies: ['express'], isServer: true, isHere: true },
  { framework: 'fastify', dependencies: ['fastify', 'express'], isServer: true, isHere: true },
  { framework: 'hono', dependencies: ['hono', '@hono/node-server'], isServer: true, isHere: true },
  { framework: 'hono-workers', dependencies: ['hono', 'wrangler'], endpoint: 'webhooks/worker', isHere: true },
  { framework: 'workers', dependencies: ['wrangler'], endpoint: 'webhooks/worker', isHere: true },
  { framework: 'next', dependencies: ['next', 'express'], endpoint: 'app/webhooks/govalid/route', isHere: true },
  { framework: 'aws-lambda', dependencies: ['@types/aws-lambda'], endpoint: 'webhooks/handler', isHere: true },
  { framework: 'koa', dependencies: ['koa'] },
  { framework: 'elysia', dependencies: ['elysia', '@types/bun'] },
  { framework: 'bun', dependencies: ['@types/bun'] },
  {
    framework: 'nestjs',
    dependencies: ['@nestjs/core', 'express'],
    endpoint: 'webhooks/mount-webhooks',
    testEnding: 'spec',
  },
  { framework: 'sveltekit', dependencies: ['@sveltejs/kit'], endpoint: 'src/routes/webhooks/govalid/+server' },
  { framework: 'nuxt', dependencies: ['nuxt'], endpoint: 'server/routes/webhooks/govalid', folder: 'server/webhooks' },
  { framework: 'astro', dependencies: ['astro'], endpoint: 'src/pages/webhooks/govalid', folder: 'src/webhooks' },
  {
    framework: 'react-router',
    dependencies: ['@react-router/dev', 'express'],
    endpoint: 'app/routes/webhooks.govalid',
    folder: 'app/webhooks',
  },
  {
    framework: 'tanstack-start',
    dependencies: ['@tanstack/react-start'],
    endpoint: 'src/routes/webhooks/govalid',
    folder: 'src/webhooks',
  },
  {
    framework: 'google-cloud-functions',
    dependencies: ['@google-cloud/functions-framework'],
    endpoint: 'webhooks/function',
  },
  {
    framework: 'azure-functions',
    dependencies: ['@azure/functions'],
    endpoint: 'src/functions/govalid-webhook',
    folder: 'src/webhooks',
    route: '/api/webhooks/govalid',
  },
]

describe.each(FRAMEWORKS)('a $framework project', (expected) => {
  const { framework, dependencies, endpoint = 'webhooks/server', route = '/webhooks/govalid' } = expected
  const folderOf = expected.folder ?? dirname(endpoint)
  const testFile = `${folderOf}/receiver.${expected.testEnding ?? 'test'}`

  it('is detected and gets its files', async () => {
    const folder = project(dependencies, { type: 'module' })
    const { code, json } = await init(folder)
    expect([code, json.framework]).toEqual([0, framework])
    expect(json.files).toEqual([
      { path: `${folderOf}/receiver.js`, result: 'written' },
      { path: `${endpoint}.js`, result: 'written' },
      { path: `${testFile}.js`, result: 'written' },
      { path: framework.endsWith('workers') ? '.dev.vars.example' : '.env.example', result: 'written' },
    ])
    expect(json.next[0]).toContain('npm install govalid-webhooks')
    expect(json.next.at(-1)).toBe(`npx govalid-webhooks send qr.scanned --to http://localhost:3000${route}`)
  })

  it('gets a test that passes', async () => {
    const folder = project(dependencies)
    await init(folder)
    // Frameworks with a build get .js files, which they treat as modules.
    const file = ['js', 'mjs'].map((type) => `${testFile}.${type}`).find((path) => existsSync(join(folder, path)))
    expect(file).toBeDefined()
    const printed = execFileSync(process.execPath, ['--test', '--test-reporter=tap', file ?? ''], {
      cwd: folder,
      env: cleanEnv(),
    })
    expect(printed.toString()).toContain('# pass 2')
  })

  // The other frameworks are compiled in test/frameworks.
  if (expected.isHere) {
    it('gets files that compile in TypeScript', async () => {
      const folder = typeScript(project(dependencies))
      await init(folder)
      expect(existsSync(join(folder, `${endpoint}.ts`))).toBe(true)
      expect(compile(folder)).toEqual([])
    })
  }

  it('gets TypeScript files that tsx can run as CommonJS', async () => {
    const folder = typeScript(project(dependencies))
    for (const { path } of (await init(folder)).json.files.filter(({ path }) => path.endsWith('.ts'))) {
      // tsx compiles a file in the same way.
      await expect(transform(read(folder, path), { loader: 'ts', format: 'cjs' })).resolves.toHaveProperty('code')
    }
  })
})

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

describe.each(FRAMEWORKS.filter(({ isServer }) => isServer))('the endpoint of $framework', ({ dependencies }) => {
  it('starts and handles the first event', async () => {
    const folder = project(dependencies)
    await init(folder)
    const port = await freePort()
    const env = { GOVALID_WEBHOOK_SECRET: SECRET, PORT: String(port) }
    const child = spawn(process.execPath, ['webhooks/server.mjs'], { cwd: folder, env: cleanEnv(env) })
    stops.push(() => void child.kill())
    const waitForOutput = outputOf(child.stdout)
    await waitForOutput(`listening on http://localhost:${port}/webhooks/govalid`)
    const to = `http://localhost:${port}/webhooks/govalid`
    const { code } = await runCli(['send', 'qr.scanned', '--to', to], { env })
    expect(code).toBe(0)
    await waitForOutput('qr.scanned: Product Certificate #001, scan 15, Jakarta')
    expect((await runCli(['doctor', to], { env })).code).toBe(0)
  })

  it('fails if its port is in use', async () => {
    const folder = project(dependencies)
    await init(folder)
    const other = createServer().listen(0)
    stops.push(() => void other.close())
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const env = cleanEnv({ GOVALID_WEBHOOK_SECRET: SECRET, PORT: String(port) })
    const child = spawn(process.execPath, ['webhooks/server.mjs'], { cwd: folder, env })
    expect(await once(child, 'exit')).toEqual([1, null])
  })
})

describe('an existing file', () => {
  it('is left unchanged if it has the same content', async () => {
    const folder = project([])
    await init(folder)
    const { code, json } = await init(folder)
    expect(code).toBe(0)
    expect(json.files.map(({ result }) => result)).toEqual(Array(4).fill('unchanged'))
  })

  it('is not overwritten without a terminal to ask at, and no other file is written', async () => {
    const folder = project([])
    mkdirSync(join(folder, 'webhooks'))
    writeFileSync(join(folder, 'webhooks/server.mjs'), '// mine')
    const { code, stderr } = await runCli(['init'], { cwd: folder })
    expect([code, stderr]).toEqual([2, expect.stringContaining('webhooks/server.mjs already exists.')])
    expect(read(folder, 'webhooks/server.mjs')).toBe('// mine')
    expect([existsSync(join(folder, 'webhooks/receiver.mjs')), existsSync(join(folder, '.env.example'))]).toEqual([
      false,
      false,
    ])
  })

  it('is overwritten with --force', async () => {
    const folder = project([])
    mkdirSync(join(folder, 'webhooks'))
    writeFileSync(join(folder, 'webhooks/server.mjs'), '// mine')
    const { json } = await init(folder, '--force')
    expect(json.files[1]).toEqual({ path: 'webhooks/server.mjs', result: 'overwritten' })
    expect(read(folder, 'webhooks/server.mjs')).toContain('createServer')
  })

  it('.env.example keeps its content', async () => {
    const folder = project([])
    writeFileSync(join(folder, '.env.example'), 'PORT=3000')
    const { json } = await init(folder)
    expect(json.files[3]).toEqual({ path: '.env.example', result: 'appended' })
    expect(read(folder, '.env.example')).toMatch(/^PORT=3000\n\n# .+\nGOVALID_WEBHOOK_SECRET=\n$/)
  })
})

describe('a project', () => {
  it('with a src folder gets its files there', async () => {
    const folder = project(['next'])
    mkdirSync(join(folder, 'src'))
    expect((await init(folder)).json.files[1]?.path).toBe('src/app/webhooks/govalid/route.js')
  })

  it('that uses the Pages Router gets a route there, and a receiver outside of it', async () => {
    const folder = project(['next'])
    mkdirSync(join(folder, 'pages'))
    const { json } = await init(folder)
    expect(json.framework).toBe('next-pages')
    expect(json.files.map(({ path }) => path).slice(0, 2)).toEqual([
      'webhooks/receiver.js',
      'pages/api/webhooks/govalid.js',
    ])
    expect(read(folder, 'pages/api/webhooks/govalid.js')).toContain("from '../../../webhooks/receiver'")
  })

  it.each(['wrangler.toml', 'serverless.yml'])('is detected by its file %s', async (file) => {
    const folder = project([])
    writeFileSync(join(folder, file), '')
    expect((await init(folder)).json.framework).toBe(file === 'wrangler.toml' ? 'workers' : 'aws-lambda')
  })

  it('with an unknown framework gets no files, but the two variants to choose from', async () => {
    const folder = project(['@hapi/hapi'])
    const { code, stderr } = await runCli(['init'], { cwd: folder })
    expect(code).toBe(2)
    expect(stderr).toContain('@hapi/hapi is unknown to init')
    expect(stderr).toContain('init --framework fetch')
    expect(existsSync(join(folder, 'webhooks'))).toBe(false)
    expect((await init(folder, '--framework', 'fetch')).json.files[1]?.path).toBe('webhooks/handle.mjs')
    expect((await init(folder, '--framework', 'node', '--force')).json.files[1]?.path).toBe('webhooks/server.mjs')
  })

  it('gets the commands of the detected package manager and test runner', async () => {
    const folder = typeScript(project(['express', 'vitest']))
    writeFileSync(join(folder, 'pnpm-lock.yaml'), '')
    const { json } = await init(folder)
    expect(json.next.slice(0, 2)).toEqual(['pnpm add govalid-webhooks', 'npx vitest run webhooks/receiver.test.ts'])
    expect(read(folder, 'webhooks/receiver.test.ts')).toContain("from 'vitest'")
  })

  it('with jest gets a test that jest can load', async () => {
    const folder = typeScript(project(['jest']))
    await init(folder)
    const text = read(folder, 'webhooks/receiver.test.ts')
    expect(text).toContain("from './receiver'")
    expect(text).not.toContain('node:test')
  })

  it('gets the framework of --framework', async () => {
    const { json } = await init(project(['express']), '--framework', 'fastify')
    expect(json.framework).toBe('fastify')
    expect((await runCli(['init', '--framework', 'koala'], { cwd: project([]) })).code).toBe(2)
  })

  it.each([
    ['express', 'express'],
    ['fastify', 'fastify'],
    ['hono', 'hono @hono/node-server'],
    ['next', 'next react react-dom'],
  ])('is told to install the missing packages for %s', async (framework, packages) => {
    const installed = async (dependencies: readonly string[]) =>
      (await init(project(dependencies), '--framework', framework)).json.next[0]
    expect(await installed([])).toBe(`npm install govalid-webhooks ${packages}`)
    expect(await installed(packages.split(' '))).toBe('npm install govalid-webhooks')
  })

  it.each([
    ['is missing', undefined, 'No package.json in this folder.'],
    ['is not JSON', '{', "isn't valid JSON"],
  ])('exits with 2 if its package.json %s', async (_, text, message) => {
    const folder = mkdtempSync(join(inject('packed').consumer, 'nothing-'))
    if (text !== undefined) writeFileSync(join(folder, 'package.json'), text)
    const { code, stderr } = await runCli(['init'], { cwd: folder })
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)])
  })
})

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

/** Returns a function that waits until a process has printed a text. */
function outputOf(stream: NodeJS.ReadableStream): (text: string) => Promise<void> {
  let output = ''
  stream.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  return async (text) => {
    for (let waited = 0; !output.includes(text); waited += 25) {
      if (waited > 20_000) throw new Error(`expected the output ${text}, but got: ${output}`)
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
}
