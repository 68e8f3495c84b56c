/**
 * Measures the subjects of all benchmarks. The subjects take turns in short rounds, in a different order each round, and only ratios within
 * a round are compared, so a busy machine affects all subjects alike. Times are CPU times of this process, unless a subject waits for a
 * service.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as (options?: { readonly type: 'minor' | 'major' }) => void

/** A piece of code to measure. */
export interface Subject<Item> {
  readonly name: string
  /** Processes a batch. May be asynchronous. */
  run(batch: readonly Item[]): void | Promise<void>
}

/** The measured times of a subject. */
export interface Figure {
  readonly name: string
  /** Microseconds per item in each round. */
  readonly perRound: readonly number[]
}

/** The options of {@link measure}. */
export interface MeasureOptions<Item> {
  /** Creates fresh items outside the measured time. All subjects of a round get the same items. */
  createBatch(size: number): readonly Item[] | Promise<readonly Item[]>
  /** The number of items per round. */
  readonly batch: number
  /** The number of measured rounds. */
  readonly rounds: number
  /** The number of rounds to run first, until the code is compiled. Default: 5. */
  readonly warmUp?: number
  /** `cpu` measures the CPU time of this process, `wall` the elapsed time. Default: `cpu`. */
  readonly time?: 'cpu' | 'wall'
}

/** Measures subjects against each other. Measure a subject that creates much garbage in a separate group, together with the floor. */
export async function measure<Item>(
  subjects: readonly Subject<Item>[],
  { createBatch, batch, rounds, warmUp = 5, time = 'cpu' }: MeasureOptions<Item>,
): Promise<ReadonlyMap<string, Figure>> {
  const times = new Map(subjects.map(({ name }) => [name, [] as number[]]))
  for (let round = -warmUp; round < rounds; round++) {
    const items = await createBatch(batch)
    for (const subject of rotate(subjects, round)) {
      const micros = await microsOf(time, () => subject.run(items))
      if (round >= 0) times.get(subject.name)?.push(micros / batch)
    }
  }
  return new Map([...times].map(([name, perRound]) => [name, { name, perRound }]))
}

/** Returns the microseconds that a function takes. CPU time includes all threads of this process. */
async function microsOf(time: 'cpu' | 'wall', run: () => void | Promise<void>): Promise<number> {
  // The callbacks, the garbage and the finalizers of the previous subject must not count for this subject.
  await nextTurn()
  collectGarbage({ type: 'minor' })
  await nextTurn()
  const startedAt = performance.now()
  const before = process.cpuUsage()
  const running = run()
  if (running) await running
  const { user, system } = process.cpuUsage(before)
  return time === 'cpu' ? user + system : 1000 * (performance.now() - startedAt)
}

/** Returns the bytes that V8 uses after a full garbage collection, including array buffers. */
export function usedMemory(): number {
  // The second collection frees the objects that finalizers released in the first.
  collectGarbage({ type: 'major' })
  collectGarbage({ type: 'major' })
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Rotates the order every round, and reverses it after every full rotation, so each subject runs before each other as often as after it. */
export function rotate<T>(list: readonly T[], round: number): readonly T[] {
  const index = Math.abs(round)
  const start = index % list.length
  const rotated = [...list.slice(start), ...list.slice(0, start)]
  return Math.floor(index / list.length) % 2 === 0 ? rotated : rotated.reverse()
}

/** Returns the median of values. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** Returns a quantile of values, with linear interpolation. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const position = share * (sorted.length - 1)
  const below = sorted[Math.floor(position)] ?? Number.NaN
  const above = sorted[Math.ceil(position)] ?? Number.NaN
  return below + (above - below) * (position - Math.floor(position))
}

/** A ratio: its median, and the range of the middle half of the rounds. */
export interface Ratio {
  readonly median: number
  readonly from: number
  readonly to: number
}

/** Compares a subject with another, round by round. */
export function ratioOf(subject: Figure, floor: Figure): Ratio {
  const ratios = subject.perRound.map((time, round) => time / (floor.perRound[round] as number))
  return { median: median(ratios), from: quantile(ratios, 0.25), to: quantile(ratios, 0.75) }
}
