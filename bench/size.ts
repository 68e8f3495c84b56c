/**
 * `npm run bench -- size`: compares the size of a Worker's bundle (minified, gzip) with the bundles of other packages. All are bundled alike.
 * `config/size-limit.json` holds the limit that fails the build. Needs `dist/`; `npm run bench` builds it first.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { PEERS_FOLDER } from './peers.js'
import { printHead, printRows, type Row } from './report.js'

interface Bundle {
  readonly what: string
  readonly code: string
  readonly aim?: number
}

const ours: readonly Bundle[] = [
  {
    what: 'ours: a Worker with the whole receiver and the Cloudflare adapter',
    code: `import { createReceiver } from './dist/index.js'; import { toHandler } from './dist/cloudflare.js'; console.log(createReceiver, toHandler)`,
    aim: 16_000,
  },
  {
    what: 'ours: `assertSignature` alone',
    code: `import { assertSignature } from './dist/index.js'; console.log(assertSignature)`,
    aim: 1500,
  },
]

const peers: readonly Bundle[] = [
  {
    what: 'Octokit: `Webhooks` and its web middleware',
    code: `import { Webhooks, createWebMiddleware } from '@octokit/webhooks'; console.log(Webhooks, createWebMiddleware)`,
  },
  { what: 'Octokit: `verify` alone', code: `import { verify } from '@octokit/webhooks-methods'; console.log(verify)` },
  { what: 'Standard Webhooks', code: `import { Webhook } from 'standardwebhooks'; console.log(Webhook)` },
  {
    what: 'Clerk: `verifyWebhook`',
    code: `import { verifyWebhook } from '@clerk/backend/webhooks'; console.log(verifyWebhook)`,
  },
  { what: 'Svix: `Webhook`', code: `import { Webhook } from 'svix'; console.log(Webhook)` },
  { what: 'Stripe', code: `import Stripe from 'stripe'; console.log(Stripe)` },
  {
    what: 'Polar: `webhooks`',
    code: `import { webhooks } from '@polar-sh/sdk/2027-01'; console.log(webhooks.validateEvent)`,
  },
]

printHead("A Worker's bundle")
const rows: Row[] = []
for (const bundle of ours) rows.push(await weigh(bundle, resolve('.')))
if (existsSync(resolve(PEERS_FOLDER, 'node_modules')))
  for (const bundle of peers) rows.push(await weigh(bundle, PEERS_FOLDER))
else console.log('\nThe peers are not installed, so they are skipped. Run: npm run bench -- install')
printRows('esbuild, minified, gzip; bytes', rows)

async function weigh({ what, code, aim }: Bundle, resolveDir: string): Promise<Row> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    conditions: ['workerd', 'worker'],
    external: ['node:*', 'cloudflare:*'],
    logLevel: 'error',
  })
  const bytes = gzipSync(outputFiles[0]?.contents as Uint8Array, { level: 9 }).length
  const row = { what, ours: bytes.toLocaleString('en'), floor: '' }
  if (aim === undefined) return row
  return { ...row, ratio: (bytes / aim).toFixed(2), aim: `≤ ${aim.toLocaleString('en')}`, reached: bytes <= aim }
}
