/** What `init` knows about each framework: how to recognize it, where its files belong, and how to start it. */

/** A framework that `init` writes files for. `node` and `fetch` are the variants for every other framework. */
export const FRAMEWORKS = [
  'next',
  'next-pages',
  'sveltekit',
  'nuxt',
  'astro',
  'react-router',
  'tanstack-start',
  'nestjs',
  'hono-workers',
  'hono',
  'elysia',
  'koa',
  'fastify',
  'express',
  'aws-lambda',
  'google-cloud-functions',
  'azure-functions',
  'workers',
  'bun',
  'node',
  'fetch',
] as const

/** A framework that `init` writes files for. */
export type Framework = (typeof FRAMEWORKS)[number]

/** The facts about one framework. */
export interface FrameworkFacts {
  /** The name in the output. */
  readonly label: string
  /** Dependencies that identify the framework. A list inside the list needs all of its packages. */
  readonly packages?: readonly (string | readonly string[])[]
  /** Files that identify the framework. */
  readonly files?: readonly string[]
  /** Packages that the endpoint imports. */
  readonly needs?: readonly string[]
  /** The endpoint's path without its extension. Default: `webhooks/server`. */
  readonly endpoint?: string
  /** The path of the webhook. Default: `/webhooks/govalid`. */
  readonly route?: string
  /** The receiver's folder. Default: the endpoint's folder. */
  readonly folder?: string
  /** The ending of a test's name, before its extension. Default: `test`. */
  readonly testEnding?: 'spec'
  /** Whether the paths stay at the root even if the project has a folder `src`. */
  readonly ignoresSrc?: true
  /** Whether a build loads the receiver's file, so that it must not read the secret yet. */
  readonly isBuilt?: true
  /** The command that starts the endpoint on port 3000. `run` runs a file of the project's language. */
  readonly start?: (endpoint: string, run: string) => string
  /** Changes that the user must make in existing files. */
  readonly notes?: readonly string[]
}

const WORKERS = ['wrangler', '@cloudflare/workers-types', '@cloudflare/vite-plugin']
const WEBHOOKS = 'webhooks'
const WRANGLER = (endpoint: string) =>
  `npx wrangler dev ${endpoint} --port 3000 --var GOVALID_WEBHOOK_SECRET:$GOVALID_WEBHOOK_SECRET`

