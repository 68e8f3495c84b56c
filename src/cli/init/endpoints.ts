/** The source text of the endpoint for each framework. */
import type { Framework } from './detect-project.js'

/** Returns the text of an endpoint. `receiver` is the import path of the receiver's file. */
export type EndpointText = (receiver: string, isTypeScript: boolean) => string

const LISTENING = `() => console.log(\`listening on http://localhost:\${port}/webhooks/govalid\`)`
const PORT = 'const port = Number(process.env.PORT ?? 3000)'

/** The endpoints by framework. They don't use top-level await, because TypeScript may be compiled to CommonJS. */
export const ENDPOINTS: Readonly<Record<Framework, EndpointText>> = {
  express: (receiver) => `import express from 'express'
import { toHandler } from 'govalid-webhooks/express'
import { createWebhookReceiver } from '${receiver}'

// In an existing application, add only the app.post line, before app.use(express.json()).
${PORT}
const app = express()
app.post('/webhooks/govalid', toHandler(createWebhookReceiver()))
app.listen(port, ${LISTENING})
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
  next: (receiver) => `import { toHandler } from 'govalid-webhooks/next'
import { createWebhookReceiver } from '${receiver}'

export const POST = toHandler(createWebhookReceiver())
`,
  workers: (receiver, isTypeScript) => {
    const types = isTypeScript ? 'interface Env {\n  readonly GOVALID_WEBHOOK_SECRET: string\n}\n\n' : ''
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
