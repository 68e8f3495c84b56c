/** Compares the SDK on both crypto paths with the documented function, and counts the disagreements. */
import { assertSignature, isWebhookError } from '../../../src/index.js'
import { createRandom } from '../random.js'
import type { DocumentedVerifier } from './python.js'
import { makeTriple, type Triple } from './triples.js'

/** The result of a comparison. */
export interface Agreement {
  triples: number
  accepted: number
  refused: number
  /** Valid headers with blanks around them: accepted by the SDK, refused by the function. */
  outerBlanks: number
  disagreements: number
  /** Triples for which the SDK threw another error than its own. */
  crashes: number
  /** The number of triples of each kind. */
  readonly kinds: Record<string, number>
  /** The first few disagreements. */
  readonly examples: string[]
}

type Verdict = boolean | 'crash'

const BATCH = 5000
const EXAMPLES = 5

/** Judges `count` triples of a seed. */
export async function compareVerifiers(
  seed: number,
  count: number,
  documented: DocumentedVerifier,
): Promise<Agreement> {
  const random = createRandom(seed)
  const found: Agreement = {
    triples: 0,
    accepted: 0,
    refused: 0,
    outerBlanks: 0,
    disagreements: 0,
    crashes: 0,
    kinds: {},
    examples: [],
  }
  while (found.triples < count) {
    const batch = Array.from({ length: Math.min(BATCH, count - found.triples) }, () => makeTriple(random))
    await judgeBatch(batch, documented, found)
  }
  return found
}

async function judgeBatch(batch: readonly Triple[], documented: DocumentedVerifier, found: Agreement): Promise<void> {
  // The function judges every header twice: as sent, and without the blanks around it.
  const bare = batch.map((triple) => ({ ...triple, header: trimBlanks(triple.header) }))
  const [judged, onNode, onWeb] = await Promise.all([
    documented.judge([...batch, ...bare]),
    Promise.all(batch.map(verdictOf)),
    Promise.all(batch.map(verdictOnWebCrypto)),
  ])
  for (const [index, triple] of batch.entries()) {
    const isAcceptedAsSent = judged[index] as boolean
    const isDocumented = judged[batch.length + index] as boolean
    const hasBlanks = triple.header !== bare[index]?.header
    found.triples++
    found.kinds[triple.kind] = (found.kinds[triple.kind] ?? 0) + 1
    if (isDocumented) found.accepted++
    else found.refused++
    if (hasBlanks && isDocumented && !isAcceptedAsSent) found.outerBlanks++
    const verdicts = [onNode[index], onWeb[index]]
    if (verdicts.includes('crash')) found.crashes++
    const agrees =
      verdicts.every((verdict) => verdict === isDocumented) && (hasBlanks || isAcceptedAsSent === isDocumented)
    if (agrees) continue
    found.disagreements++
    if (found.examples.length < EXAMPLES) found.examples.push(JSON.stringify({ triple, isDocumented, verdicts }))
  }
}

function trimBlanks(header: string | null): string | null {
  return header === null ? null : header.replace(/^[ \t]+|[ \t]+$/g, '')
}

async function verdictOf({ body, header, secret }: Triple): Promise<Verdict> {
  return settle(assertSignature(body, header, secret))
}

/** Verifies without `node:crypto`. The crypto path is chosen synchronously, while the key is made. */
async function verdictOnWebCrypto({ body, header, secret }: Triple): Promise<Verdict> {
  const { getBuiltinModule } = process
  process.getBuiltinModule = () => undefined as never
  const verified = assertSignature(body, header, secret)
  process.getBuiltinModule = getBuiltinModule
  return settle(verified)
}

async function settle(verified: Promise<void>): Promise<Verdict> {
  try {
    await verified
    return true
  } catch (error) {
    return isWebhookError(error) && error.code.startsWith('signature_') ? false : 'crash'
  }
}
