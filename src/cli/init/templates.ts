/** The files that `init` writes: a receiver with its handlers, the framework's endpoint, and a test. */
import { existsSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import type { Project } from './detect-project.js'
import { ENDPOINTS } from './endpoints.js'
import { FACTS } from './frameworks.js'
import { styleOf } from './test-style.js'

/** A file to write. `path` is relative to the project's folder. */
export interface NewFile {
  readonly path: string
  readonly text: string
}

/** The route of every endpoint. */
export const ROUTE = '/webhooks/govalid'

/** Returns the files for a project: the receiver, the endpoint and the test. */
export function filesFor(project: Project): readonly [NewFile, NewFile, NewFile] {
  const { framework, folder, extension, isTypeScript } = project
  const {
    endpoint = 'webhooks/server',
    ignoresSrc,
    folder: own = dirname(endpoint),
    testEnding = 'test',
  } = FACTS[framework]
  const parent = ignoresSrc || !existsSync(join(folder, 'src')) ? '' : 'src/'
  const file = (path: string) => `${parent}${path}.${extension}`
  return [
    { path: file(`${own}/receiver`), text: receiverText(project) },
    { path: file(endpoint), text: ENDPOINTS[framework](receiverImport(project, dirname(endpoint), own), isTypeScript) },
    { path: file(`${own}/receiver.${testEnding}`), text: testText(project) },
  ]
}

/** Bundlers resolve an import without an extension, but some don't resolve the extension of the compiled file. */
function receiverImport({ framework, extension }: Project, from: string, to: string): string {
  const path = `${from === to ? '.' : posix.relative(from, to)}/receiver`
  if (FACTS[framework].isBuilt) return path
  return `${path}.${extension === 'mjs' ? 'mjs' : 'js'}`
}

function receiverText({ framework, isTypeScript }: Project): string {
  const imports = isTypeScript ? 'createReceiver, type ReceiverOptions' : 'createReceiver'
  const type = `\ntype Options = Pick<ReceiverOptions, 'secret'> & Partial<Pick<ReceiverOptions, 'clock' | 'onError'>>\n`
  const needsOptions = framework === 'workers' || framework === 'hono-workers'
  const parameter = isTypeScript ? (needsOptions ? 'options: Options' : 'options?: Options') : 'options'
  // A function defers reading the secret, because a build loads the file before the secret is set.
  const secret = `${FACTS[framework].isBuilt ? '() => ' : ''}process.env.GOVALID_WEBHOOK_SECRET`
  const passed = needsOptions ? 'options' : `{ secret: ${secret}, ...options }`
  return `import { ${imports} } from 'govalid-webhooks'
${isTypeScript ? type : ''}
/** Tests and \`npx govalid-webhooks simulate\` pass options. */
export const createWebhookReceiver = (${parameter}) =>
  createReceiver(${passed})
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

test('a forged delivery is refused', async () => {
  const forged = await signDelivery(createEvent('qr.scanned'), { secret: 'a guess' })
  const outcome = await createWebhookReceiver({ secret, onError: () => {} }).receive(forged.delivery)
  ${equal('outcome.status', 'refused')}
})
`
}
