/**
 * The ways a signature header's value can be read: prefix, algorithm and digits, each departure from `sha256=` and 64 lower-case hex
 * digits named.
 */
import { encodeHex } from '../../crypto/encoding.js'
import { decodeBase64 } from './base64.js'
import { type Finding, finding } from './findings.js'

/** The hashes a MAC's length tells apart. */
export type Algorithm = 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512'

/** One reading of the header: a MAC, where there is one in it, and what had to be overlooked. */
export interface HeaderReading {
  readonly mac?: { readonly algorithm: Algorithm; readonly digits: string }
  readonly findings: readonly Finding[]
}

const ALGORITHMS: Readonly<Record<number, Algorithm>> = { 40: 'SHA-1', 64: 'SHA-256', 96: 'SHA-384', 128: 'SHA-512' }
const PREFIX = /^((?:hmac[-_]?)?sha[-_]?\d{1,3}|hmac|md5|none|alg|signature|v\d+)\s*[=:]\s*/i
const AROUND = /^[\s"'`<>]+|[\s"'`<>]+$/g

/** Every reading of a header's value; one, unless it holds several values. */
export function readHeaderValue(value: string): readonly HeaderReading[] {
  const parts = value.split(',').filter((part) => part.trim() !== '')
  if (parts.length < 2) return [readOne(value)]
  const repeated = finding(
    'header_repeated',
    new Set(parts.map((part) => part.trim())).size === 1 ? 'the same one twice' : 'different ones',
  )
  return parts.map((part) => {
    const { findings, ...reading } = readOne(part)
    return { ...reading, findings: [repeated, ...findings] }
  })
}

function readOne(value: string): HeaderReading {
  const bare = value.replaceAll(AROUND, '')
  const prefix = PREFIX.exec(bare)?.[0] ?? ''
  const rest = bare.slice(prefix.length)
  const written = rest.replaceAll(/\s/g, '')
  const isDecorated = bare !== value.replaceAll(/^[ \t]+|[ \t]+$/g, '') || written !== rest || /\s/.test(prefix)
  const findings = isDecorated ? [finding('header_decorated')] : []
  const read = readDigits(written)
  const prefixFinding = judgePrefix(prefix.replaceAll(/\s/g, ''), read?.algorithm)
  if (prefixFinding) findings.push(prefixFinding)
  if (!read) return { findings: [...findings, finding('header_malformed', describeLength(written))] }
  if (read.encoding !== undefined) findings.push(finding('header_digits', read.encoding))
  return { mac: { algorithm: read.algorithm, digits: read.digits }, findings }
}

function judgePrefix(prefix: string, algorithm: Algorithm | undefined): Finding | undefined {
  if (algorithm !== undefined && algorithm !== 'SHA-256')
    return finding('header_algorithm', `its length is that of ${algorithm}`)
  if (prefix === 'sha256=') return undefined
  if (prefix === '') return finding('header_prefix', 'it has no prefix')
  if (/^sha256=$/i.test(prefix)) return finding('header_prefix', 'the prefix is not in lower case')
  return finding('header_prefix', 'it has another prefix')
}

interface Digits {
  readonly algorithm: Algorithm
  readonly digits: string
  /** How else than in lower-case hex digits it was written. */
  readonly encoding?: string
}

function readDigits(written: string): Digits | undefined {
  if (/^[0-9a-f]+$/i.test(written)) {
    const algorithm = ALGORITHMS[written.length]
    const digits = written.toLowerCase()
    if (algorithm) return { algorithm, digits, ...(digits !== written && { encoding: 'upper-case hex digits' }) }
  }
  const bytes = decodeBase64(written)
  const algorithm = bytes && ALGORITHMS[bytes.length * 2]
  return algorithm && { algorithm, digits: encodeHex(bytes), encoding: 'base64' }
}

function describeLength(written: string): string {
  if (/^[0-9a-f]+$/i.test(written)) return `it has ${written.length} digits`
  return written === '' ? 'nothing stands behind the prefix' : 'what stands there is no encoded MAC'
}
