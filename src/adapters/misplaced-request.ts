/**
 * Names what developers pass to the `/fetch` handler instead of a `Request`, in the terms of their framework. The Workers adapter has no frameworks
 * in front of it, so this file stays out of its bundle.
 */
import { WebhookError } from '../errors.js'
import { isRequest, readProperty } from './web-request.js'

const USE_NODE = 'govalid-webhooks/node with Node’s request and response'

/** What developers pass instead of the `Request`: where it has the `Request` or Node's request, what it is, and what to pass. */
const MISPLACED: readonly (readonly [path: string, what: string, fix: string])[] = [
  ['raw', 'Hono’s c.req', 'Pass c.req.raw'],
  ['req.raw', 'Hono’s context', 'Pass c.req.raw'],
  ['request', 'an event that holds the Request (SvelteKit, Astro, React Router)', 'Pass event.request'],
  ['web.request', 'an h3 event', 'Pass toWebRequest(event)'],
  ['node.req', 'an h3 event', 'Pass toWebRequest(event)'],
  [
    'req',
    'an event that holds the Request (h3) or Node’s request (Koa)',
    `In h3, pass event.req. In Koa, use ${USE_NODE}`,
  ],
  ['', 'Node’s request (Express, NestJS)', `Use ${USE_NODE}`],
]

/**
 * Checks that a value isn't the context or event of a framework.
 *
 * @throws WebhookError `option_invalid` with what was passed and what to pass.
 */
export function refuseMisplaced(value: unknown): void {
  if (isRequest(value)) return
  const found = MISPLACED.find(([path]) => holdsRequest(value, path))
  const isLambda = !found && readProperty(value, 'requestContext') !== undefined
  const [, given, fix] = found ?? ['', 'a Lambda event', 'Use govalid-webhooks/aws-lambda']
  if (!found && !isLambda) return
  const message = `The webhook handler must be given a Request, and was given ${given}. ${fix}. See docs/frameworks/README.md.`
  throw new WebhookError('option_invalid', message)
}

function holdsRequest(value: unknown, path: string): boolean {
  const held = path === '' ? value : path.split('.').reduce(readProperty, value)
  return isRequest(held) || typeof readProperty(readProperty(held, 'headers'), 'host') === 'string'
}
