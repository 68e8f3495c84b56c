/**
 * The ways a configured secret can differ from the one that signed: what was added to it in an env file or lost from it, how else its
 * text can stand for bytes, and the other secrets of the project.
 */
import { encodeUtf8 } from '../../crypto/encoding.js'
import type { Secret } from '../../crypto/secrets.js'
import { decodeBase64 } from './base64.js'
import { type Finding, finding } from './findings.js'

/** A key to try, and what has to be wrong for it to be the right one. */
export interface SecretReading {
  readonly key: Uint8Array
  readonly findings: readonly Finding[]
}

/** The secrets as configured, then every other reading of them, then the other secrets. Blank and missing ones are left out. */
export function readSecrets(secrets: readonly Secret[], others: readonly Secret[]): readonly SecretReading[] {
  const configured = secrets.flatMap(toText)
  return withoutRepeats([
    ...secrets.flatMap((secret) => toKey(secret, [])),
    ...configured.flatMap((text) => decorations(text)),
    ...configured.flatMap((text) => decodings(text)),
    ...others.flatMap((secret, index) => toKey(secret, [finding('secret_other', ordinal(index), index)])),
    ...others.flatMap((secret, index) =>
      toText(secret).flatMap((text) =>
        decorations(text).map(({ key, findings }) => ({
          key,
          findings: [finding('secret_other', ordinal(index), index), ...findings],
        })),
      ),
    ),
  ])
}

function ordinal(index: number): string {
  return `number ${index + 1} of the other secrets given`
}

function toText(secret: Secret): readonly string[] {
  if (secret === undefined) return []
  if (typeof secret === 'string') return [secret]
  try {
    return [new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(secret)]
  } catch {
    return []
  }
}

function toKey(secret: Secret, findings: readonly Finding[]): readonly SecretReading[] {
  const key = typeof secret === 'string' ? encodeUtf8(secret) : secret
  return key === undefined || key.length === 0 ? [] : [{ key: new Uint8Array(key), findings }]
}

const ENDS = [
  ['\n', 'a newline'],
  ['\r\n', 'a line end'],
  [' ', 'a blank'],
] as const

function decorations(text: string): readonly SecretReading[] {
  const read = (other: string, detail: string) => toKey(other, [finding('secret_decorated', detail)])
  const unquoted = (of: string) => of.replace(/^(["'`])(.*)\1$/s, '$2')
  const trimmed = text.trim()
  return [
    ...read(trimmed, 'it begins or ends with white space'),
    ...read(unquoted(text), 'it is wrapped in quotes'),
    ...read(unquoted(trimmed).trim(), 'it has white space and quotes around it'),
    ...read(trimmed.replace(/(\\r)?\\n$/, ''), 'it ends with a backslash and an n, which were to be a newline'),
    ...read(unquoted(trimmed.replace(/^(?:export\s+)?[A-Za-z_]\w*=/, '')).trim(), 'it holds the variable’s name too'),
    ...read(text.replace(/^\uFEFF/, ''), 'it begins with a byte order mark'),
    ...ENDS.flatMap(([end, name]) => read(text + end, `the one entered in GoValid ends with ${name}`)),
    ...ENDS.slice(2).flatMap(([end, name]) => read(end + text, `the one entered in GoValid begins with ${name}`)),
    ...['"', "'"].flatMap((quote) => read(quote + text + quote, 'the one entered in GoValid is wrapped in quotes')),
  ].filter(({ key }) => key.length > 0)
}

function decodings(text: string): readonly SecretReading[] {
  const bare = text.trim().replace(/^whsec_/, '')
  const isHex = /^(?:[0-9a-f]{2}){8,}$/i.test(bare)
  const hex = isHex ? Uint8Array.from(bare.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)) : undefined
  return [
    ...toKey(hex, [finding('secret_encoded', 'those its hex digits stand for')]),
    ...toKey(bare.length < 12 ? undefined : decodeBase64(bare), [
      finding('secret_encoded', 'those its base64 text stands for'),
    ]),
    ...(bare === text.trim() ? [] : toKey(bare, [finding('secret_encoded', 'those behind its prefix')])),
  ]
}

function withoutRepeats(readings: readonly SecretReading[]): readonly SecretReading[] {
  const seen = new Set<string>()
  return readings.filter(({ key }) => {
    const name = key.join()
    if (seen.has(name)) return false
    seen.add(name)
    return true
  })
}
