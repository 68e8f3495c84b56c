// The acceptance list, A to G, in its order.
import type { Case } from './case.js'
import { SIGNATURE_CASES } from './cases/signature.js'
import { TRANSPORT_CASES } from './cases/transport.js'

export const EVERY_CASE: readonly Case[] = [...SIGNATURE_CASES, ...TRANSPORT_CASES]
