/** The input of the scenario: published vectors, and requests whose signatures are computed here with `node:crypto` only. */
import { createHmac } from 'node:crypto'
import { RFC_4231, readVectors } from '../../vectors/published.js'
import { MAX_BODY_BYTES, SECRET, type Step, type VectorCase } from './scenario.js'

/** The steps, and the calls that handlers and hooks must have received after them. */
export interface Expected {
  readonly steps: readonly Step[]
  readonly handled: readonly string[]
  readonly outcomes: readonly string[]
}

/** RFC 4231 and the other published sets that are available. */
export function collectVectors(): readonly VectorCase[] {
  const rfc = RFC_4231.map(({ source, keyHex, messageHex, macHex }) => ({
    set: 'RFC 4231',
    name: source,
    bodyHex: messageHex,
    header: `sha256=${macHex}`,
    secretHex: keyHex,
    accept: macHex.length === WHOLE_MAC,
  }))
  return [...rfc, ...publishedMacs(), ...wycheproof(), ...referenceVerdicts()]
}

/** The hex digits of a MAC that isn't truncated. */
const WHOLE_MAC = 64

interface PublishedFile {
  readonly source: string
  readonly key_hex: string
  readonly msg_hex: string
  readonly mac_hex: string
}

function publishedMacs(): readonly VectorCase[] {
  const published = readVectors<readonly PublishedFile[]>('hmac_sha256_published.json') ?? []
  return published.map(({ source, key_hex, msg_hex, mac_hex }) => ({
    set: 'published',
    name: source,
    bodyHex: msg_hex,
    header: `sha256=${mac_hex}`,
    secretHex: key_hex,
    accept: mac_hex.length === WHOLE_MAC,
  }))
}

interface WycheproofFile {
  readonly testGroups: readonly {
    readonly tests: readonly { tcId: number; key: string; msg: string; tag: string; result: string }[]
  }[]
}

function wycheproof(): readonly VectorCase[] {
  const tests = readVectors<WycheproofFile>('wycheproof_hmac_sha256_test.json')?.testGroups.flatMap(
    (group) => group.tests,
  )
  return (tests ?? []).map(({ tcId, key, msg, tag, result }) => ({
    set: 'Wycheproof',
    name: `case ${tcId}`,
    bodyHex: msg,
    header: `sha256=${tag}`,
    secretHex: key,
    accept: result === 'valid' && tag.length === WHOLE_MAC,
  }))
}

interface VerdictsFile {
  readonly cases: readonly { name: string; body_b64: string; header: string; secret: string; accept: boolean }[]
}

function referenceVerdicts(): readonly VectorCase[] {
  const cases = readVectors<VerdictsFile>('govalid_reference_verdicts.json')?.cases ?? []
  return cases.map(({ name, body_b64, header, secret, accept }) => ({
    set: 'reference verdicts',
    name,
    bodyHex: Buffer.from(body_b64, 'base64').toString('hex'),
    header,
    secretHex: Buffer.from(secret).toString('hex'),
    accept,
  }))
}

const PROCESSED = '200 {"status":"processed"}'
const FORGED = '401 {"status":"refused"}'

/** Makes current valid and invalid requests, their expected responses, and the expected calls of handlers and hooks. */
export function createSteps(): Expected {
  const first = scan('good')
  const fails = scan('fails-once')
  const unknown = bytesOf({ event: 'qr.polished', timestamp: now(), webhook_id: 'wh-001', data: {} })
  const steps: readonly Step[] = [
    post('a valid delivery', first, signatureOf(first), PROCESSED),
    post('a copy', first, signatureOf(first), '200 {"status":"duplicate"}'),
    post('another secret', first, signatureOf(first, 'another'), FORGED),
    post('a changed byte', changed(first), signatureOf(first), FORGED),
    post('upper-case digits', first, signatureOf(first).toUpperCase(), FORGED),
    post('no signature', first, undefined, FORGED),
    post('a failing handler', fails, signatureOf(fails), '500 {"status":"failed"}'),
    post('a retry', fails, signatureOf(fails), PROCESSED),
    post('an unknown event', unknown, signatureOf(unknown), '200 {"status":"ignored"}'),
    post('not an event', bytesOf([]), signatureOf(bytesOf([])), '200 {"status":"quarantined"}'),
    post('too large', tooLarge(), signatureOf(tooLarge()), '413 {"status":"refused"}'),
    { title: 'GET', method: 'GET', bodyHex: '', response: '405 {"status":"refused"}' },
  ]
  const called = (id: string, body: Buffer, attempt: number) =>
    `${id} ${TITLE}, attempt ${attempt}, ${body.length} bytes`
  return {
    steps,
    handled: [called('good', first, 1), called('fails-once', fails, 1), called('fails-once', fails, 2)],
    outcomes: [
      ...['processed', 'duplicate', 'refused', 'refused', 'refused', 'refused'],
      ...['failed', 'processed', 'ignored', 'quarantined', 'refused', 'refused'],
    ],
  }
}

const TITLE = 'Zertifikat für Ø'
const now = () => new Date().toISOString()
const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value))

function scan(id: string): Buffer {
  const data = { qr_id: id, qr_title: TITLE, device: 'mobile', platform: 'iOS', is_first_scan: false, scan_count: 1 }
  return bytesOf({ event: 'qr.scanned', timestamp: now(), webhook_id: 'wh-001', data })
}

const tooLarge = () => Buffer.alloc(MAX_BODY_BYTES + 1, ' ')

function changed(body: Buffer): Buffer {
  const copy = Buffer.from(body)
  copy[copy.length - 2] = (copy.at(-2) ?? 0) ^ 1
  return copy
}

function signatureOf(body: Buffer, secret: string = SECRET): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
}

function post(title: string, body: Buffer, signature: string | undefined, response: string): Step {
  return {
    title,
    method: 'POST',
    bodyHex: body.toString('hex'),
    response,
    ...(signature !== undefined && { signature }),
  }
}
