/** A Worker project with the platform's types: the stores accept the binding types that `wrangler types` generates. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, it } from 'vitest'
import { ROOT } from './manifest.js'

const { consumer } = inject('packed')

const WORKER = `
import { createReceiver } from 'govalid-webhooks'
import { toHandler } from 'govalid-webhooks/cloudflare'
import { d1Store } from 'govalid-webhooks/stores/d1'
import { durableObjectStore, IdempotencyObject } from 'govalid-webhooks/stores/durable-object'

export { IdempotencyObject }

interface Env {
  DB: D1Database
  IDEMPOTENCY: DurableObjectNamespace<IdempotencyObject>
  KV: KVNamespace
}

const overD1 = toHandler((env: Env) =>
  createReceiver({ secret: 'x', store: d1Store({ database: env.DB }) }).on('qr.scanned', async (event, { transaction }) => {
    await transaction((tx) => tx.add(env.DB.prepare('SELECT ?1').bind(event.data.qr_id)))
  }),
)
const overObjects = toHandler((env: Env) =>
  createReceiver({ secret: 'x', store: durableObjectStore({ namespace: env.IDEMPOTENCY.jurisdiction('eu') }) }),
)
export const misused = (env: Env) => [
  d1Store({ database: env.KV }),
  durableObjectStore({ namespace: env.DB }),
]
export default { fetch: (request, env, ctx) => (request.url.endsWith('d1') ? overD1 : overObjects)(request, env, ctx) } satisfies ExportedHandler<Env>
`

it('a Worker with correct bindings compiles, and other bindings are type errors', () => {
  const folder = join(consumer, 'cloudflare-types')
  mkdirSync(folder)
  const types = join(ROOT, 'node_modules/@cloudflare/workers-types')
  const compilerOptions = {
    ...{ target: 'ES2022', lib: ['ES2022'], module: 'preserve', moduleResolution: 'bundler', types: [types] },
    ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true },
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  writeFileSync(join(folder, 'worker.ts'), WORKER)
  const lines = WORKER.split('\n')
  const lineOf = (text: string) => lines.findIndex((line) => line.includes(text)) + 1
  expect(compile(folder)).toEqual([
    expect.stringContaining(`worker.ts(${lineOf('d1Store({ database: env.KV })')},`),
    expect.stringContaining(`worker.ts(${lineOf('durableObjectStore({ namespace: env.DB })')},`),
  ])
})

/** Returns the compiler's errors, one per line. */
function compile(folder: string): string[] {
  try {
    execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '--pretty', 'false'], {
      cwd: folder,
    })
    return []
  } catch (error) {
    const { stdout } = error as { stdout: Buffer }
    return stdout
      .toString()
      .split('\n')
      .filter((line) => /^\S+\(\d+,/.test(line))
  }
}
