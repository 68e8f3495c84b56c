/** Generates deliveries: signed, and changed before or after signing, in their header, their JSON or the way their bytes arrive. */
import { createHmac, createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import { type BodySource, EVENT_TYPES } from '../../../src/index.js'
import { createEvent } from '../../../src/testing/index.js'
import { SECRET } from '../../acceptance/variants.js'
import type { Random } from '../random.js'
import { eventText } from './json-text.js'
import { mutateBytes, mutateHeader, oddHeader } from './mutate.js'
import { bodySource, brokenSource } from './sources.js'

/** A generated delivery. */
export interface GeneratedInput {
  readonly kind: string
  /** The bytes of the body. */
  readonly bytes: Buffer
  readonly header: unknown
  /** The way the bytes arrive. */
  readonly body: BodySource
  /** Whether the body breaks off, so that it is never verified. */
  readonly isBroken: boolean
}

type Made = Pick<GeneratedInput, 'bytes' | 'header'> & Partial<GeneratedInput>

/** Known events are three times as frequent as unknown ones. */
const TYPES: readonly string[] = [...EVENT_TYPES, ...EVENT_TYPES, ...EVENT_TYPES, 'ping', 'qr.archived', '__proto__']
const SAMPLES = EVENT_TYPES.map((type) => JSON.stringify(createEvent(type)))
/** The receivers' time. It is fixed, so that the same seed gives the same bytes. */
export const NOW = Date.parse('2026-01-29T12:00:00Z')
const KEY = createSecretKey(Buffer.from(SECRET))

/** The valid header for bytes, computed with `node:crypto` only. */
export function rightHeader(bytes: Uint8Array): string {
  return `sha256=${createHmac('sha256', KEY).update(bytes).digest('hex')}`
}

const signed = (bytes: Buffer): Made => ({ bytes, header: rightHeader(bytes) })

/** The kinds of inputs, and how many of 1,000 inputs are of each kind. */
const KINDS: readonly { readonly kind: string; readonly share: number; make(random: Random): Made }[] = [
  { kind: 'unchanged', share: 130, make: (random) => signed(freshEvent(random)) },
  {
    kind: 'header changed',
    share: 270,
    make(random) {
      const bytes = freshEvent(random)
      return { bytes, header: mutateHeader(random, rightHeader(bytes)) }
    },
  },
  {
    kind: 'header of another kind',
    share: 30,
    make(random) {
      const bytes = freshEvent(random)
      return { bytes, header: oddHeader(random, rightHeader(bytes)) }
    },
  },
  {
    kind: 'body changed after signing',
    share: 200,
    make(random) {
      const bytes = freshEvent(random)
      return { bytes: mutateBytes(random, bytes), header: rightHeader(bytes) }
    },
  },
  {
    kind: 'body changed before signing',
    share: 200,
    make: (random) => signed(mutateBytes(random, freshEvent(random))),
  },
  { kind: 'odd JSON', share: 90, make: (random) => signed(Buffer.from(eventText(random, TYPES, NOW))) },
  {
    kind: 'another body source',
    share: 60,
    make(random) {
      const made = random.chance(0.5) ? freshEvent(random) : mutateBytes(random, freshEvent(random))
      const header = rightHeader(made)
      return {
        bytes: made,
        header: random.chance(0.3) ? mutateHeader(random, header) : header,
        body: bodySource(random, made),
      }
    },
  },
  {
    kind: 'broken off',
    share: 10,
    make(random) {
      const made = signed(freshEvent(random))
      return { ...made, body: brokenSource(random, made.bytes), isBroken: true }
    },
  },
  { kind: 'fast-check structure', share: 10, make: (random) => signed(Buffer.from(takeStructure(random))) },
]
const LADDER = KINDS.flatMap((kind) => Array.from({ length: kind.share }, () => kind))

/** Makes the next input. */
export function makeInput(random: Random): GeneratedInput {
  const { kind, make } = random.pick(LADDER)
  const made = make(random)
  return { isBroken: false, body: made.bytes, ...made, kind }
}

/** A sample event with a random number, so that its bytes are new. */
function freshEvent(random: Random): Buffer {
  const sample = random.pick(SAMPLES)
  const nonce = `{"nonce":${random.below(2 ** 31)},"timestamp":"${new Date(NOW).toISOString()}",`
  return Buffer.from(nonce + sample.slice(1).replace(/"timestamp":"[^"]*",/, ''))
}

const STRUCTURE = fc.oneof(
  fc.json({ maxDepth: 4 }),
  fc.record({ event: fc.constantFrom(...TYPES), data: fc.jsonValue() }).map((event) => JSON.stringify(event)),
  fc.record({ event: fc.string({ unit: 'binary' }), timestamp: fc.jsonValue(), data: fc.object() }).map(printed),
)
const stock: string[] = []

function takeStructure(random: Random): string {
  if (stock.length === 0) stock.push(...fc.sample(STRUCTURE, { numRuns: 500, seed: random.below(2 ** 31) }))
  return stock.pop() ?? ''
}

/** Serializes an object of `fc.object`, which may have values that JSON can't hold. */
function printed(value: object): string {
  return JSON.stringify(value, (_, field: unknown) => (typeof field === 'bigint' ? String(field) : field))
}
