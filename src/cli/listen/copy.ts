/** Turns a recorded delivery into a curl command for a POSIX shell or into a test. Neither contains the secret. */
import { posix } from 'node:path'
import { SIGNATURE_HEADER } from '../../delivery/signature.js'
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
 * Returns a test that delivers the same bytes to the receiver that `init` wrote, or to a placeholder if there is none. The test signs the
 * bytes with its own secret and sets the clock to the time of the delivery.
 */
export function toTest(record: DeliveryRecord, written: WrittenReceiver | undefined): string {
  const { imports, receiver, equal, note } = written ? styleFor(written) : ANY_RECEIVER
  const bytes = bytesOf(record)
  const title = JSON.stringify(`processes the recorded ${eventOf(bytes)}`)
  const isSigned = headerOf(record.headers, SIGNATURE_HEADER) !== undefined
  return `// ${note}
${imports}import { fixedClock, signDelivery } from 'govalid-webhooks/testing'
import { createWebhookReceiver } from '${receiver}'

test(${escapeAll(title)}, async () => {
  const secret = 'a secret for tests'
  const clock = fixedClock(${record.receivedAt})
  const rawBody = Buffer.from('${bytes.toString('base64')}', 'base64')
  const signed = await signDelivery(rawBody, { secret })${isSigned ? '' : ' // the recorded delivery had no signature'}
  const outcome = await createWebhookReceiver({ secret, clock }).receive(signed.delivery)
  ${equal('outcome.status', 'processed')}
})
`
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
