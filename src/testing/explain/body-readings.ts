/**
 * What can have been signed, judged by what was received: each reading undoes one thing that frameworks, editors and proxies do to a
 * body. For two things at once, a reading is read again.
 */
import { encodeUtf8 } from '../../crypto/encoding.js'
import { cutSignatureField } from '../../delivery/signed-content.js'
import { decodeBase64 } from './base64.js'
import { decodeUtf8, undoCharsets } from './charsets.js'
import { decompress } from './compression.js'
import { type Finding, type FindingCode, finding } from './findings.js'
import { joinBytes } from './join-bytes.js'
import { readJson } from './json-text.js'
import { printingsOf } from './printings.js'

/** Bytes that may have been signed, and what has to have happened to them. */
export interface BodyReading {
  readonly bytes: Uint8Array
  readonly findings: readonly Finding[]
}

const BOM = Uint8Array.of(0xef, 0xbb, 0xbf)

/** Bytes a step makes, and what to say of it. */
type Undone = readonly [bytes: Uint8Array | undefined, detail?: string]

const STEPS: readonly (readonly [
  FindingCode,
  (bytes: Uint8Array) => readonly Undone[] | Promise<readonly Undone[]>,
])[] = [
  ['signed_without_signature', (bytes) => [[cutSignatureField(bytes)]]],
  ['body_newline', newlines],
  ['body_bom', marks],
  ['body_line_ends', lineEnds],
  ['body_compressed', async (bytes) => [[await decompress(bytes), 'uncompressed it is what was signed']]],
  ['body_base64', (bytes) => [[fromBase64(bytes)]]],
  ['body_charset', (bytes) => undoCharsets(bytes).map(({ bytes: result, detail }) => [result, detail])],
  [
    'body_printed_again',
    (bytes) => printingsOf(decodeUtf8(bytes) ?? '').map(({ bytes: result, name }) => [result, name]),
  ],
  ['signed_data_only', (bytes) => [[dataOf(bytes)]]],
]

/** Every reading that undoes one thing, the nearest first; what was read itself is not among them. */
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
  const withOne = [
    [joinBytes(bytes, encodeUtf8('\n')), 'a newline is gone'],
    [joinBytes(bytes, encodeUtf8('\r\n')), 'a line end is gone'],
  ] satisfies readonly Undone[]
  return end === bytes.length ? withOne : [[bytes.subarray(0, end), 'it was added'], ...withOne]
}

/** Where the white space at the end begins. */
function endOfContent(bytes: Uint8Array): number {
  let end = bytes.length
  while (end > 0 && [0x0a, 0x0d, 0x20, 0x09].includes(bytes[end - 1] as number)) end--
  return end
}

function lineEnds(bytes: Uint8Array): readonly Undone[] {
  const text = decodeUtf8(bytes)
  if (!text?.includes('\n')) return []
  const unix = text.replaceAll('\r\n', '\n')
  return [
    [encodeUtf8(unix), 'CR LF stands where LF was'],
    [encodeUtf8(unix.replaceAll('\n', '\r\n')), 'LF stands where CR LF was'],
  ]
}

function marks(bytes: Uint8Array): readonly Undone[] {
  const hasMark = BOM.every((byte, index) => bytes[index] === byte)
  return [
    hasMark ? [bytes.subarray(3), 'it was signed without one'] : [joinBytes(BOM, bytes), 'it was signed with one'],
  ]
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

/** The first reading that gives certain bytes is kept: it is the nearest. */
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
