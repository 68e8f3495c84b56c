// Asks the SDK, on both of its crypto paths, and the documented function about the same triples, and counts where they disagree.
import { assertSignature, isWebhookError } from '../../../src/index.js'
import { createRandom } from '../random.js'
import type { DocumentedVerifier } from './python.js'
import { makeTriple, type Triple } from './triples.js'

/** What was found. */
export interface Agreement {
  triples: number
  accepted: number
  refused: number
  /** Right but for blanks around it, which transports may leave on: taken by the SDK, refused by the function. */
  outerBlanks: number
  disagreements: number
  /** Triples over which the SDK threw something else than its own error. */
  crashes: number
  /** How many there were of each kind. */
  readonly kinds: Record<string, number>
  /** The first few that went wrong. */
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
  // Of a header with blanks around it the function is asked twice: as it came, and without them.
  const bare = batch.map((triple) => ({ ...triple, header: trimBlanks(triple.header) }))
  const [asked, onNode, onWeb] = await Promise.all([
    documented.judge([...batch, ...bare]),
    Promise.all(batch.map(verdictOf)),
    Promise.all(batch.map(verdictOnWebCrypto)),
  ])
  for (const [index, triple] of batch.entries()) {
    const asSent = asked[index] as boolean
    const documentedSays = asked[batch.length + index] as boolean
    const hasBlanks = triple.header !== bare[index]?.header
    found.triples++
    found.kinds[triple.kind] = (found.kinds[triple.kind] ?? 0) + 1
    if (documentedSays) found.accepted++
    else found.refused++
    if (hasBlanks && documentedSays && !asSent) found.outerBlanks++
    const verdicts = [onNode[index], onWeb[index]]
    if (verdicts.includes('crash')) found.crashes++
    const agrees = verdicts.every((verdict) => verdict === documentedSays) && (hasBlanks || asSent === documentedSays)
    if (agrees) continue
    found.disagreements++
    if (found.examples.length < EXAMPLES) found.examples.push(JSON.stringify({ triple, documentedSays, verdicts }))
  }
}

function trimBlanks(header: string | null): string | null {
  return header === null ? null : header.replace(/^[ \t]+|[ \t]+$/g, '')
}

async function verdictOf({ body, header, secret }: Triple): Promise<Verdict> {
  return settle(assertSignature(body, header, secret))
}

/** As where `node:crypto` is not built in: which one is taken is decided while the key is made, before anything is waited for. */
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
