/** Turns a recorded delivery into a curl command for a POSIX shell or into a test. Neither contains the secret. */
import { posix } from 'node:path'
import { createReceiver } from '../../create-receiver.js'
import { SIGNATURE_HEADER } from '../../delivery/signature.js'
import { fixedClock } from '../../testing/fixed-clock.js'
import { signDelivery } from '../../testing/sign-delivery.js'
import type { Outcome } from '../../types.js'
import { styleOf, type TestStyle } from '../init/test-style.js'
import type { WrittenReceiver } from '../init/written-receiver.js'
import { endToEnd } from './forward.js'
import { bytesOf, type DeliveryRecord, eventOf, headerOf } from './record.js'

/** Returns a curl command that sends the same bytes and headers to `url`. */
export function toCurl(record: DeliveryRecord, url: string): string {
  const { method, headers } = record
  const bytes = bytesOf(record)
  const text = bytes.toString('utf8')
  const isInline = bytes.length < MAX_INLINE_BYTES && Buffer.from(text).equals(bytes) && !UNSAFE.test(text)
  const data = isInline ? `--data-raw ${quote(text)}` : '--data-binary @-'
  const parts = [
    `curl -i -X ${quote(method)} ${quote(url)}`,
    ...endToEnd(headers).map(([name, value]) => `-H ${headerArgument(name, value)}`),
    // These two headers keep curl from adding its own content type and from waiting for `100 Continue`.
    ...(headerOf(headers, 'content-type') === undefined ? ["-H 'Content-Type:'"] : []),
    "-H 'Expect:'",
    ...(bytes.length > 0 || method === 'POST' ? [data] : []),
  ]
  const pipe = isInline ? '' : `printf %s ${quote(bytes.toString('base64'))} | base64 -d | `
  return pipe + parts.join(' \\\n  ')
}

/** The maximum length of a body on the command line, because some systems limit the length of an argument. */
const MAX_INLINE_BYTES = 64 * 1024

/** Characters that a terminal would execute or hide when the command is pasted. */
const UNSAFE = /[\p{Cf}\p{Zl}\p{Zp}]|(?!\n)\p{Cc}/u

/** Quotes text for a POSIX shell. Within single quotes, only the single quote itself is special. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** Returns a header argument. Non-ASCII bytes are escaped, because Node reads headers as Latin-1. curl needs `;` for an empty value. */
function headerArgument(name: string, value: string): string {
  if (value === '') return quote(`${name};`)
  const line = `${name}: ${value}`
  if (/^[\x20-\x7e]*$/.test(line)) return quote(line)
  const escaped = [...Buffer.from(line, 'latin1')].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
  return `"$(printf '${escaped}')"`
}

/**
 * Returns a test that delivers the same bytes to the receiver that `init` wrote, or to a placeholder if there is none. The test signs a
 * delivery that verifies with its own secret, and any other delivery with another secret. It sets the clock to the time of the delivery.
 */
export async function toTest(record: DeliveryRecord, written: WrittenReceiver | undefined): Promise<string> {
  const { imports, receiver, equal, note } = written ? styleFor(written) : ANY_RECEIVER
  const bytes = bytesOf(record)
  const event = escapeAll(JSON.stringify(eventOf(bytes)))
  const status = await outcomeOf(record)
  const isUnsigned = headerOf(record.headers, SIGNATURE_HEADER) === undefined
  const changes = [
    ...(isUnsigned ? ['header: () => undefined'] : []),
    ...(record.method === 'POST' ? [] : [`method: ${escapeAll(JSON.stringify(record.method))}`]),
  ]
  const delivery = changes.length === 0 ? 'signed.delivery' : `{ ...signed.delivery, ${changes.join(', ')} }`
  const signingSecret = record.verified ? 'secret' : "secret: 'another secret'"
  const check =
    status === 'processed'
      ? `if (receiver.handles(${event})) ${equal('outcome.status', 'processed')}
  else ${equal('outcome.status', 'ignored')} // the receiver has no handler for this event yet`
      : equal('outcome.status', status)
  const title = escapeAll(JSON.stringify(`the recorded ${eventOf(bytes)} is ${status}`))
  return `// ${note}
${imports}import { fixedClock, signDelivery } from 'govalid-webhooks/testing'
import { createWebhookReceiver } from '${receiver}'

test(${title}, async () => {
  const secret = 'a secret for tests'
  const clock = fixedClock(${record.receivedAt})
  const rawBody = Buffer.from('${bytes.toString('base64')}', 'base64')
  const signed = await signDelivery(rawBody, { ${signingSecret} })${isUnsigned ? ' // the recorded delivery had no signature' : ''}
  const receiver = createWebhookReceiver({ secret, clock, onError: () => {} })
  const outcome = await receiver.receive(${delivery})
  ${check}
})
`
}

/** Returns the outcome of the recorded delivery in a receiver that handles every event, at the time of the delivery. */
async function outcomeOf(record: DeliveryRecord): Promise<Outcome['status']> {
  const { verified, method, receivedAt } = record
  if (!verified || method !== 'POST') return 'refused'
  const secret = 'a secret for tests'
  const receiver = createReceiver({ secret, clock: fixedClock(receivedAt), onError: () => {} })
    .on('*', () => {})
    .onUnknown(() => {})
  const outcome = await receiver.receive((await signDelivery(bytesOf(record), { secret })).delivery)
  void receiver.close()
  return outcome.status
}

interface CopiedStyle extends TestStyle {
  /** How to save and run the test. */
  readonly note: string
}

function styleFor({ project, path }: WrittenReceiver): CopiedStyle {
  const style = styleOf(project)
  const file = posix.join(posix.dirname(path), `delivery.test.${project.extension}`)
  return { ...style, note: `Save this file as ${file} and run: ${style.command(file)}` }
}

const ANY_RECEIVER: CopiedStyle = {
  ...styleOf({ runner: 'node', isTypeScript: false, extension: 'js' }),
  note: 'Replace ./receiver.js with the path of your receiver. To create one, run: npx govalid-webhooks init',
}

/** Escapes non-ASCII characters, because an event's name may contain invisible or misleading ones. */
function escapeAll(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
