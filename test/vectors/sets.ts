// Lists the published test sets for tests and proofs. A missing set is `undefined`.
import { type PublishedMac, readVectors } from './published.js'

/** A signature and whether it must be accepted. */
export interface SignatureCase {
  readonly name: string
  readonly body: Buffer
  /** The value of the header. */
  readonly header: string
  readonly secret: Buffer
  readonly accept: boolean
}

/** A file of JSONTestSuite. A parser must accept `y_` files and reject `n_` files; `i_` files are optional. */
export interface JsonFile {
  readonly name: string
  readonly bytes: Buffer
}

/** A naughty string. `text` is `undefined` if the list cuts the string in the middle of a character. */
export interface Naughty {
  readonly bytes: Buffer
  readonly text: string | undefined
}

interface Published {
  readonly source: string
  readonly key_hex: string
  readonly msg_hex: string
  readonly mac_hex: string
}

interface Wycheproof {
  readonly testGroups: readonly {
    readonly tests: readonly {
      readonly tcId: number
      readonly key: string
      readonly msg: string
      readonly tag: string
      readonly result: 'valid' | 'invalid'
    }[]
  }[]
}

interface Verdicts {
  readonly cases: readonly {
    readonly name: string
    readonly body_b64: string
    readonly header: string
    readonly secret: string
    readonly accept: boolean
  }[]
}

type Repeated = { readonly repeat: readonly [unit: string, count: number]; readonly tail: string }

interface JsonSuite {
  readonly files: Readonly<Record<string, { readonly len: number; readonly b64: string | Repeated }>>
}

const fromBase64 = (text: string) => Buffer.from(text, 'base64')
const fromHex = (text: string) => Buffer.from(text, 'hex')

/** Returns the published MACs. A truncated MAC must be refused. */
export function publishedMacs(): readonly SignatureCase[] | undefined {
  return readVectors<readonly Published[]>('hmac_sha256_published.json')?.map(({ source, key_hex, msg_hex, mac_hex }) =>
    toCase({ source, keyHex: key_hex, messageHex: msg_hex, macHex: mac_hex }),
  )
}

/** Turns a published MAC into a signature. */
function toCase({ source, keyHex, messageHex, macHex }: PublishedMac): SignatureCase {
  const input = { body: fromHex(messageHex), header: `sha256=${macHex}`, secret: fromHex(keyHex) }
  return { name: source, ...input, accept: macHex.length === 64 }
}

/** Returns the HMAC-SHA256 cases of Project Wycheproof. */
export function wycheproofCases(): readonly SignatureCase[] | undefined {
  const groups = readVectors<Wycheproof>('wycheproof_hmac_sha256_test.json')?.testGroups
  return groups?.flatMap(({ tests }) =>
    tests.map(({ tcId, key, msg, tag, result }) => {
      const input = { body: fromHex(msg), header: `sha256=${tag}`, secret: fromHex(key) }
      return { name: `case ${tcId}`, ...input, accept: result === 'valid' && tag.length === 64 }
    }),
  )
}

/** Returns the verdicts of the verifier in GoValid's documentation. */
export function referenceVerdicts(): readonly SignatureCase[] | undefined {
  return readVectors<Verdicts>('govalid_reference_verdicts.json')?.cases.map(
    ({ name, body_b64, header, secret, accept }) => {
      return { name, body: fromBase64(body_b64), header, secret: Buffer.from(secret), accept }
    },
  )
}

/** Returns the files of JSONTestSuite. */
export function jsonFiles(): readonly JsonFile[] | undefined {
  const suite = readVectors<JsonSuite>('json/JSONTestSuite_test_parsing.json')
  if (!suite) return undefined
  return Object.entries(suite.files).map(([name, { b64 }]) => {
    if (typeof b64 === 'string') return { name, bytes: fromBase64(b64) }
    const [unit, count] = b64.repeat
    return {
      name,
      bytes: Buffer.concat([...Array.from({ length: count }, () => fromBase64(unit)), fromBase64(b64.tail)]),
    }
  })
}

/** Returns the Big List of Naughty Strings. */
export function naughtyStrings(): readonly Naughty[] | undefined {
  return readVectors<readonly string[]>('json/blns.base64.json')?.map((entry) => {
    const bytes = fromBase64(entry)
    const text = bytes.toString()
    return { bytes, text: Buffer.from(text).equals(bytes) ? text : undefined }
  })
}
