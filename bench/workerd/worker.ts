/**
 * Runs inside workerd. `POST /load` stores deliveries and `POST /run/<subject>` processes all of them. The benchmark measures from outside,
 * because a Worker's clock doesn't advance during computation.
 */
import { createSecretKeys } from '../../src/crypto/secrets.js'
import { verifySignature } from '../../src/delivery/signature.js'
import { createReceiver, parseEvent } from '../../src/index.js'
import { inWorkerd } from '../peers/in-workerd.mjs'

/** A delivery that `/load` receives. */
export interface PreparedDelivery {
  readonly body: string
  readonly signature: string
  /** The headers of each peer, keyed by its name. */
  readonly peers: Readonly<Record<string, Readonly<Record<string, string>>>>
}

interface Item extends PreparedDelivery {
  readonly bytes: Uint8Array<ArrayBuffer>
}

const SECRET = 'your_webhook_secret'
/** A WebCrypto key. */
type WebKey = Awaited<ReturnType<typeof importKey>>

const ALGORITHM = { name: 'HMAC', hash: 'SHA-256' }
const secretBytes = new TextEncoder().encode(SECRET)
const secrets = createSecretKeys(SECRET)
const receiver = createReceiver({ secret: SECRET, store: false }).on('qr.scanned', (event) => count(event))
let items: readonly Item[] = []
let reusableKey: WebKey | undefined
let handled = 0

const subjects: Readonly<Record<string, (item: Item) => unknown>> = {
  floor: async ({ bytes, signature }) => {
    reusableKey ??= await importKey()
    await verifyWithWebCrypto(reusableKey, bytes, signature)
  },
  'import-key': async ({ bytes, signature }) => verifyWithWebCrypto(await importKey(), bytes, signature),
  ours: async ({ bytes, signature }) => {
    const verdict = verifySignature(bytes, signature, secrets)
    if (!('secretIndex' in (verdict instanceof Promise ? await verdict : verdict)))
      throw new Error('A valid delivery was refused.')
    count(parseEvent(bytes).event)
  },
  receiver: ({ bytes: body, signature }) =>
    receiver.receive({
      method: 'POST',
      header: (name) => (name === 'x-govalid-signature' ? signature : undefined),
      body,
    }),
  ...Object.fromEntries(
    Object.entries(inWorkerd).map(([name, receive]) => [
      name,
      async (item: Item) => count(await receive(item.body, item.peers[name] ?? {})),
    ]),
  ),
}

export default {
  async fetch(request: Request): Promise<Response> {
    const [, verb, name = ''] = new URL(request.url).pathname.split('/')
    if (verb === 'load') {
      const deliveries = (await request.json()) as readonly PreparedDelivery[]
      items = deliveries.map((one) => ({ ...one, bytes: new TextEncoder().encode(one.body) }))
      return new Response(String(items.length))
    }
    const subject = subjects[decodeURIComponent(name)]
    if (!subject) return new Response('Unknown subject', { status: 404 })
    const before = handled
    for (const item of items) await subject(item)
    return new Response(String(handled - before))
  },
}

function count(event: unknown): void {
  if (typeof event === 'object' && event !== null) handled++
}

function importKey() {
  return crypto.subtle.importKey('raw', secretBytes, ALGORITHM, false, ['verify'])
}

const utf8 = new TextDecoder()
const HEX = new Uint8Array(128)
for (let value = 0; value < 16; value++) HEX[value.toString(16).charCodeAt(0)] = value

async function verifyWithWebCrypto(key: WebKey, bytes: Uint8Array<ArrayBuffer>, signature: string): Promise<void> {
  const mac = new Uint8Array(32)
  for (let index = 0; index < 32; index++) {
    const position = 'sha256='.length + 2 * index
    const high = HEX[signature.charCodeAt(position)] as number
    mac[index] = (high << 4) | (HEX[signature.charCodeAt(position + 1)] as number)
  }
  if (!(await crypto.subtle.verify('HMAC', key, mac, bytes))) throw new Error('A valid delivery was refused.')
  count(JSON.parse(utf8.decode(bytes)))
}
