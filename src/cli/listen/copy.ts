/** A recorded delivery as something to paste: a command for a POSIX shell, or a test. Neither holds the secret. */
import { posix } from 'node:path'
import { SIGNATURE_HEADER } from '../../delivery/signature.js'
import { styleOf, type TestStyle } from '../init/test-style.js'
import type { WrittenReceiver } from '../init/written-receiver.js'
import { endToEnd } from './forward.js'
import { bytesOf, type DeliveryRecord, eventOf, headerOf } from './record.js'

/** The delivery as a command that sends the same bytes and headers again. */
export function toCurl(record: DeliveryRecord, url: string): string {
  const { method, headers } = record
  const bytes = bytesOf(record)
  const text = bytes.toString('utf8')
  const isPlain = bytes.length < SHORT && Buffer.from(text).equals(bytes) && !UNSAFE.test(text)
  const data = isPlain ? `--data-raw ${quote(text)}` : '--data-binary @-'
  const parts = [
    `curl -i -X ${quote(method)} ${quote(url)}`,
    ...endToEnd(headers).map(([name, value]) => `-H ${headerArgument(name, value)}`),
    // Without these curl adds a type of its own, and waits for leave to send a large body.
    ...(headerOf(headers, 'content-type') === undefined ? ["-H 'Content-Type:'"] : []),
    "-H 'Expect:'",
    ...(bytes.length > 0 || method === 'POST' ? [data] : []),
  ]
  const pipe = isPlain ? '' : `printf %s ${quote(bytes.toString('base64'))} | base64 -d | `
  return pipe + parts.join(' \\\n  ')
}

/** Longer ones do not fit into an argument everywhere. */
const SHORT = 64 * 1024

/** What a terminal that is pasted into would obey or show as something else. */
const UNSAFE = /[\p{Cf}\p{Zl}\p{Zp}]|(?!\n)\p{Cc}/u

/** Single quotes keep everything from a POSIX shell but themselves. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** Node reads header values as Latin-1: beyond ASCII the bytes are spelled out. curl wants `;` for an empty value. */
function headerArgument(name: string, value: string): string {
  if (value === '') return quote(`${name};`)
  const line = `${name}: ${value}`
  if (/^[\x20-\x7e]*$/.test(line)) return quote(line)
  const spelled = [...Buffer.from(line, 'latin1')].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
  return `"$(printf '${spelled}')"`
}

/**
 * The delivery as a test of the receiver that `init` wrote; where there is none, of one that such a test can be made to fit. It is signed
 * anew, since a test has a secret of its own, and the clock stands where it was when it came.
 */
export function toTest(record: DeliveryRecord, written: WrittenReceiver | undefined): string {
  const { imports, receiver, equal, note } = written ? styleFor(written) : ANY_RECEIVER
  const bytes = bytesOf(record)
  const title = JSON.stringify(`${eventOf(bytes)}, as it was delivered, is taken`)
  const isSigned = headerOf(record.headers, SIGNATURE_HEADER) !== undefined
  return `// ${note}
${imports}import { fixedClock, signDelivery } from 'govalid-webhooks/testing'
import { createWebhookReceiver } from '${receiver}'

test(${escapeAll(title)}, async () => {
  const secret = 'a secret for tests'
  const clock = fixedClock(${record.receivedAt})
  const rawBody = Buffer.from('${bytes.toString('base64')}', 'base64')
  const signed = await signDelivery(rawBody, { secret })${isSigned ? '' : ' // as it came, it had no signature'}
  const outcome = await createWebhookReceiver({ secret, clock }).receive(signed.delivery)
  ${equal('outcome.status', 'processed')}
})
`
}

interface CopiedStyle extends TestStyle {
  /** Where to save it, and how to run it. */
  readonly note: string
}

function styleFor({ project, path }: WrittenReceiver): CopiedStyle {
  const style = styleOf(project)
  const file = posix.join(posix.dirname(path), `delivery.test.${project.extension}`)
  return { ...style, note: `Save it as ${file}, and run it: ${style.command(file)}` }
}

const ANY_RECEIVER: CopiedStyle = {
  ...styleOf({ runner: 'node', isTypeScript: false, extension: 'js' }),
  note: 'Save it beside a receiver such as `npx govalid-webhooks init` writes, and name that file in place of ./receiver.js.',
}

/** A name can hold what would not be seen, or would be seen as something else. */
function escapeAll(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
