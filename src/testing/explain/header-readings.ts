/**
 * Reads the value of a signature header leniently: its prefix, algorithm and digits. Each difference from `sha256=` and 64 lowercase hex
 * digits becomes a finding.
 */
import { encodeHex } from '../../crypto/encoding.js'
import { decodeBase64 } from './base64.js'
import { type Finding, finding } from './findings.js'

/** The hash functions that the length of a MAC reveals. */
export type Algorithm = 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512'

/** One reading of the header: its MAC, if there is one, and the differences from the documented form. */
export interface HeaderReading {
  readonly mac?: { readonly algorithm: Algorithm; readonly digits: string }
  readonly findings: readonly Finding[]
}

const ALGORITHMS: Readonly<Record<number, Algorithm>> = { 40: 'SHA-1', 64: 'SHA-256', 96: 'SHA-384', 128: 'SHA-512' }
const PREFIX = /^((?:hmac[-_]?)?sha[-_]?\d{1,3}|hmac|md5|none|alg|signature|v\d+)\s*[=:]\s*/i
const isDecoration = (character: string) => /[\s"'`<>]/.test(character)
const isBlank = (character: string) => character === ' ' || character === '\t'
/** More values than this aren't read, because each value is compared with every reading of the secret and the body. */
const MAX_VALUES = 8

/** Returns a reading for each value in the header. */
export function readHeaderValue(value: string): readonly HeaderReading[] {
  const parts = value.split(',').filter((part) => part.trim() !== '')
  if (parts.length < 2) return [readOne(value)]
  const repeated = finding(
    'header_repeated',
    new Set(parts.map((part) => part.trim())).size === 1 ? 'the values are equal' : 'the values differ',
  )
  return parts.slice(0, MAX_VALUES).map((part) => {
    const { findings, ...reading } = readOne(part)
    return { ...reading, findings: [repeated, ...findings] }
  })
}

function readOne(value: string): HeaderReading {
  const bare = trimmed(value, isDecoration)
  const prefix = PREFIX.exec(bare)?.[0] ?? ''
  const rest = bare.slice(prefix.length)
  const compact = rest.replaceAll(/\s/g, '')
  const isDecorated = bare !== trimmed(value, isBlank) || compact !== rest || /\s/.test(prefix)
  const findings = isDecorated ? [finding('header_decorated')] : []
  const mac = readMac(compact)
  const prefixFinding = checkPrefix(prefix.replaceAll(/\s/g, ''), mac?.algorithm)
  if (prefixFinding) findings.push(prefixFinding)
  if (!mac) return { findings: [...findings, finding('header_malformed', describeMalformed(compact))] }
  if (mac.encoding !== undefined) findings.push(finding('header_digits', `it is in ${mac.encoding}`))
  return { mac: { algorithm: mac.algorithm, digits: mac.digits }, findings }
}

/** Removes characters at both ends. An expression that ends in `+$` would take quadratic time for a row of them in the middle. */
function trimmed(text: string, isRemoved: (character: string) => boolean): string {
  let [start, end] = [0, text.length]
  while (start < end && isRemoved(text.charAt(start))) start++
  while (end > start && isRemoved(text.charAt(end - 1))) end--
  return text.slice(start, end)
}

function checkPrefix(prefix: string, algorithm: Algorithm | undefined): Finding | undefined {
  if (algorithm !== undefined && algorithm !== 'SHA-256')
    return finding('header_algorithm', `its length matches ${algorithm}`)
  if (prefix === 'sha256=') return undefined
  if (prefix === '') return finding('header_prefix', 'it has no prefix')
  if (/^sha256=$/i.test(prefix)) return finding('header_prefix', "the prefix isn't in lowercase")
  return finding('header_prefix', 'it has a different prefix')
}

interface EncodedMac {
  readonly algorithm: Algorithm
  readonly digits: string
  /** The encoding, if it isn't lowercase hex. */
  readonly encoding?: string
}

function readMac(text: string): EncodedMac | undefined {
  if (/^[0-9a-f]+$/i.test(text)) {
    const algorithm = ALGORITHMS[text.length]
    const digits = text.toLowerCase()
    if (algorithm) return { algorithm, digits, ...(digits !== text && { encoding: 'uppercase hex' }) }
  }
  const bytes = decodeBase64(text)
  const algorithm = bytes && ALGORITHMS[bytes.length * 2]
  return algorithm && { algorithm, digits: encodeHex(bytes), encoding: 'base64' }
}

function describeMalformed(text: string): string {
  if (/^[0-9a-f]+$/i.test(text)) return `it has ${text.length} digits`
  return text === '' ? 'nothing follows the prefix' : "the value isn't an encoded MAC"
}
