/**
 * Explains why a delivery doesn't verify. Takes the received delivery and the configured secrets; returns `valid`, or the misconfigurations
 * with their fixes. For tests, the command line and a developer's log: a receiver relies on its signature stage alone.
 */
import { createSecretKeys, improbableSecret, type Secret, type SecretKeys } from '../crypto/secrets.js'
import { completeBytes } from '../delivery/raw-body.js'
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

/** The received delivery and the receiver's configuration. */
export interface ExplainInput {
  /** The raw body as received. Text stands for its UTF-8 bytes. */
  readonly rawBody: Payload
  /** The value of the `X-GoValid-Signature` header. */
  readonly signature?: string | null | undefined
  /** All headers, instead of `signature`. They reveal a renamed signature header and a body that a proxy decompressed. */
  readonly headers?: Headers | Readonly<Record<string, string | readonly string[] | undefined>> | undefined
  /** The secret or secrets of the receiver. */
  readonly secret: Secret | readonly Secret[]
  /** Secrets of other webhooks and environments, in case one of them signed the delivery. */
  readonly otherSecrets?: readonly Secret[] | undefined
  /** Raw bodies of other deliveries, in case the signature belongs to one of them. */
  readonly otherBodies?: readonly Payload[] | undefined
  /** The receiver's option of the same name. Default: `'body'`. */
  readonly signedContent?: 'body' | 'body-without-signature' | undefined
}

/** The result of `explain`, a union on `valid`. Contains no secret, no signature and no part of the body. */
export type Explanation =
  | {
      /** A receiver accepts the delivery. */
      readonly valid: true
      /** The index of the configured secret that matched, starting at 0. */
      readonly secretIndex: number
    }
  | {
      /** A receiver refuses the delivery. */
      readonly valid: false
      /** The code of the first finding. */
      readonly code: FindingCode
      /** `true`: with every finding fixed, the signature matches. `false`: the findings are only likely. */
      readonly proven: boolean
      /** Every problem, at least one. */
      readonly findings: readonly [Finding, ...Finding[]]
    }

/**
 * Explains a delivery: returns `valid`, or the misconfigurations it shows. Undoes the changes that frameworks, editors, proxies and env
 * files make to the header, the secret and the body, including two changes at once. `valid` always agrees with `assertSignature`, or with
 * `createReceiver` if you set `signedContent`.
 *
 * Use it for diagnosis and not in front of a receiver: an invalid delivery takes far longer than a valid one.
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
  const unusable = 'code' in keys ? keys : undefined
  if (unusable && !secrets.some(isImprobable)) return refusal(false, [unusable])
  const header = input.headers === undefined ? input.signature : readHeader(input.headers, SIGNATURE_HEADER)
  const content = input.signedContent === 'body-without-signature' ? cutSignatureField(received) : received
  const verified = 'code' in keys ? undefined : await verifySignature(content, header, keys)
  if (verified && !('refused' in verified)) return { valid: true, secretIndex: verified.secretIndex }
  if (verified?.refused === 'signature_missing' || typeof header !== 'string') {
    return refusal(false, [finding('header_missing', describeSimilar(input.headers))])
  }
  const readings: Readings = {
    headers: readHeaderValue(header),
    secrets: readSecrets(secrets, input.otherSecrets ?? []),
    bodies: [{ bytes: content, findings: [] }, ...otherContents(input, received, content)],
  }
  const proof = (await findProof(readings)) ?? (await findPlainHash(readings))
  if (proof) return refusal(true, unusable && proof.length === 0 ? [unusable] : proof)
  if ('code' in keys) return refusal(false, [keys])
  return refusal(false, [...(readings.headers[0]?.findings ?? []), ...likelyFindings(input, received, keys.hint)])
}

function refusal(proven: boolean, findings: readonly Finding[]): Explanation {
  const [first = finding('unexplained'), ...rest] = findings
  return { valid: false, code: first.code, proven, findings: [first, ...rest] }
}

function readRawBody(payload: unknown): Uint8Array | undefined {
  return payload === null ? undefined : completeBytes(payload)
}

function readKeys(secrets: readonly Secret[]): SecretKeys | Finding {
  try {
    return createSecretKeys(secrets)
  } catch (error) {
    const improbable = secrets.find(isImprobable)
    if (improbable !== undefined) return finding('secret_missing', `it is ${improbableSecret(improbable)}`)
    const detail = isWebhookError(error) ? UNUSABLE_SECRETS[error.code] : undefined
    return finding('secret_missing', detail)
  }
}

function isImprobable(secret: Secret): secret is string {
  return typeof secret === 'string' && improbableSecret(secret) !== undefined
}

const UNUSABLE_SECRETS: Readonly<Record<string, string>> = {
  secret_blank: 'it is blank',
  option_invalid: 'it is neither text nor bytes',
}

function readHeader(headers: NonNullable<ExplainInput['headers']>, name: string): string | undefined {
  const value = entriesOf(headers).find(([key]) => key.toLowerCase() === name)?.[1]
  return Array.isArray(value) ? value.join(', ') : (value as string | undefined)
}

function entriesOf(headers: NonNullable<ExplainInput['headers']>): readonly (readonly [string, unknown])[] {
  // Not `instanceof`: jsdom and fetch libraries have their own class.
  return typeof headers.forEach === 'function' ? [...(headers as Headers)] : Object.entries(headers)
}

/** Lists headers that may be the renamed signature header, as the end of a sentence. */
function describeSimilar(headers: ExplainInput['headers'] = {}): string {
  const names = entriesOf(headers).map(([name]) => name.toLowerCase())
  const similar = names.filter((name) => name !== SIGNATURE_HEADER && /signature|govalid/.test(name))
  return similar.length === 0 ? '' : `it may have been renamed to ${similar.slice(0, 3).join(', ')}`
}

