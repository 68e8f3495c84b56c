/** The examples under test, and the adjustments that a test of them needs. */

/** An example. Its own scripts `build` and `start` are run. */
export interface Example {
  readonly name: string
  /** The folder in `examples`. Default: the name. */
  readonly folder?: string
  /** The framework's package, whose version is recorded. Default: the name of the example. */
  readonly framework?: string
  /** Whether the example also runs in `.ci/run`. */
  readonly isFast: boolean
  /** The file with the receiver. A slow handler is added to its copy. */
  readonly receiver: string
  /** The example's own test. Default: the TypeScript file next to the receiver, if there is one. */
  readonly ownTest?: string
  /** Also tests `init` here: these files are removed, and `init` writes its own endpoint. */
  readonly init?: {
    readonly removes: readonly string[]
    /** What `init` tells the user to change: a text in a file, and the text to write instead. */
    readonly edits?: readonly { readonly file: string; readonly before: string; readonly after: string }[]
    /** Starts the written endpoint. Default: the example's script `start`. */
    readonly start?: string
  }
  /** The path of the webhook. Default: `/webhooks/govalid`. */
  readonly path?: string
  /** Starts the example. Default: its script `start`. */
  readonly start?: string
  /** Tests of the suite that the framework itself makes fail, with the reason. */
  readonly deviations?: Readonly<Record<string, string>>
  /** Packages from the repository that the example needs, if it has no `package.json` of its own. */
  readonly packages?: readonly string[]
}

/** Mounts the written endpoint in the NestJS example instead of the module, as the note of `init` says. */
const mountInNest = (main: string): NonNullable<Example['init']> => ({
  removes: ['src/webhooks.service.ts'],
  edits: [
    {
      file: 'src/app.module.ts',
      before: '  imports: [GoValidWebhooksModule.forRoot({ secret: () => process.env.GOVALID_WEBHOOK_SECRET })],\n',
      after: '',
    },
    { file: 'src/app.module.ts', before: '  providers: [WebhooksService],\n', after: '' },
    { file: 'src/app.module.ts', before: "import { WebhooksService } from './webhooks.service.js'\n", after: '' },
    { file: main, before: 'app.enableShutdownHooks()', after: 'mountWebhooks(app)\napp.enableShutdownHooks()' },
    {
      file: main,
      before: "import { AppModule } from './app.module.js'",
      after:
        "import { AppModule } from './app.module.js'\nimport { mountWebhooks } from './webhooks/mount-webhooks.js'",
    },
  ],
})

/** The examples that run TypeScript directly and use the packages of this repository. */
const SERVERS: readonly Example[] = [
  ['express', 'express'],
  ['fastify', 'fastify'],
  ['hono', 'hono', '@hono/node-server'],
  ['node'],
].map(([name = '', ...packages]) => ({
  name,
  isFast: true,
  receiver: 'server.ts',
  start: 'node server.ts',
  packages,
}))

/** Every example. */
export const EXAMPLES: readonly Example[] = [
  ...SERVERS,
  {
    name: 'koa',
    isFast: true,
    init: { removes: ['server.ts', 'receiver.ts', 'receiver.test.ts'], start: 'node webhooks/server.js' },
    receiver: 'receiver.ts',
  },
  {
    name: 'nestjs',
    framework: '@nestjs/core',
    isFast: true,
    init: mountInNest('src/main.ts'),
    receiver: 'src/webhooks.service.ts',
  },
  {
    name: 'nestjs-fastify',
    folder: 'nestjs',
    framework: '@nestjs/core',
    isFast: false,
    init: mountInNest('src/main-fastify.ts'),
    receiver: 'src/webhooks.service.ts',
    start: 'node dist/main-fastify.js',
  },
  { name: 'aws-lambda', isFast: true, receiver: 'receiver.ts' },
  { name: 'hono-lambda', framework: 'hono', isFast: false, receiver: 'receiver.ts' },
  {
    name: 'sveltekit',
    framework: '@sveltejs/kit',
    isFast: true,
    init: { removes: ['src/routes/webhooks'] },
    receiver: 'src/routes/webhooks/govalid/receiver.ts',
  },
  { name: 'react-router', isFast: false, receiver: 'app/webhooks/receiver.ts' },
  {
    name: 'elysia',
    isFast: false,
    init: { removes: ['server.ts', 'receiver.ts'], start: 'bun webhooks/server.js' },
    receiver: 'receiver.ts',
  },
  {
    name: 'google-cloud-functions',
    framework: '@google-cloud/functions-framework',
    isFast: false,
    receiver: 'receiver.ts',
    deviations: {
      'signed bytes that are not text get 200': 'the platform parses the body and refuses what is not JSON',
    },
  },
  {
    name: 'azure-functions',
    framework: '@azure/functions',
    isFast: false,
    init: { removes: ['src'] },
    receiver: 'src/webhooks/receiver.ts',
    ownTest: 'dist/webhooks/receiver.test.js',
    path: '/api/webhooks/govalid',
  },
  {
    name: 'tanstack-start',
    framework: '@tanstack/react-start',
    isFast: false,
    init: { removes: ['src/webhooks', 'src/routes/webhooks'] },
    receiver: 'src/webhooks/receiver.ts',
  },
  {
    name: 'nextjs-pages',
    framework: 'next',
    isFast: false,
    init: { removes: ['webhooks', 'pages/api/webhooks'] },
    receiver: 'webhooks/receiver.ts',
    path: '/api/webhooks/govalid',
  },
  { name: 'nextjs', framework: 'next', isFast: false, receiver: 'app/webhooks/govalid/route.ts' },
  { name: 'hono-workers', framework: 'hono', isFast: false, receiver: 'worker.ts' },
  {
    name: 'astro',
    isFast: false,
    init: { removes: ['src/webhooks', 'src/pages/webhooks'] },
    receiver: 'src/webhooks/receiver.ts',
  },
  { name: 'nuxt', isFast: false, init: { removes: ['server'] }, receiver: 'server/webhooks/receiver.ts' },
]
