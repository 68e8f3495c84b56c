// Times the whole of `assertSignature` on headers whose first or whose last digit is wrong. Every header is a string of its own, made by the
// same code whatever its class, and the classes come in no order.
import { createHmac } from 'node:crypto'
import { assertSignature } from '../../../src/index.js'
import type { Random } from '../random.js'
import type { Samples } from './welch.js'

/** Which digit is wrong in the two classes: of 64, from 0. */
export type WrongDigits = readonly [first: number, second: number]

/** How a verifier is changed for as long as its keys are made; nothing for the one that is shipped. */
export type Planting = (() => () => void) | undefined

/** Verifies one header and tells how long it took. */
export type TimeOne = (header: string) => number | Promise<number>

const SECRET = 'your_webhook_secret'
const BODY = Buffer.from(JSON.stringify({ event: 'qr.scanned', data: { qr_id: 'abc123', scan_count: 15 } }))
const RIGHT = Buffer.from(`sha256=${createHmac('sha256', SECRET).update(BODY).digest('hex')}`)
const PREFIX = 'sha256='.length
const KINDS = ['0123456789', 'abcdef'].map((kind) => Buffer.from(kind))
/** Headers that are made before they are timed, so that making them is not. */
const BATCH = 500

/** Times the whole of `assertSignature`, in nanoseconds, with keys that are made with what is planted. */
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

/** `assertSignature` keeps the keys of its last secret. Another one drives them out; how the new ones compute is decided while they are made. */
function makeKeys(planting: Planting): void {
  const unplant = planting?.()
  for (const secret of [`not ${SECRET}`, SECRET]) assertSignature(BODY, undefined, secret).catch(() => {})
  unplant?.()
}

/** Times nothing but `===` with the right header, in nanoseconds. */
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
 * A digit for a digit and a letter for a letter: the header's own expression takes another branch for each, which tells its sender what they
 * sent, and nothing of the secret.
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
