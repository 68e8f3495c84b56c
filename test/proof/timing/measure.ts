/**
 * Times `assertSignature` as a whole on headers whose first or last digit is wrong. Every header is a new string from the same code for both
 * classes, and the classes alternate randomly.
 */
import { createHmac } from 'node:crypto'
import { assertSignature } from '../../../src/index.js'
import type { Random } from '../random.js'
import type { Samples } from './welch.js'

/** The wrong digit of each class, from 0 to 63. */
export type WrongDigits = readonly [first: number, second: number]

/** Changes the verifier while its keys are made, and returns a function that restores it. `undefined` for the shipped verifier. */
export type Planting = (() => () => void) | undefined

/** Verifies one header and returns the duration. */
export type TimeOne = (header: string) => number | Promise<number>

const SECRET = 'your_webhook_secret'
const BODY = Buffer.from(JSON.stringify({ event: 'qr.scanned', data: { qr_id: 'abc123', scan_count: 15 } }))
const RIGHT = Buffer.from(`sha256=${createHmac('sha256', SECRET).update(BODY).digest('hex')}`)
const PREFIX = 'sha256='.length
const KINDS = ['0123456789', 'abcdef'].map((kind) => Buffer.from(kind))
/** The number of headers that are made before their verification is timed. */
const BATCH = 500

/** Times `assertSignature` as a whole, in nanoseconds, with keys that were made under a planting. */
export function timeVerifier(planting: Planting): TimeOne {
  makeKeys(planting)
  return async function timeOne(header) {
    const startedAt = process.hrtime.bigint()
    try {
      await assertSignature(BODY, header, SECRET)
    } catch {
      return Number(process.hrtime.bigint() - startedAt)
    }
    throw new Error('a wrong signature was accepted')
  }
}

/** Makes new keys. `assertSignature` keeps the keys of its last secret, so another secret evicts them first. */
function makeKeys(planting: Planting): void {
  const unplant = planting?.()
  for (const secret of [`not ${SECRET}`, SECRET]) assertSignature(BODY, undefined, secret).catch(() => {})
  unplant?.()
}

/** Times only `===` with the valid header, in nanoseconds. */
export function timeEquals(): TimeOne {
  const right = RIGHT.toString('latin1')
  return function timeOne(header) {
    const startedAt = process.hrtime.bigint()
    const isRight = header === right
    const took = Number(process.hrtime.bigint() - startedAt)
    if (isRight) throw new Error('a wrong signature was accepted')
    return took
  }
}

/** Takes samples. */
export async function takeSamples(
  random: Random,
  count: number,
  digits: WrongDigits,
  timeOne: TimeOne,
): Promise<Samples> {
  const times = new Float64Array(count)
  const classes = new Uint8Array(count)
  for (let from = 0; from < count; from += BATCH) {
    const size = Math.min(BATCH, count - from)
    const headers = Array.from({ length: size }, (_, index) => {
      const one = random.below(2)
      classes[from + index] = one
      return wrongHeader(random, digits[one] as number)
    })
    for (const [index, header] of headers.entries()) {
      const took = timeOne(header)
      times[from + index] = typeof took === 'number' ? took : await took
    }
  }
  return { times, classes }
}

/**
 * Replaces a digit by a digit and a letter by a letter. The regular expression of the header takes another branch for each, which reveals
 * only the sent header, not the secret.
 */
function wrongHeader(random: Random, digit: number): string {
  const at = PREFIX + digit
  const right = RIGHT[at] as number
  const kind = KINDS.find((characters) => characters.includes(right)) as Buffer
  let wrong = right
  while (wrong === right) wrong = kind[random.below(kind.length)] as number
  RIGHT[at] = wrong
  const header = RIGHT.toString('latin1')
  RIGHT[at] = right
  return header
}
