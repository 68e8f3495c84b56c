// A. Signature header.
import { type Case, PROCESSED, UNAUTHENTIC } from '../case.js'
import { scan, signed, withSignature } from '../deliveries.js'

export const SIGNATURE_CASES: readonly Case[] = [
  {
    number: '0',
    title: 'a rightly signed delivery is processed',
    steps: () => [{ request: signed(scan()), expected: PROCESSED }],
  },
  {
    number: '1',
    title: 'a delivery without a signature is refused',
    steps: () => [{ request: withSignature(scan(), undefined), expected: UNAUTHENTIC }],
  },
]
