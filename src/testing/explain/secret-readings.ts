/**
 * Derives candidate keys from the configured secrets: without characters that an env file added, with lost characters restored, and
 * decoded from hex or base64. The other secrets of the project come last.
 */
import { encodeUtf8 } from '../../crypto/encoding.js'
import type { Secret } from '../../crypto/secrets.js'
import { decodeBase64 } from './base64.js'
import { type Finding, finding } from './findings.js'

/** A candidate key, with the findings that apply if it signed. */
export interface SecretReading {
  readonly key: Uint8Array
  readonly findings: readonly Finding[]
}

/** Returns the secrets as configured, then their other readings, then the other secrets. Skips empty and missing secrets. */
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
  return `number ${index + 1} of the other secrets`
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
  ['\r\n', 'a line break (CR LF)'],
  [' ', 'a space'],
] as const

function decorations(text: string): readonly SecretReading[] {
  const read = (variant: string, detail: string) => toKey(variant, [finding('secret_decorated', detail)])
  const unquote = (quoted: string) => quoted.replace(/^(["'`])(.*)\1$/s, '$2')
  const trimmed = text.trim()
  return [
    ...read(trimmed, 'it starts or ends with white space'),
    ...read(unquote(text), 'it is wrapped in quotes'),
    ...read(unquote(trimmed).trim(), 'it is wrapped in quotes and white space'),
    ...read(
      trimmed.replace(/(\\r)?\\n$/, ''),
      'it ends with a backslash and the letter n, probably an escaped newline',
    ),
    ...read(unquote(trimmed.replace(/^(?:export\s+)?[A-Za-z_]\w*=/, '')).trim(), "it includes the variable's name"),
    ...read(text.replace(/^\uFEFF/, ''), 'it starts with a byte order mark'),
    ...ENDS.flatMap(([end, name]) => read(text + end, `the secret entered in GoValid ends with ${name}`)),
    ...ENDS.slice(2).flatMap(([end, name]) => read(end + text, `the secret entered in GoValid starts with ${name}`)),
    ...['"', "'"].flatMap((quote) => read(quote + text + quote, 'the secret entered in GoValid is wrapped in quotes')),
  ].filter(({ key }) => key.length > 0)
}

function decodings(text: string): readonly SecretReading[] {
  const bare = text.trim().replace(/^whsec_/, '')
  const isHex = /^(?:[0-9a-f]{2}){8,}$/i.test(bare)
  const hex = isHex ? Uint8Array.from(bare.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)) : undefined
  return [
    ...toKey(hex, [finding('secret_encoded', 'the bytes that its hex digits encode')]),
    ...toKey(bare.length < 12 ? undefined : decodeBase64(bare), [
      finding('secret_encoded', 'the bytes that its base64 text encodes'),
    ]),
    ...(bare === text.trim() ? [] : toKey(bare, [finding('secret_encoded', 'the text after its prefix')])),
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
