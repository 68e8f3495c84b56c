/**
 * `npm run proof:signature`: generated triples of body, header and secret, most of them nearly right, judged by `assertSignature` on
 * `node:crypto` and on WebCrypto and by the very Python function that GoValid documents. They must agree on every one, but for blanks
 * around the header's value, which transports may leave on. Exits with 1 when they do not, and with 2 where there is no `python3`.
 *
 * Options: `--triples N` (1,000,000), `--seed N` (any), `--record` (write the result into docs/proofs.md).
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { reportResult, row } from './record.js'
import { compareVerifiers } from './signature/compare.js'
import { pythonVersion, startDocumentedVerifier } from './signature/python.js'

process.exitCode = await prove()

/** Runs the proof; gives back the exit code. */
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
    console.error('There is no python3, so the function that GoValid documents cannot be asked. Nothing was proved.')
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
    row('of the accepted: with blanks around, which the function refuses as they came', found.outerBlanks),
    row('disagreements, on node:crypto and on WebCrypto', found.disagreements),
    row('crashes', found.crashes),
  ]
  reportResult('signature', { seed, rows, startedAt }, values.record)
  return found.disagreements + found.crashes === 0 && found.accepted > 0 && found.refused > 0 ? 0 : 1
}
