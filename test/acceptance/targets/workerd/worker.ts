// The Worker under test: every variant on its path, and the control channel. wrangler bundles it from the built package.
import * as sdk from 'govalid-webhooks'
import { toHandler } from 'govalid-webhooks/cloudflare'
import type { Command } from '../../observations.js'
import { createLab, SECRET, VARIANT_NAMES } from '../../variants.js'

const lab = createLab(sdk)
const handlers = new Map(VARIANT_NAMES.map((name) => [`/webhooks/${name}`, toHandler(lab.receiver(name))]))

// Workers allow neither timers nor randomness at module scope.
const handledAtModuleScope = toHandler(sdk.createReceiver({ secret: SECRET }).on('*', () => {}))

interface Env {
  /** This Worker has no such binding. */
  readonly GOVALID_WEBHOOK_SECRET?: string
}
const handledWithoutSecret = toHandler((env: Env) => sdk.createReceiver({ secret: env.GOVALID_WEBHOOK_SECRET }))

console.error = (...parts: unknown[]) => lab.logged(parts.map(String).join(' '))
addEventListener('unhandledrejection', (event) => lab.fault(event.reason))

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url)
    if (pathname === '/control') return Response.json(lab.control(await request.json<Command>()))
    if (pathname === '/has-node-crypto') return Response.json('process' in globalThis)
    if (pathname === '/module-scope') return handledAtModuleScope(request, env, ctx)
    if (pathname === '/without-secret') return handledWithoutSecret(request, env, ctx)
    if (pathname === '/read-before') {
      await request.text()
      return handledAtModuleScope(request, env, ctx)
    }
    return handlers.get(pathname)?.(request, env, ctx) ?? new Response(null, { status: 404 })
  },
} satisfies ExportedHandler<Env>
