// Cloudflare Workers: the built package, bundled by wrangler as for a deployment, in a bare workerd on its own socket. Without
// `nodejs_compat`, any Node import would prevent the start. Without a development server in front, the tests see the runtime's own HTTP.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { serveWorkerd, WITHOUT_NODE } from '../../support/workerd-server.js'
import { remoteControl, type TargetFactory, type Traits } from '../target.js'
import { processorMsOf } from '../within.js'

const TRAITS: Traits = {
  parser: 'workerd',
  otherMethods: { status: 405, by: 'sdk', why: 'a Worker receives every method' },
  options: { status: 405, by: 'sdk', why: 'a Worker receives OPTIONS too' },
}

const ROOT = join(import.meta.dirname, '../../..')

export const workerd = factory('workerd', WITHOUT_NODE)
/** With every Node API that a Worker can have, including `node:crypto`. */
export const workerdWithNode = factory('workerd with nodejs_compat', [])

function factory(name: string, flags: readonly string[]): TargetFactory {
  return {
    name,
    class: 'workerd',
    async start() {
      const folder = await mkdtemp(join(tmpdir(), 'govalid-workerd-'))
      await bundle(join(import.meta.dirname, 'workerd/wrangler.jsonc'), folder)
      const { port, pid, stop: stopServing } = await serveWorkerd(folder, flags)
      const stop = async () => {
        await stopServing()
        await rm(folder, { recursive: true, force: true })
      }
      const control = remoteControl(port)
      return { name, class: 'workerd', traits: TRAITS, port, control, processorMs: () => processorMsOf(pid), stop }
    },
  }
}

/** Bundles a Worker as `wrangler deploy` would upload it. */
async function bundle(config: string, outdir: string): Promise<void> {
  if (!existsSync(join(ROOT, 'dist'))) throw new Error('dist/ is missing. Run `npm run build` before the Worker tests.')
  const wrangler = join(ROOT, 'node_modules/wrangler/bin/wrangler.js')
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false' }
  await promisify(execFile)(process.execPath, [wrangler, 'deploy', '--dry-run', '--outdir', outdir, '-c', config], {
    env,
  })
}
