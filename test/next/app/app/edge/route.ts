// The edge runtime: receivers and control channel share one route, because each edge route has its own globals.
import { toHandler } from 'govalid-webhooks/next'
import type { Command } from '../../../../acceptance/observations.js'
import { VARIANT_NAMES } from '../../../../acceptance/variants.js'
import { lab } from '../../lab.js'

export const runtime = 'edge'

const handlers = new Map<string | null, ReturnType<typeof toHandler>>(
  VARIANT_NAMES.map((name) => [name, toHandler(lab.receiver(name))]),
)

export async function POST(request: Request): Promise<Response> {
  const variant = new URL(request.url).searchParams.get('variant')
  if (variant === 'control') return Response.json(lab.control((await request.json()) as Command))
  return handlers.get(variant)?.(request) ?? new Response(null, { status: 404 })
}
