/** The files `init` writes: a receiver with its handlers, the endpoint of the framework, a test. In: a project. Out: paths and texts. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Framework, Project } from './detect-project.js'
import { ENDPOINTS } from './endpoints.js'
import { styleOf } from './test-style.js'

/** A file to be written, by its path from the project's folder. */
export interface NewFile {
  readonly path: string
  readonly text: string
}

/** The route every endpoint has. */
export const ROUTE = '/webhooks/govalid'

/** The files of a project's endpoint; the first is the one with the handlers. */
export function filesFor(project: Project): readonly [NewFile, NewFile, NewFile] {
  const { framework, extension } = project
  const folder = folderOf(project)
  const file = (name: string) => `${folder}/${name}.${extension}`
  // What Next.js is built with resolves a file without its extension, and not one by the extension it will be compiled to.
  const receiver = framework === 'next' ? './receiver' : `./receiver.${extension === 'mjs' ? 'mjs' : 'js'}`
  return [
    { path: file('receiver'), text: receiverText(project) },
    { path: file(ENDPOINT_NAMES[framework]), text: ENDPOINTS[framework](receiver, project.isTypeScript) },
    { path: file('receiver.test'), text: testText(project) },
  ]
}

const ENDPOINT_NAMES: Readonly<Record<Framework, string>> = {
  next: 'route',
  workers: 'worker',
  hono: 'server',
  fastify: 'server',
  express: 'server',
  node: 'server',
}

function folderOf({ framework, folder }: Project): string {
  const parent = existsSync(join(folder, 'src')) ? 'src/' : ''
  return framework === 'next' ? `${parent}app${ROUTE}` : `${parent}webhooks`
}

function receiverText({ framework, isTypeScript }: Project): string {
  const imports = isTypeScript ? 'createReceiver, type ReceiverOptions' : 'createReceiver'
  const type = `\ntype Options = Pick<ReceiverOptions, 'secret'> & Partial<Pick<ReceiverOptions, 'clock' | 'onError'>>\n`
  const isGiven = framework === 'workers'
  const parameter = isTypeScript ? (isGiven ? 'options: Options' : 'options?: Options') : 'options'
  // \`next build\` loads the file, and the secret need not be there yet.
  const secret =
    framework === 'next' ? '() => process.env.GOVALID_WEBHOOK_SECRET' : 'process.env.GOVALID_WEBHOOK_SECRET'
  const given = isGiven ? 'options' : `{ secret: ${secret}, ...options }`
  return `import { ${imports} } from 'govalid-webhooks'
${isTypeScript ? type : ''}
/** Options come from tests and from \`npx govalid-webhooks simulate\`. */
export const createWebhookReceiver = (${parameter}) =>
  createReceiver(${given})
    .on('qr.scanned', async (event) => {
      const { qr_title, scan_count, scan_location } = event.data
      console.log(\`qr.scanned: \${qr_title}, scan \${scan_count}, \${scan_location?.city ?? 'place unknown'}\`)
    })
    .on('counterfeit.detected', async (event) => {
      console.log(\`counterfeit.detected at \${event.timestamp}: \${JSON.stringify(event.data)}\`)
    })
`
}

function testText(project: Project): string {
  const { imports, receiver, equal } = styleOf(project)
  return `${imports}import { createEvent, signDelivery } from 'govalid-webhooks/testing'
import { createWebhookReceiver } from '${receiver}'

const secret = 'a secret for tests'

test('a scan reaches its handler', async () => {
  const signed = await signDelivery(createEvent('qr.scanned'), { secret })
  const outcome = await createWebhookReceiver({ secret }).receive(signed.delivery)
  ${equal('outcome.status', 'processed')}
})

test('a forged delivery does not', async () => {
  const forged = await signDelivery(createEvent('qr.scanned'), { secret: 'a guess' })
  const outcome = await createWebhookReceiver({ secret, onError: () => {} }).receive(forged.delivery)
  ${equal('outcome.status', 'refused')}
})
`
}
