/**
 * The tarball under every supported compiler and under Jest: TypeScript 5.0 to 7.0, with each way to resolve modules and without
 * `skipLibCheck`; Jest with CommonJS and ts-jest. The versions are installed from `test/fixtures/consumer`.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { compilerPath, FIXTURE } from '../../support/compilers-setup.js'
import { ROOT, standaloneSpecifiers } from '../manifest.js'

const { consumer } = inject('packed')
/** A project for the compilers whose types of Node are of their time, and one with the newest types. */
const project = join(consumer, 'compilers')
const newest = join(consumer, 'newest-compiler')

// The types of these entries import the package that they adapt.
const TYPED_BY_A_PEER = ['fastify', 'inboxes/bullmq', 'inboxes/pg-boss'].map((name) => `govalid-webhooks/${name}`)
const specifiers = standaloneSpecifiers.filter((specifier) => !TYPED_BY_A_PEER.includes(specifier))

const SOURCE = `${specifiers.map((specifier, index) => `export * as subpath${index} from '${specifier}'`).join('\n')}
import { createReceiver, memoryStore } from 'govalid-webhooks'
import { toHandler } from 'govalid-webhooks/express'
import { postgresStore } from 'govalid-webhooks/stores/postgres'
import { signDelivery } from 'govalid-webhooks/testing'

declare const pool: import('pg').Pool
declare const isProduction: boolean
const store = isProduction ? postgresStore({ pool }) : memoryStore()
export const receiver = createReceiver({ secret: 'a secret', store }).on('qr.scanned', async (event, context) => {
  const count: number = event.data.scan_count
  await context.transaction?.((client) => client.query('SELECT $1', [count]))
})
export const handler = toHandler(receiver)
export async function run(): Promise<string> {
  const { delivery, rawBody } = await signDelivery({}, { secret: 'a secret' })
  const bytes: Uint8Array = rawBody
  return bytes.length > 0 ? (await receiver.receive(delivery)).status : ''
}
export const wrong: string = receiver.handles('qr.scanned')
`

const WRONG_LINE = SOURCE.split('\n').findIndex((line) => line.includes('export const wrong')) + 1

const COMPILERS = {
  'TypeScript 5.0': 'typescript50',
  'TypeScript 5.6': 'typescript56',
  'TypeScript 5.9': 'typescript',
  'TypeScript 7.0': 'typescript70',
}
const RESOLUTIONS = [
  { module: 'commonjs', moduleResolution: 'node10' },
  { module: 'nodenext', moduleResolution: 'nodenext' },
  { module: 'esnext', moduleResolution: 'bundler' },
]

beforeAll(() => {
  create(project, FIXTURE, ['@types', 'undici-types', 'pg-protocol', 'pg-types', 'typescript'])
  create(newest, ROOT, ['@types', 'undici-types', 'pg-protocol', 'pg-types'])
})

function create(folder: string, modules: string, linked: readonly string[]): void {
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  for (const name of linked) symlinkSync(join(modules, 'node_modules', name), join(folder, 'node_modules', name))
  // A copy, because a compiler follows a link to the place where other types of Node are installed.
  const installed = 'node_modules/govalid-webhooks'
  cpSync(join(consumer, installed), join(folder, installed), { recursive: true })
  writeFileSync(join(folder, 'index.ts'), SOURCE)
}

describe.each(Object.entries(COMPILERS))('%s', (_, compiler) => {
  // TypeScript 7 has removed node10.
  const supported = RESOLUTIONS.filter(({ module }) => compiler !== 'typescript70' || module !== 'commonjs')

  it.each(supported)(
    'compiles every subpath with module $module and moduleResolution $moduleResolution',
    (resolution) => {
      const options = {
        target: 'es2022',
        lib: ['es2022'],
        types: ['node'],
        strict: true,
        noEmit: true,
        skipLibCheck: false,
      }
      const config = {
        compilerOptions: { ...options, ...resolution, exactOptionalPropertyTypes: true },
        files: ['index.ts'],
      }
      const folder = compiler === 'typescript70' ? newest : project
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
      const { stdout } = spawnSync(process.execPath, [compilerPath(compiler), '--pretty', 'false'], {
        cwd: folder,
        encoding: 'utf8',
      })
      expect(stdout.trim().split('\n')).toEqual([expect.stringMatching(`^index\\.ts\\(${WRONG_LINE},.*TS2322`)])
    },
  )
})

describe('Jest with CommonJS', () => {
  const TEST = `
import { createReceiver } from 'govalid-webhooks'
import { createEvent, signDelivery } from 'govalid-webhooks/testing'
import { memoryStore } from 'govalid-webhooks/stores/memory'

test('a delivery is processed', async () => {
  const receiver = createReceiver({ secret: 'a secret', store: memoryStore() }).on('qr.scanned', () => {})
  const { delivery } = await signDelivery(createEvent('qr.scanned'), { secret: 'a secret' })
  expect(await receiver.receive(delivery)).toMatchObject({ status: 'processed' })
})
`

  it('runs a test in TypeScript with the defaults of ts-jest', () => {
    const folder = join(project, 'jest')
    mkdirSync(folder)
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'tested', private: true }))
    const options = { target: 'es2022', module: 'commonjs', strict: true, skipLibCheck: false, types: ['node'] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options }))
    const transform = { '^.+\\.ts$': [join(FIXTURE, 'node_modules/ts-jest'), {}] }
    writeFileSync(join(folder, 'jest.config.json'), JSON.stringify({ transform }))
    writeFileSync(
      join(folder, 'globals.d.ts'),
      'declare function test(name: string, run: () => Promise<void>): void\ndeclare function expect(value: unknown): { toMatchObject(expected: object): void }\n',
    )
    writeFileSync(join(folder, 'delivery.test.ts'), `/// <reference path="./globals.d.ts" />\n${TEST}`)
    const jest = [join(FIXTURE, 'node_modules/jest/bin/jest.js'), '--config', 'jest.config.json', '--ci']
    const { status, stderr } = spawnSync(process.execPath, jest, { cwd: folder, encoding: 'utf8' })
    expect(stderr).toContain('1 passed')
    expect(status).toBe(0)
  })
})
