/** The source text of endpoints that a framework or a platform loads: route files, and functions that it calls. */

/** Returns the text of an endpoint. `receiver` is the import path of the receiver's file. */
export type EndpointText = (receiver: string, isTypeScript: boolean) => string

/** Keeps the lines that differ between the languages apart. */
const typed = (isTypeScript: boolean, type: string) => (isTypeScript ? type : '')

/** The endpoints by framework. */
export const ROUTE_ENDPOINTS = {
  next: (receiver) => `import { toHandler } from 'govalid-webhooks/next'
import { createWebhookReceiver } from '${receiver}'

export const POST = toHandler(createWebhookReceiver())
`,
  'next-pages': (receiver) => `import { toHandler } from 'govalid-webhooks/node'
import { createWebhookReceiver } from '${receiver}'

// Otherwise Next.js parses the body before the handler can read it.
export const config = { api: { bodyParser: false } }

export default toHandler(createWebhookReceiver())
`,
  sveltekit: (
    receiver,
    isTypeScript,
  ) => `${typed(isTypeScript, "import type { RequestHandler } from '@sveltejs/kit'\n")}import { toHandler } from 'govalid-webhooks/fetch'
import { createWebhookReceiver } from '${receiver}'

// Otherwise SvelteKit redirects an address with a slash at its end, and GoValid doesn't follow redirects.
export const trailingSlash = 'ignore'

const handle = toHandler(createWebhookReceiver())

export const POST${typed(isTypeScript, ': RequestHandler')} = ({ request }) => handle(request)
`,
  nuxt: (receiver) => `import { toHandler } from 'govalid-webhooks/fetch'
import { createWebhookReceiver } from '${receiver}'

const handle = toHandler(createWebhookReceiver())

export default defineEventHandler((event) => handle(toWebRequest(event)))
`,
  astro: (
    receiver,
    isTypeScript,
  ) => `${typed(isTypeScript, "import type { APIRoute } from 'astro'\n")}import { toHandler } from 'govalid-webhooks/fetch'
import { createWebhookReceiver } from '${receiver}'

export const prerender = false

const handle = toHandler(createWebhookReceiver())

export const POST${typed(isTypeScript, ': APIRoute')} = ({ request }) => handle(request)
`,
  'react-router': (receiver, isTypeScript) => `import { toHandler } from 'govalid-webhooks/fetch'
${typed(isTypeScript, "import type { ActionFunctionArgs } from 'react-router'\n")}import { createWebhookReceiver } from '${receiver}'

const handle = toHandler(createWebhookReceiver())

export const action = ({ request }${typed(isTypeScript, ': ActionFunctionArgs')}) => handle(request)

// Without a loader, React Router responds to a GET with 400 and an error page.
export const loader = action
`,
  'tanstack-start': (receiver) => `import { createFileRoute } from '@tanstack/react-router'
import { toHandler } from 'govalid-webhooks/fetch'
import { createWebhookReceiver } from '${receiver}'

const handle = toHandler(createWebhookReceiver())

export const Route = createFileRoute('/webhooks/govalid')({
  server: { handlers: { ANY: ({ request }) => handle(request) } },
})
`,
  nestjs: (
    receiver,
    isTypeScript,
  ) => `${typed(isTypeScript, "import type { INestApplication } from '@nestjs/common'\n")}import { toHandler } from 'govalid-webhooks/node'
import { createWebhookReceiver } from '${receiver}'

/** Call it in main.ts, before app.listen: Nest adds its body parser after it. */
export function mountWebhooks(app${typed(isTypeScript, ': INestApplication')})${typed(isTypeScript, ': void')} {
  app.use('/webhooks/govalid', toHandler(createWebhookReceiver()))
}
`,
  'aws-lambda': (receiver) => `import { toHandler } from 'govalid-webhooks/aws-lambda'
import { createWebhookReceiver } from '${receiver}'

export const handler = toHandler(createWebhookReceiver())
`,
  'google-cloud-functions': (receiver) => `import { http } from '@google-cloud/functions-framework'
import { toHandler } from 'govalid-webhooks/express'
import { createWebhookReceiver } from '${receiver}'

http('govalidWebhook', toHandler(createWebhookReceiver()))
`,
  'azure-functions': (receiver) => `import { app } from '@azure/functions'
import { toHandler } from 'govalid-webhooks/fetch'
import { createWebhookReceiver } from '${receiver}'

const receiver = createWebhookReceiver()
const handle = toHandler(receiver)

app.http('govalidWebhook', {
  route: 'webhooks/govalid', // Azure puts /api in front of it.
  authLevel: 'anonymous', // The signature decides who may call it.
  handler: async (request) => {
    const response = await handle(request)
    return { status: response.status, headers: response.headers, body: await response.text() }
  },
})
app.hook.appTerminate(() => receiver.close({ timeoutMs: 5_000 }))
`,
} satisfies Readonly<Record<string, EndpointText>>
