/**
 * `npm run proof -- signature`: generates triples of body, header and secret, most of them nearly valid. `assertSignature` on `node:crypto` and
 * on WebCrypto, and the Python function that GoValid documents, must agree on each. Blanks around the header are excepted, because
 * transports may leave them. Exits with 1 if they disagree, and with 2 without `python3`.
 *
 * Options: `--triples N` (1,000,000), `--seed N` (any), `--record` (write the result into docs/contributing/proofs.md).
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { reportResult, row } from './record.js'
import { compareVerifiers } from './signature/compare.js'
import { pythonVersion, startDocumentedVerifier } from './signature/python.js'

process.exitCode = await prove()

/** Runs the proof and returns the exit code. */
async function prove(): Promise<number> {
  const { values } = parseArgs({
    options: {
      triples: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: String(randomInt(1_000_000)) },
      record: { type: 'boolean', default: false },
    },
  })
  const python = pythonVersion()
  if (python === undefined) {
    console.error('The proof needs python3 to run the function that GoValid documents. Install it; nothing was proved.')
    return 2
  }
  const startedAt = performance.now()
  const seed = Number(values.seed)
  console.log(`seed ${seed}, ${python}`)
  const documented = startDocumentedVerifier()
  const found = await compareVerifiers(seed, Number(values.triples), documented).finally(() => documented.stop())
  for (const example of found.examples) console.error(`DISAGREEMENT ${example}`)
  const rows = [
    row('triples', found.triples),
    row(
      `accepted, refused by ${python}`,
      `${found.accepted.toLocaleString('en')}, ${found.refused.toLocaleString('en')}`,
    ),
    row('of these accepted only after removing blanks', found.outerBlanks),
    row('disagreements, on node:crypto and on WebCrypto', found.disagreements),
    row('crashes', found.crashes),
  ]
  reportResult('signature', { seed, rows, startedAt }, values.record)
  return found.disagreements + found.crashes === 0 && found.accepted > 0 && found.refused > 0 ? 0 : 1
}
