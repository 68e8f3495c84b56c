/**
 * `npm run proof -- secrets`: generates use and misuse of receivers, the test kit, the client of the management API and the built command line,
 * each with its own secret. Searches all that they print, throw, return or pass to hooks and handlers, and the objects themselves, for the
 * secret in thirteen encodings. Exits with 1 if it is found.
 *
 * Options: `--rounds N` (5,000), `--processes N` (200), `--seed N` (any), `--record` (write the result into docs/contributing/proofs.md).
 */
import { randomInt } from 'node:crypto'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createRandom, type Random } from './random.js'
import { reportResult, row } from './record.js'
import { searchCommandLine } from './secrets/command-line.js'
import { searchApi, searchKit } from './secrets/kit.js'
import { searchReceiver } from './secrets/receiver.js'
import { formsOf, type Leak, type Search } from './secrets/search.js'

process.exitCode = await prove()

interface Searched {
  readonly what: string
  readonly rounds: number
  readonly searchedValues: number
  readonly leaks: readonly Leak[]
}

async function prove(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5000' },
      processes: { type: 'string', default: '200' },
      seed: { type: 'string', default: String(randomInt(1_000_000)) },
      record: { type: 'boolean', default: false },
    },
  })
  const [rounds, processes, seed] = [values.rounds, values.processes, values.seed].map(Number) as [
    number,
    number,
    number,
  ]
  const startedAt = performance.now()
  const random = createRandom(seed)
  const cli = resolve('dist/cli.js')
  const searched = [
    await searchAll('receiver', rounds, random, searchReceiver),
    await searchAll('test kit', rounds, random, searchKit),
    await searchAll('client of the management API', rounds, random, searchApi),
    await searchAll('command line', processes, random, (from) => searchCommandLine(from, cli)),
  ]
  const leaks = searched.flatMap(({ leaks }) => leaks)
  for (const { where, form } of leaks) console.log(`FOUND  ${where}: ${form}`)
  const rows = searched.map(({ what, rounds, searchedValues, leaks }) =>
    row(what, rounds, searchedValues, leaks.length),
  )
  const columns = ['secrets', `values searched, for ${formsOf('a').length} forms each`, 'found']
  reportResult('secrets', { seed, columns, rows, startedAt }, values.record)
  return leaks.length > 0 ? 1 : 0
}

async function searchAll(
  what: string,
  rounds: number,
  random: Random,
  searchOne: (random: Random) => Promise<Search>,
): Promise<Searched> {
  const leaks = new Map<string, Leak>()
  let searchedValues = 0
  for (let round = 0; round < rounds; round++) {
    const search = await searchOne(random)
    searchedValues += search.looked()
    for (const leak of search.leaks()) leaks.set(`${leak.where} ${leak.form}`, leak)
  }
  return { what, rounds, searchedValues, leaks: [...leaks.values()] }
}