/** The facts, in the order of detection: a Next.js project may also depend on Express. */
export const FACTS: Readonly<Record<Framework, FrameworkFacts>> = {
  next: {
    label: 'next',
    packages: ['next'],
    needs: ['next', 'react', 'react-dom'],
    endpoint: 'app/webhooks/govalid/route',
    isBuilt: true,
    start: () => 'npx next dev',
  },
  'next-pages': {
    label: 'next, with the Pages Router',
    needs: ['next', 'react', 'react-dom'],
    endpoint: 'pages/api/webhooks/govalid',
    route: '/api/webhooks/govalid',
    folder: WEBHOOKS,
    isBuilt: true,
    start: () => 'npx next dev',
  },
  sveltekit: {
    label: 'sveltekit',
    packages: ['@sveltejs/kit'],
    needs: ['@sveltejs/kit'],
    endpoint: 'src/routes/webhooks/govalid/+server',
    ignoresSrc: true,
    isBuilt: true,
    start: () => 'npx vite dev --port 3000',
    notes: ["Allow every content type: set csrf: { trustedOrigins: ['*'] } in the SvelteKit configuration."],
  },
  nuxt: {
    label: 'nuxt',
    packages: ['nuxt'],
    needs: ['nuxt'],
    endpoint: 'server/routes/webhooks/govalid',
    folder: 'server/webhooks',
    ignoresSrc: true,
    isBuilt: true,
    start: () => 'npx nuxt dev',
  },
  astro: {
    label: 'astro',
    packages: ['astro'],
    needs: ['astro'],
    endpoint: 'src/pages/webhooks/govalid',
    folder: 'src/webhooks',
    ignoresSrc: true,
    isBuilt: true,
    start: () => 'npx astro dev --port 3000',
    notes: [
      'Allow every content type: set security: { checkOrigin: false } in the Astro configuration.',
      'For production, add an adapter, for example: npx astro add node',
    ],
  },
  'react-router': {
    label: 'react-router',
    packages: ['@react-router/dev'],
    needs: ['react-router'],
    endpoint: 'app/routes/webhooks.govalid',
    folder: 'app/webhooks',
    ignoresSrc: true,
    isBuilt: true,
    start: () => 'npx react-router dev --port 3000',
    notes: [
      "Without file routes, add to app/routes.ts: route('webhooks/govalid', 'routes/webhooks.govalid.EXTENSION')",
    ],
  },
  'tanstack-start': {
    label: 'tanstack-start',
    packages: ['@tanstack/react-start'],
    needs: ['@tanstack/react-start', '@tanstack/react-router'],
    endpoint: 'src/routes/webhooks/govalid',
    folder: 'src/webhooks',
    ignoresSrc: true,
    isBuilt: true,
    start: () => 'npx vite dev --port 3000',
  },
  nestjs: {
    label: 'nestjs',
    packages: ['@nestjs/core'],
    needs: ['@nestjs/core', '@nestjs/common'],
    endpoint: 'webhooks/mount-webhooks',
    // A new NestJS project runs only these.
    testEnding: 'spec',
    notes: [
      'Call mountWebhooks(app) in main.ts, after NestFactory.create and before app.listen. On Fastify, this needs NestJS 11.1.8 or newer.',
      'For handlers with dependency injection, import GoValidWebhooksModule of govalid-webhooks/nestjs instead.',
    ],
    start: () => 'npx nest start',
  },
  'hono-workers': {
    label: 'hono, on Cloudflare Workers',
    packages: WORKERS.map((name) => ['hono', name]),
    needs: ['hono'],
    endpoint: 'webhooks/worker',
    start: WRANGLER,
  },
  hono: { label: 'hono', packages: ['hono'], needs: ['hono', '@hono/node-server'] },
  elysia: { label: 'elysia', packages: ['elysia'], needs: ['elysia'], start: (endpoint) => `bun ${endpoint}` },
  koa: { label: 'koa', packages: ['koa'], needs: ['koa'] },
  fastify: { label: 'fastify', packages: ['fastify'], needs: ['fastify'] },
  express: { label: 'express', packages: ['express'], needs: ['express'] },
  'aws-lambda': {
    label: 'aws-lambda',
    packages: ['@types/aws-lambda', 'aws-lambda', 'serverless', 'serverless-esbuild'],
    files: ['serverless.yml', 'template.yaml', 'samconfig.toml'],
    endpoint: 'webhooks/handler',
    notes: ['Deploy the exported `handler` behind a function URL or API Gateway, and send to its address.'],
  },
  'google-cloud-functions': {
    label: 'google-cloud-functions',
    packages: ['@google-cloud/functions-framework'],
    needs: ['@google-cloud/functions-framework'],
    endpoint: 'webhooks/function',
    notes: ['Set "main" in package.json to the (compiled) function file.'],
    start: () => 'npx functions-framework --target=govalidWebhook --port=3000',
  },
  'azure-functions': {
    label: 'azure-functions',
    packages: ['@azure/functions'],
    needs: ['@azure/functions'],
    endpoint: 'src/functions/govalid-webhook',
    route: '/api/webhooks/govalid',
    folder: 'src/webhooks',
    ignoresSrc: true,
    notes: [
      'Check that "main" in package.json matches the (compiled) function file.',
      'With TypeScript, install version 5, because `func init` installs version 4: npm install -D typescript@5',
    ],
    start: () => 'npm start -- --port 3000',
  },
  workers: {
    label: 'workers',
    packages: WORKERS,
    files: ['wrangler.jsonc', 'wrangler.toml', 'wrangler.json'],
    endpoint: 'webhooks/worker',
    start: WRANGLER,
  },
  bun: {
    label: 'bun',
    packages: ['@types/bun', 'bun-types'],
    files: ['bunfig.toml'],
    start: (endpoint) => `bun ${endpoint}`,
  },
  node: { label: 'node:http, without a framework' },
  fetch: { label: 'a function from Request to Response', endpoint: 'webhooks/handle' },
}

/** Frameworks that `init` recognizes but writes no endpoint for. */
export const OTHER_FRAMEWORKS: readonly string[] = [
  ...['@hapi/hapi', '@adonisjs/core', '@feathersjs/feathers', '@loopback/core', '@marblejs/http', '@trpc/server'],
  ...['@remix-run/node', '@remix-run/cloudflare', '@solidjs/start', '@builder.io/qwik-city', '@redwoodjs/core'],
  ...[
    'find-my-way',
    'gatsby',
    'h3',
    'hyper-express',
    'meteor',
    'micro',
    'moleculer',
    'nitropack',
    'nitro',
    'oak',
    'polka',
  ],
  ...['restify', 'sails', 'total.js', 'uwebsockets-express', 'vike', 'waku'],
]
