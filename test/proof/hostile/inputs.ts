/** The inputs of the proof: every row of the acceptance list, and the expanded sets that some rows stand for. */

import type { RequestSpec } from '../../acceptance/case.js'
import { verdictFor } from '../../acceptance/case.js'
import { asData, mac, SCAN, scan, signatureOf, signed, withSignature } from '../../acceptance/deliveries.js'
import { EVERY_CASE } from '../../acceptance/every-case.js'
import type { Target } from '../../acceptance/target.js'
import { OLD_SECRET, SECRET, type VariantName } from '../../acceptance/variants.js'
import {
  jsonFiles,
  naughtyStrings,
  publishedMacs,
  referenceVerdicts,
  type SignatureCase,
  wycheproofCases,
} from '../../vectors/sets.js'

/** A request, and the expectations that are known beforehand. */
export interface HostileInput {
  readonly name: string
  readonly request: RequestSpec
  readonly variant?: VariantName
  /** The secret that the target is configured with first. */
  readonly ownSecret?: Uint8Array
  /** Whether the request must be accepted, if a published source says so. */
  readonly accept?: boolean
  /** The statuses that the acceptance list allows, if it lists any. */
  readonly listed?: readonly (number | 'closed')[]
}

/** Inputs that are sent to new receivers, one after another. */
export interface HostileSet {
  readonly name: string
  readonly inputs: (target: Target) => readonly HostileInput[]
}

/** The secrets of the receiver under test. */
export function secretsOf({ variant, ownSecret }: HostileInput): readonly (string | Uint8Array)[] {
  if (ownSecret) return [ownSecret]
  if (variant === 'two-secrets') return [SECRET, OLD_SECRET]
  return variant === 'secret-with-newline' ? [`${SECRET}\n`] : [SECRET]
}

/** All sets. Missing sets have no inputs. */
export const HOSTILE_SETS: readonly HostileSet[] = [
  ...EVERY_CASE.filter(({ steps }) => steps).map(({ number, title, only, steps }) => ({
    name: 'rows of the list',
    inputs: (target: Target) => {
      if (only && !only.includes(target.class)) return []
      return (steps?.() ?? []).map(({ request, variant, expected }) => {
        const { response } = verdictFor(expected, target)
        const listed = typeof response === 'string' ? {} : { listed: response.status }
        return { name: `${number} ${title}`, request, ...(variant && { variant }), ...listed }
      })
    },
  })),
  { name: '256 bit flips', inputs: flippedBits },
  { name: 'Project Wycheproof', inputs: () => toInputs(wycheproofCases()) },
  { name: 'verdicts of the documented function', inputs: () => toInputs(referenceVerdicts()) },
  { name: 'published MACs', inputs: () => toInputs(publishedMacs()) },
  { name: 'JSONTestSuite as data', inputs: () => eachFile((bytes) => signed(asData(bytes))) },
  { name: 'JSONTestSuite as the body', inputs: () => eachFile((bytes) => signed(bytes)) },
  { name: 'JSONTestSuite unsigned', inputs: () => eachFile((bytes) => withSignature(bytes, undefined)) },
  {
    name: 'JSONTestSuite wrongly signed',
    inputs: () => eachFile((bytes) => withSignature(bytes, signatureOf(bytes, 'another'))),
  },
  {
    name: 'naughty strings as data',
    inputs: () =>
      eachString((bytes, text) =>
        text === undefined
          ? signed(asData(Buffer.concat([Buffer.from('{"qr_title":"'), bytes, Buffer.from('"}')])))
          : signed(scan({ data: { ...SCAN, qr_title: text } })),
      ),
  },
  {
    name: 'naughty strings as the header',
    inputs: () => eachString((bytes) => withSignature(scan(), bytes.toString('latin1'))),
  },
  {
    name: 'naughty strings as the event',
    inputs: () => eachString((bytes, text) => signed(scan({ event: text ?? bytes.toString('latin1') }))),
  },
  { name: 'naughty strings as the secret', inputs: naughtySecrets },
]

function flippedBits(): readonly HostileInput[] {
  return Array.from({ length: 256 }, (_, bit) => {
    const body = scan()
    const digest = Buffer.from(mac(body), 'hex')
    digest[bit >> 3] = (digest[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    const request = withSignature(body, `sha256=${digest.toString('hex')}`)
    return { name: `bit ${bit}`, request, accept: false }
  })
}

/** Makes inputs that each use their own secret. */
function toInputs(cases: readonly SignatureCase[] = []): readonly HostileInput[] {
  return cases.map(({ name, body, header, secret, accept }) => ({
    name,
    request: withSignature(body, header),
    variant: 'own-secret',
    ownSecret: secret,
    accept,
  }))
}

function eachFile(toRequest: (bytes: Buffer) => RequestSpec): readonly HostileInput[] {
  return (jsonFiles() ?? []).map(({ name, bytes }) => ({ name, request: toRequest(bytes) }))
}

function eachString(toRequest: (bytes: Buffer, text: string | undefined) => RequestSpec): readonly HostileInput[] {
  return (naughtyStrings() ?? []).map(({ bytes, text }) => ({
    name: bytes.toString('base64'),
    request: toRequest(bytes, text),
  }))
}

/** Naughty strings as secrets. Blank ones are left out, because `createReceiver` refuses them, which has its own test. */
function naughtySecrets(): readonly HostileInput[] {
  const usable = (naughtyStrings() ?? []).filter(({ bytes, text }) => bytes.byteLength > 0 && text?.trim() !== '')
  return usable.map(({ bytes }) => ({
    name: bytes.toString('base64'),
    request: signed(scan(), {}, bytes),
    variant: 'own-secret',
    ownSecret: bytes,
    accept: true,
  }))
}