/** Returns other content that may have been signed: the body under the other `signedContent`, and the other bodies. */
function otherContents(
  { signedContent, otherBodies = [] }: ExplainInput,
  received: Uint8Array,
  content: Uint8Array,
): readonly BodyReading[] {
  const others = otherBodies.flatMap((other, index): readonly BodyReading[] => {
    const bytes = readRawBody(other)
    if (!bytes) return []
    const found = finding('body_of_other_delivery', `number ${index + 1} of the other bodies`, index)
    return [{ bytes: signedContent === 'body-without-signature' ? cutSignatureField(bytes) : bytes, findings: [found] }]
  })
  return content === received ? others : [{ bytes: received, findings: [finding('signed_whole_body')] }, ...others]
}

/** Above this size, `explain` doesn't combine two changes: the search would take too long. */
const MAX_COMBINED_BYTES = 16 * 1024

/** Searches for one change in the secret or the body, then for two. In a small body, both changes may be in the body. */
async function findProof(readings: Readings): Promise<readonly Finding[] | undefined> {
  const [received] = readings.bodies as readonly [BodyReading]
  const once = await readBody(received)
  const isLarge = received.bytes.length > MAX_COMBINED_BYTES
  const proof = await findMatch({ ...readings, bodies: [...readings.bodies, ...once] }, isLarge ? 1 : 2)
  if (proof || isLarge) return proof
  for (const reading of once.filter(({ bytes }) => bytes.length <= MAX_COMBINED_BYTES)) {
    const twice = await findMatch({ ...readings, bodies: await readBody(reading) }, 2)
    if (twice) return twice
  }
  return undefined
}

/** Returns likely problems that no computation proves. */
function likelyFindings(
  { headers = {} }: ExplainInput,
  body: Uint8Array,
  hint: string | undefined,
): readonly Finding[] {
  const findings: Finding[] = []
  const encoding = readHeader(headers, 'content-encoding')
  const compression = compressionOf(body)
  if (body.length === 0) findings.push(finding('body_empty'))
  if (compression) findings.push(finding('body_compressed', `it starts like ${compression} data`))
  else if (encoding !== undefined && encoding !== 'identity')
    findings.push(finding('body_compressed', 'the request has a Content-Encoding header'))
  else if (hasLostCharacters(body))
    findings.push(finding('body_charset', 'it contains invalid UTF-8 or replacement characters'))
  if (hint !== undefined) findings.push(finding('secret_decorated', 'it starts or ends with white space or quotes'))
  return [...findings, finding('unexplained')]
}
