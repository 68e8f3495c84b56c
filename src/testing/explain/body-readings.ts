/**
 * Derives candidates for the signed body from the received body. Each reading undoes one change that frameworks, editors or proxies make.
 * To undo two changes, pass a reading to `readBody` again.
 */
import { encodeUtf8 } from '../../crypto/encoding.js'
import { cutSignatureField } from '../../delivery/signed-content.js'
import { decodeBase64 } from './base64.js'
import { decodeUtf8, undoCharsets } from './charsets.js'
import { decompress } from './compression.js'
import { type Finding, type FindingCode, finding } from './findings.js'
import { readJson } from './json-text.js'
import { printingsOf } from './printings.js'

/** Bytes that may have been signed, with the changes that led from them to the received body. */
export interface BodyReading {
  readonly bytes: Uint8Array
  readonly findings: readonly Finding[]
}

const BOM = Uint8Array.of(0xef, 0xbb, 0xbf)

/** The result of undoing a change, with a detail for the finding. */
type Undone = readonly [bytes: Uint8Array | undefined, detail?: string]

const STEPS: readonly (readonly [
  FindingCode,
  (bytes: Uint8Array) => readonly Undone[] | Promise<readonly Undone[]>,
])[] = [
  ['signed_without_signature', (bytes) => [[cutSignatureField(bytes)]]],
  ['body_newline', newlines],
  ['body_bom', byteOrderMarks],
  ['body_line_ends', lineBreaks],
  ['body_compressed', async (bytes) => [[await decompress(bytes), 'the signature belongs to the uncompressed bytes']]],
  ['body_base64', (bytes) => [[fromBase64(bytes)]]],
  ['body_charset', (bytes) => undoCharsets(bytes).map(({ bytes: result, detail }) => [result, detail])],
  [
    'body_printed_again',
    (bytes) => printingsOf(decodeUtf8(bytes) ?? '').map(({ bytes: result, name }) => [result, name]),
  ],
  ['signed_data_only', (bytes) => [[dataOf(bytes)]]],
]

/** Returns every reading that undoes one change, without the body itself. The first reading of the same bytes is kept. */
export async function readBody(body: BodyReading): Promise<readonly BodyReading[]> {
  const readings: BodyReading[] = []
  for (const [code, undo] of STEPS) {
    if (body.findings.some((found) => found.code === code)) continue
    for (const [bytes, detail] of await undo(body.bytes)) {
      if (bytes) readings.push({ bytes, findings: [...body.findings, finding(code, detail)] })
    }
  }
  return withoutRepeats(body.bytes, readings)
}

function newlines(bytes: Uint8Array): readonly Undone[] {
  const end = endOfContent(bytes)
  const appended = [
    [joinBytes(bytes, encodeUtf8('\n')), 'a newline is missing'],
    [joinBytes(bytes, encodeUtf8('\r\n')), 'a line break (CR LF) is missing'],
  ] satisfies readonly Undone[]
  return end === bytes.length ? appended : [[bytes.subarray(0, end), 'it was added'], ...appended]
}

/** Returns the index at which the trailing white space starts. */
function endOfContent(bytes: Uint8Array): number {
  let end = bytes.length
  while (end > 0 && [0x0a, 0x0d, 0x20, 0x09].includes(bytes[end - 1] as number)) end--
  return end
}

function lineBreaks(bytes: Uint8Array): readonly Undone[] {
  const text = decodeUtf8(bytes)
  if (!text?.includes('\n')) return []
  const unix = text.replaceAll('\r\n', '\n')
  return [
    [encodeUtf8(unix), 'CR LF instead of LF'],
    [encodeUtf8(unix.replaceAll('\n', '\r\n')), 'LF instead of CR LF'],
  ]
}

function byteOrderMarks(bytes: Uint8Array): readonly Undone[] {
  const hasBom = BOM.every((byte, index) => bytes[index] === byte)
  return [hasBom ? [bytes.subarray(3), 'it was added'] : [joinBytes(BOM, bytes), 'it was removed']]
}

function fromBase64(bytes: Uint8Array): Uint8Array | undefined {
  const text = decodeUtf8(bytes)?.trim()
  return text === undefined || text.length < 8 ? undefined : decodeBase64(text)
}

function dataOf(bytes: Uint8Array): Uint8Array | undefined {
  const text = decodeUtf8(bytes)
  const tree = text === undefined ? undefined : readJson(text)
  const data = tree?.kind === 'object' ? tree.fields.find(({ name }) => name === '"data"')?.value : undefined
  return text === undefined || data === undefined ? undefined : encodeUtf8(text.slice(data.start, data.end))
}

function withoutRepeats(body: Uint8Array, readings: readonly BodyReading[]): readonly BodyReading[] {
  const seen = new Set([keyOf(body)])
  return readings.filter(({ bytes }) => {
    const key = keyOf(bytes)
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

function keyOf(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes)
}

/** Concatenates two byte arrays. */
export function joinBytes(head: Uint8Array, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(head.length + tail.length)
  joined.set(head)
  joined.set(tail, head.length)
  return joined
}
