/**
 * `npm run proof -- timing`: checks that the duration of `assertSignature` doesn't reveal how much of a signature is valid. Compares a wrong
 * first digit with a wrong last digit by Welch's t-test with cropping. One control must show no difference, and two leaking controls must
 * be caught. Exits with 1 if a result differs. Run it on a quiet machine.
 *
 * Options: `--samples N` per run (1,000,000; WebCrypto gets a fifth), `--runs N` (5), `--seed N` (any), `--record`.
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { createRandom } from './random.js'
import { reportResult, row } from './record.js'
import { TIMED_KINDS, type TimedKind } from './timing/kinds.js'
import { takeSamples } from './timing/measure.js'
import { greatestT } from './timing/welch.js'

process.exitCode = await prove()

/** Runs the proof and returns the exit code. */
async function prove(): Promise<number> {
  const { values } = parseArgs({
    options: {
      samples: { type: 'string', default: '1000000' },
      runs: { type: 'string', default: '5' },
      seed: { type: 'string', default: String(randomInt(1_000_000)) },
      record: { type: 'boolean', default: false },
    },
  })
  const [samples, runs, seed] = [values.samples, values.runs, values.seed].map(Number) as [number, number, number]
  const startedAt = performance.now()
  const found = TIMED_KINDS.map((kind) => ({ kind, greatest: [] as number[] }))
  console.log(`seed ${seed}`)
  for (let run = 0; run < runs; run++) {
    for (const { kind, greatest } of found) greatest.push(await runOnce(kind, seed + run, samples))
    console.log(`run ${run + 1}: ${found.map(({ greatest }) => greatest.at(-1)?.toFixed(2)).join(', ')}`)
  }
  const rows = found.map(({ kind, greatest }) => {
    const verdict = kind.isRight ? (kind.isRight(greatest) ? 'as expected' : 'FAILED') : 'not judged'
    const taken = Math.round(samples * kind.share).toLocaleString('en')
    return row(kind.name, `${runs} × ${taken}`, greatest.map((t) => t.toFixed(2)).join(', '), verdict)
  })
  const columns = ['samples', 'greatest absolute t of each run', 'verdict']
  reportResult('timing', { seed, columns, rows, startedAt }, values.record)
  return found.every(({ kind, greatest }) => kind.isRight?.(greatest) ?? true) ? 0 : 1
}

async function runOnce({ digits, share, timeOne }: TimedKind, seed: number, samples: number): Promise<number> {
  const random = createRandom(seed)
  const one = timeOne()
  // The first samples are dropped, because the code isn't compiled yet.
  await takeSamples(random, Math.min(samples, 5000), digits, one)
  return greatestT(await takeSamples(random, Math.round(samples * share), digits, one))
}
