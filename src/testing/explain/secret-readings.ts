/**
 * Derives candidate keys from the configured secrets: without characters that an env file added, with lost characters restored, taken out of
 * the JSON of a secrets manager, and decoded. The other secrets of the project come last.
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
    ...configured.flatMap((text) => rewritings(text)),
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
  const base64 = bare.length < 12 ? undefined : decodeBase64(bare)
  const read = (key: Secret, detail: string) => toKey(key, [finding('secret_encoded', detail)])
  return [
    ...read(hex, 'the bytes that its hex digits encode'),
    ...read(base64, 'the bytes that its base64 text encodes'),
    ...read(withoutLineEnd(hex), 'the text that its hex digits encode, without the newline at its end'),
    ...read(withoutLineEnd(base64), 'the text that its base64 text encodes, without the newline at its end'),
    ...(bare === text.trim() ? [] : read(bare, 'the text after its prefix')),
  ]
}

/** `echo secret | base64` encodes a newline too. */
function withoutLineEnd(bytes: Uint8Array | undefined): Uint8Array | undefined {
  if (bytes?.at(-1) !== 0x0a) return undefined
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1)
}

const INVISIBLE = /[\p{Cf}\p{Variation_Selector}]/gu
const STRAIGHT: readonly (readonly [RegExp, string])[] = [
  [/[\u201c-\u201f\u00ab\u00bb]/g, '"'],
  [/[\u2018-\u201b]/g, "'"],
  [/\u2026/g, '...'],
]
const HTML: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'" }

/** Undoes the changes of shells, env files, secrets managers and word processors. */
function rewritings(text: string): readonly SecretReading[] {
  const trimmed = text.trim()
  const read = (variant: string | undefined, detail: string) => toKey(variant, [finding('secret_decorated', detail)])
  const straight = STRAIGHT.reduce((rest, [curly, plain]) => rest.replaceAll(curly, plain), trimmed)
  const unquoted = trimmed.replace(/^[\u2018-\u201f\u00ab\u00bb](.*)[\u2018-\u201f\u00ab\u00bb]$/su, '$1')
  return [
    ...jsonFields(trimmed).flatMap(({ name, value }) => read(value, `it is JSON, and ${name} is the secret`)),
    ...read(trimmed.replaceAll(INVISIBLE, ''), 'it contains invisible characters, such as a zero-width space'),
    ...read(unquoted, 'it is wrapped in typographic quotes'),
    ...read(straight, 'it contains typographic quotes or an ellipsis in place of plain characters'),
    ...read(straight.replaceAll(/[\u2013\u2014]/g, '--'), 'it contains a dash in place of two hyphens'),
    ...read(straight.replaceAll(/[\u2010-\u2015]/g, '-'), 'it contains a dash in place of a hyphen'),
    ...read(trimmed.replace(/^export\s+/, ''), 'it starts with "export"'),
    ...read(trimmed.replace(/^[A-Za-z_]\w*:\s+/, ''), "it includes the variable's name"),
    ...read(trimmed.replace(/\s+#[^#]*$/, ''), 'it includes a comment'),
    ...read(
      trimmed.replaceAll('$$', () => '$'),
      'it contains $$ in place of $',
    ),
    ...read(trimmed.replaceAll(/\\([\\$"'`#! ])/g, '$1'), 'it contains a backslash before a special character'),
    ...read(
      trimmed.replaceAll('$', () => '$$'),
      'the secret entered in GoValid contains $$ in place of $',
    ),
    ...read(decodeUrl(trimmed), 'it is URL-encoded'),
    ...read(decodeUrl(trimmed.replaceAll('+', ' ')), 'it is URL-encoded'),
    ...read(encodeUrl(trimmed), 'the secret entered in GoValid is URL-encoded'),
    ...read(
      trimmed.replaceAll(/&(amp|lt|gt|quot|#39|#x27);/g, (whole, name: string) => HTML[name] ?? whole),
      'it contains HTML entities',
    ),
    ...read(trimmed.normalize('NFC'), 'its accents are separate characters'),
    ...read(trimmed.normalize('NFD'), 'the accents of the secret entered in GoValid are separate characters'),
  ]
}

/** Returns the texts in a JSON text, with a name for each. A field's name is shown only if it looks like the name of a variable. */
function jsonFields(text: string): readonly { readonly name: string; readonly value: string }[] {
  const fields: { name: string; value: string }[] = []
  const collect = (field: string, value: unknown): unknown => {
    const name = /^[A-Za-z][A-Za-z_]{0,40}$/.test(field) ? `the field ${field}` : 'a text in it'
    if (typeof value === 'string') fields.push({ name, value })
    return value
  }
  try {
    JSON.parse(text, collect)
  } catch {
    return []
  }
  return fields
}

function decodeUrl(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function encodeUrl(text: string): string | undefined {
  try {
    return encodeURIComponent(text)
  } catch {
    return undefined
  }
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
