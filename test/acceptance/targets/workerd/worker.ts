// The Worker under test: every variant on its path, and the control channel. Bundled by wrangler from the built package.
import * as sdk from 'govalid-webhooks'
import { toHandler } from 'govalid-webhooks/cloudflare'
import type { Command } from '../../observations.js'
import { createLab, VARIANT_NAMES } from '../../variants.js'

// At module scope, where Workers allow neither timers nor randomness.
const lab = createLab(sdk)
const handlers = new Map(VARIANT_NAMES.map((name) => [`/webhooks/${name}`, toHandler(lab.receiver(name))]))
const handleFirst = toHandler(lab.receiver('default'))

console.error = (...parts: unknown[]) => lab.logged(parts.map(String).join(' '))
addEventListener('unhandledrejection', (event) => lab.fault(event.reason))

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url)
    if (pathname === '/control') return Response.json(lab.control(await request.json<Command>()))
    if (pathname === '/read-before') {
      await request.text()
      return handleFirst(request, env, ctx)
    }
    return handlers.get(pathname)?.(request, env, ctx) ?? new Response(null, { status: 404 })
  },
} satisfies ExportedHandler
