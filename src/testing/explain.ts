/**
 * Says why a delivery does not verify. In: what was received and what is configured. Out: valid, or which misconfiguration it is, with
 * the fix. For tests, the command line and a developer's log; what a receiver accepts is decided by its signature stage alone.
 */
import { createSecretKeys, type Secret, type SecretKeys } from '../crypto/secrets.js'
import { bytesAtHand } from '../delivery/raw-body.js'
import { SIGNATURE_HEADER, verifySignature } from '../delivery/signature.js'
import { cutSignatureField } from '../delivery/signed-content.js'
import { isWebhookError } from '../errors.js'
import { kindOf } from '../events/shapes.js'
import type { Payload } from '../verify.js'
import { type BodyReading, readBody } from './explain/body-readings.js'
import { hasLostCharacters } from './explain/charsets.js'
import { compressionOf } from './explain/compression.js'
import { type Finding, type FindingCode, finding } from './explain/findings.js'
import { readHeaderValue } from './explain/header-readings.js'
import { findMatch, findPlainHash, type Readings } from './explain/match.js'
import { readSecrets } from './explain/secret-readings.js'

/** What was received, and what is configured. */
export interface ExplainInput {
  /** The raw body as it was received; text stands for its UTF-8 bytes. */
  readonly rawBody: Payload
  /** The value of the `X-GoValid-Signature` header. */
  readonly signature?: string | null | undefined
  /** All headers, in place of `signature`: then a renamed one is found, and what a proxy did to the body. */
  readonly headers?: Headers | Readonly<Record<string, string | readonly string[] | undefined>>
  /** The secret or secrets of the receiver. */
  readonly secret: Secret | readonly Secret[]
  /** Secrets of other webhooks and environments: perhaps one of them signed. */
  readonly otherSecrets?: readonly Secret[]
  /** Raw bodies of other deliveries: perhaps the signature belongs to one of them. */
  readonly otherBodies?: readonly Payload[]
  /** The receiver's option of this name. Default: `'body'`. */
  readonly signedContent?: 'body' | 'body-without-signature'
}

/** Why a delivery verifies, or does not; a union on `valid`. Holds no secret, no signature and no part of the body. */
export type Explanation =
  | {
      /** A receiver accepts this. */
      readonly valid: true
      /** Which configured secret matched, from 0. */
      readonly secretIndex: number
    }
  | {
      /** A receiver refuses this. */
      readonly valid: false
      /** What is wrong first of all; that of `findings[0]`. */
      readonly code: FindingCode
      /** Whether it was computed: with every finding put right, the signature matches. Else the findings are what it looks like. */
      readonly proven: boolean
      /** Everything that is wrong, at least one. */
      readonly findings: readonly [Finding, ...Finding[]]
    }

/**
 * Explains a delivery: valid, or which misconfiguration it is. Tries what frameworks, editors, proxies and env files do to header,
 * secret and body, two things at once included. `valid` is what `assertSignature` says (`createReceiver` with a `signedContent`).
 *
 * It takes longer the worse the input is: for diagnosis, not in front of a receiver.
 *
 * @example
 * ```ts
 * import { explain } from 'govalid-webhooks/testing'
 *
 * const explanation = await explain({
 *   rawBody: '{"event":"qr.scanned"}',
 *   signature: 'sha256=…',
 *   secret: process.env.GOVALID_WEBHOOK_SECRET,
 * })
 * if (!explanation.valid) for (const { message, fix } of explanation.findings) console.log(message, fix)
 * ```
 */
export async function explain(input: ExplainInput): Promise<Explanation> {
  const received = readRawBody(input.rawBody)
  if (!received) return refusal(false, [finding('body_parsed', kindOf(input.rawBody))])
  const secrets = Array.isArray(input.secret) ? (input.secret as readonly Secret[]) : [input.secret as Secret]
  const keys = readKeys(secrets)
  if ('code' in keys) return refusal(false, [keys])
  const header = input.headers === undefined ? input.signature : readHeader(input.headers, SIGNATURE_HEADER)
  const content = input.signedContent === 'body-without-signature' ? cutSignatureField(received) : received
  const verified = await verifySignature(content, header, keys)
  if (!('refused' in verified)) return { valid: true, secretIndex: verified.secretIndex }
  if (verified.refused === 'signature_missing' || typeof header !== 'string') {
    return refusal(false, [finding('header_missing', describeOthers(input.headers))])
  }
  const readings: Readings = {
    headers: readHeaderValue(header),
    secrets: readSecrets(secrets, input.otherSecrets ?? []),
    bodies: [{ bytes: content, findings: [] }, ...signedOtherwise(input, received, content)],
  }
  const proof = (await findProof(readings)) ?? (await findPlainHash(readings))
  if (proof) return refusal(true, proof)
  return refusal(false, [...(readings.headers[0]?.findings ?? []), ...looksOf(input, received, keys.hint)])
}

