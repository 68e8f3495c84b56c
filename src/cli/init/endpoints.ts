/** The source text of the endpoint for each framework: servers and Workers here, files that a framework loads in route-endpoints.ts. */
import type { Framework } from './frameworks.js'
import { type EndpointText, ROUTE_ENDPOINTS } from './route-endpoints.js'

const LISTENING = `() => console.log(\`listening on http://localhost:\${port}/webhooks/govalid\`)`
const ENV_TYPE = 'interface Env {\n  readonly GOVALID_WEBHOOK_SECRET: string\n}\n\n'
const PORT = 'const port = Number(process.env.PORT ?? 3000)'

/** The endpoints by framework. They don't use top-level await, because TypeScript may be compiled to CommonJS. */
export const ENDPOINTS: Readonly<Record<Framework, EndpointText>> = {
  ...ROUTE_ENDPOINTS,
  express: (receiver) => `import express from 'express'
import { toHandler } from 'govalid-webhooks/express'
import { createWebhookReceiver } from '${receiver}'

// In an existing application, add only the app.post line, before app.use(express.json()).
${PORT}
const app = express()
app.post('/webhooks/govalid', toHandler(createWebhookReceiver()))
app.listen(port, (error) => {
  if (error) throw error
  console.log(\`listening on http://localhost:\${port}/webhooks/govalid\`)
})
`,
  fastify: (receiver) => `import fastify from 'fastify'
import { toPlugin } from 'govalid-webhooks/fastify'
import { createWebhookReceiver } from '${receiver}'

// In an existing application, add only the app.register line.
${PORT}
const app = fastify()
app.register(toPlugin(createWebhookReceiver()), { path: '/webhooks/govalid' })
app.listen({ port }, (error) => {
  if (error) throw error
  console.log(\`listening on http://localhost:\${port}/webhooks/govalid\`)
})
`,
  hono: (receiver) => `import { serve } from '@hono/node-server'
import { toHandler } from 'govalid-webhooks/fetch'
import { Hono } from 'hono'
import { createWebhookReceiver } from '${receiver}'

// In an existing application, add only the app.post line. On Bun, Deno and Workers, remove the \`serve\` call.
${PORT}
const handle = toHandler(createWebhookReceiver())
const app = new Hono()
app.post('/webhooks/govalid', (context) => handle(context.req.raw))
serve({ fetch: app.fetch, port }, ${LISTENING})
`,
  node: (receiver) => `import { createServer } from 'node:http'
import { toHandler } from 'govalid-webhooks/node'
import { createWebhookReceiver } from '${receiver}'

${PORT}
const handle = toHandler(createWebhookReceiver())
const server = createServer((request, response) => {
  if (request.url === '/webhooks/govalid') void handle(request, response)
  else response.writeHead(404).end()
})
server.listen(port, ${LISTENING})
`,
  koa: (receiver) => `import { toHandler } from 'govalid-webhooks/node'
import Koa from 'koa'
import { createWebhookReceiver } from '${receiver}'

// In an existing application, add only the middleware, before every body parser.
${PORT}
const handle = toHandler(createWebhookReceiver())
const app = new Koa()
app.use(async (context, next) => {
  if (context.path !== '/webhooks/govalid') return next()
  context.respond = false // The webhook handler writes the response itself.
  await handle(context.req, context.res)
})
app.listen(port, ${LISTENING})
`,
  elysia: (receiver) => `import { Elysia } from 'elysia'
import { toHandler } from 'govalid-webhooks/fetch'
import { createWebhookReceiver } from '${receiver}'

// In an existing application, add only the .post call. \`parse: 'none'\` leaves the body unread.
${PORT}
const handle = toHandler(createWebhookReceiver())
new Elysia().post('/webhooks/govalid', ({ request }) => handle(request), { parse: 'none' }).listen(port)
console.log(\`listening on http://localhost:\${port}/webhooks/govalid\`)
`,
  bun: (receiver, isTypeScript) => `import { toHandler } from 'govalid-webhooks/fetch'
import { createWebhookReceiver } from '${receiver}'

// In an existing server, add only the route.
${PORT}
const handle = toHandler(createWebhookReceiver())
Bun.serve({ port, routes: { '/webhooks/govalid': (request${isTypeScript ? ': Request' : ''}) => handle(request) } })
console.log(\`listening on http://localhost:\${port}/webhooks/govalid\`)
`,
  fetch: (receiver) => `import { toHandler } from 'govalid-webhooks/fetch'
import { createWebhookReceiver } from '${receiver}'

/** Takes the untouched Request of POST /webhooks/govalid and returns the Response. Call it from your framework's route. */
export const handleWebhook = toHandler(createWebhookReceiver())
`,
  'hono-workers': (receiver, isTypeScript) => `import { toHandler } from 'govalid-webhooks/cloudflare'
import { Hono } from 'hono'
import { createWebhookReceiver } from '${receiver}'

${isTypeScript ? ENV_TYPE : ''}const handle = toHandler(${isTypeScript ? '(env: Env)' : '(env)'} => createWebhookReceiver({ secret: env.GOVALID_WEBHOOK_SECRET }))

// In an existing Worker, add only the app.post line. Otherwise, set this file as \`main\` in the wrangler configuration.
const app = new Hono${isTypeScript ? '<{ Bindings: Env }>' : ''}()
app.post('/webhooks/govalid', (context) => handle(context.req.raw, context.env, context.executionCtx))

export default app
`,
  workers: (receiver, isTypeScript) => {
    const types = isTypeScript ? ENV_TYPE : ''
    const env = isTypeScript ? '(env: Env)' : '(env)'
    const parameters = isTypeScript
      ? '(request: Request, env: Env, context: { waitUntil(promise: Promise<unknown>): void })'
      : '(request, env, context)'
    return `import { toHandler } from 'govalid-webhooks/cloudflare'
import { createWebhookReceiver } from '${receiver}'

${types}const handle = toHandler(${env} => createWebhookReceiver({ secret: env.GOVALID_WEBHOOK_SECRET }))

// In an existing Worker, add only the call of \`handle\`. Otherwise, set this file as \`main\` in the wrangler configuration.
export default {
  fetch: ${parameters} =>
    new URL(request.url).pathname === '/webhooks/govalid'
      ? handle(request, env, context)
      : new Response(null, { status: 404 }),
}
`
  },
}
