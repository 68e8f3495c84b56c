/**
 * `npm run proof -- generated`: generates signed deliveries with changes in every place, passes them to the core and sends them over sockets.
 * Counts the faults that must never happen, and exits with 1 if one did.
 *
 * Options: `--core N` (5,000,000), `--sockets N` over all targets (200,000), `--seed N` (any), `--target NAME` (repeatable, as in
 * the hostile proof), `--record` (write the result into docs/contributing/proofs.md).
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { playCore } from './generated/core.js'
import { playSockets } from './generated/sockets.js'
import { chooseTargets, DEFAULT_TARGETS } from './hostile/targets.js'
import { reportResult, row } from './record.js'
import { faultsOf, type Zeros, zeroRows } from './zeros.js'

process.exitCode = await prove()

interface Part {
  readonly name: string
  readonly zeros: Zeros
  readonly perSecond: number
}

/** Runs the proof and returns the exit code. */
async function prove(): Promise<number> {
  const { values } = parseArgs({
    options: {
      core: { type: 'string', default: '5000000' },
      sockets: { type: 'string', default: '200000' },
      seed: { type: 'string', default: String(randomInt(1_000_000)) },
      target: { type: 'string', multiple: true, default: [...DEFAULT_TARGETS] },
      record: { type: 'boolean', default: false },
    },
  })
  const seed = Number(values.seed)
  console.log(`seed ${seed}`)
  const startedAt = performance.now()
  const kinds = new Map<string, number>()
  const parts = [
    await timed('the core', () =>
      playCore(seed, Number(values.core), (kind) => kinds.set(kind, (kinds.get(kind) ?? 0) + 1)),
    ),
  ]
  console.log([...kinds].map(([kind, inputs]) => `${kind} ${inputs.toLocaleString('en')}`).join(', '))
  const targets = Number(values.sockets) > 0 ? chooseTargets(values.target) : []
  for (const [index, factory] of targets.entries()) {
    const inputs = Math.ceil(Number(values.sockets) / targets.length)
    const target = await factory.start()
    parts.push(
      await timed(factory.name, () => playSockets(target, seed + index + 1, inputs).finally(() => target.stop())),
    )
  }
  const rows = [
    ...zeroRows(parts.map(({ zeros }) => zeros)),
    row('inputs per second', ...parts.map((part) => part.perSecond)),
  ]
  reportResult('generated', { seed, columns: parts.map(({ name }) => name), rows, startedAt }, values.record)
  return parts.every(({ zeros }) => faultsOf(zeros) === 0 && zeros.verified > 0) ? 0 : 1
}

async function timed(name: string, play: () => Promise<Zeros>): Promise<Part> {
  const startedAt = performance.now()
  const zeros = await play()
  const perSecond = Math.round(zeros.inputs / ((performance.now() - startedAt) / 1000))
  console.log(`${name}: ${zeros.inputs.toLocaleString('en')} inputs, ${perSecond.toLocaleString('en')} per second`)
  for (const example of zeros.examples) console.error(`FAULT ${name}: ${example}`)
  return { name, zeros, perSecond }
}