function refusal(proven: boolean, findings: readonly Finding[]): Explanation {
  const [first = finding('unexplained'), ...rest] = findings
  return { valid: false, code: first.code, proven, findings: [first, ...rest] }
}

function readRawBody(payload: unknown): Uint8Array | undefined {
  return payload === null ? undefined : bytesAtHand(payload)
}

function readKeys(secrets: readonly Secret[]): SecretKeys | Finding {
  try {
    return createSecretKeys(secrets)
  } catch (error) {
    const detail = isWebhookError(error) ? WHY_UNUSABLE[error.code] : undefined
    return finding('secret_missing', detail)
  }
}

const WHY_UNUSABLE: Readonly<Record<string, string>> = {
  secret_blank: 'it is blank',
  option_invalid: 'it is neither text nor bytes',
}

function readHeader(headers: NonNullable<ExplainInput['headers']>, name: string): string | undefined {
  const value = entriesOf(headers).find(([key]) => key.toLowerCase() === name)?.[1]
  return Array.isArray(value) ? value.join(', ') : (value as string | undefined)
}

function entriesOf(headers: NonNullable<ExplainInput['headers']>): readonly (readonly [string, unknown])[] {
  return headers instanceof Headers ? [...headers] : Object.entries(headers)
}

/** Headers that may be the missing one under another name. */
function describeOthers(headers: ExplainInput['headers'] = {}): string {
  const names = entriesOf(headers).map(([name]) => name.toLowerCase())
  const similar = names.filter((name) => name !== SIGNATURE_HEADER && /signature|govalid/.test(name))
  return similar.length === 0 ? '' : `perhaps it is ${similar.slice(0, 3).join(', ')}`
}

/** Content that can have been signed in place of the one that is verified: the other reading of the body, and other bodies. */
function signedOtherwise(
  { signedContent, otherBodies = [] }: ExplainInput,
  received: Uint8Array,
  content: Uint8Array,
): readonly BodyReading[] {
  const others = otherBodies.flatMap((other, index): readonly BodyReading[] => {
    const bytes = readRawBody(other)
    const found = finding('body_of_other_delivery', `number ${index + 1} of the other bodies given`, index)
    if (!bytes) return []
    return [{ bytes: signedContent === 'body-without-signature' ? cutSignatureField(bytes) : bytes, findings: [found] }]
  })
  return content === received ? others : [{ bytes: received, findings: [finding('signed_whole_body')] }, ...others]
}

const TWO_THINGS_BELOW = 16 * 1024

/** One thing at a time first, then two: in header, secret and body, and in a small body both. */
async function findProof(readings: Readings): Promise<readonly Finding[] | undefined> {
  const [received] = readings.bodies as readonly [BodyReading]
  const once = await readBody(received)
  const isLarge = received.bytes.length > TWO_THINGS_BELOW
  const proof = await findMatch({ ...readings, bodies: [...readings.bodies, ...once] }, isLarge ? 1 : 2)
  if (proof || isLarge) return proof
  for (const reading of once) {
    const twice = await findMatch({ ...readings, bodies: await readBody(reading) }, 2)
    if (twice) return twice
  }
  return undefined
}

/** What nothing proves, but what meets the eye. */
function looksOf({ headers = {} }: ExplainInput, body: Uint8Array, hint: string | undefined): readonly Finding[] {
  const looks: Finding[] = []
  const encoding = readHeader(headers, 'content-encoding')
  const compression = compressionOf(body)
  if (body.length === 0) looks.push(finding('body_empty'))
  if (compression) looks.push(finding('body_compressed', `it begins as ${compression} does`))
  else if (encoding !== undefined && encoding !== 'identity')
    looks.push(finding('body_compressed', 'it came with a Content-Encoding'))
  else if (hasLostCharacters(body))
    looks.push(finding('body_charset', 'it holds bytes that are no UTF-8, or characters that were replaced'))
  if (hint !== undefined) looks.push(finding('secret_decorated', 'it begins or ends with white space or quotes'))
  return [...looks, finding('unexplained')]
}
