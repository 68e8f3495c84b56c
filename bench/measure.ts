/**
 * How everything under `bench/` is timed: the subjects take turns in short rounds, each round in another order, and what is compared is the
 * ratio within a round, so that what the machine does meanwhile meets all of them. Times are CPU times of this process, so that other
 * processes do not count, but where a service is waited for.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as (options?: { readonly type: 'minor' | 'major' }) => void

/** Something that is measured: it works off everything it is given. */
export interface Subject<Item> {
  readonly name: string
  /** Works off a batch. May be asynchronous. */
  run(batch: readonly Item[]): void | Promise<void>
}

/** What was measured of a subject. */
export interface Figure {
  readonly name: string
  /** Microseconds per item in each round. */
  readonly perRound: readonly number[]
}

/** How much is measured. */
export interface MeasureOptions<Item> {
  /** Fresh items, made outside the measured time; every subject gets the same ones. */
  makeBatch(size: number): readonly Item[] | Promise<readonly Item[]>
  /** Items per round. */
  readonly batch: number
  /** Measured rounds. */
  readonly rounds: number
  /** Rounds before them, in which the code gets warm. */
  readonly warmUp?: number
  /** `cpu`: this process's CPU time. `wall`: what somebody waits for a service. Default: `cpu`. */
  readonly time?: 'cpu' | 'wall'
}

/** Measures subjects against each other. What makes much garbage is better measured in a group of its own, with the floor once more. */
export async function measure<Item>(
  subjects: readonly Subject<Item>[],
  { makeBatch, batch, rounds, warmUp = 5, time = 'cpu' }: MeasureOptions<Item>,
): Promise<ReadonlyMap<string, Figure>> {
  const times = new Map(subjects.map(({ name }) => [name, [] as number[]]))
  for (let round = -warmUp; round < rounds; round++) {
    const items = await makeBatch(batch)
    for (const subject of inOrderOf(subjects, round)) {
      const micros = await microsOf(time, () => subject.run(items))
      if (round >= 0) times.get(subject.name)?.push(micros / batch)
    }
  }
  return new Map([...times].map(([name, perRound]) => [name, { name, perRound }]))
}

/** Microseconds that something takes; of CPU time, those of every thread of this process. */
async function microsOf(time: 'cpu' | 'wall', run: () => void | Promise<void>): Promise<number> {
  // Nobody pays for what the one before left behind: its callbacks, its garbage, and what runs once garbage is found.
  await turn()
  collectGarbage({ type: 'minor' })
  await turn()
  const startedAt = performance.now()
  const before = process.cpuUsage()
  const running = run()
  if (running) await running
  const { user, system } = process.cpuUsage(before)
  return time === 'cpu' ? user + system : 1000 * (performance.now() - startedAt)
}

/** Bytes that V8 holds after a full collection, array buffers included. */
export function usedMemory(): number {
  // The second one finds what the first one's finalizers let go of.
  collectGarbage({ type: 'major' })
  collectGarbage({ type: 'major' })
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Each round begins with another one, and whenever all have been first the order turns round: each comes before each as often as after it. */
export function inOrderOf<T>(list: readonly T[], round: number): readonly T[] {
  const at = Math.abs(round)
  const start = at % list.length
  const turned = [...list.slice(start), ...list.slice(0, start)]
  return Math.floor(at / list.length) % 2 === 0 ? turned : turned.reverse()
}

/** The middle value. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** The value that this share of the others is below. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = share * (sorted.length - 1)
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

/** A ratio with the half of the rounds that lies in the middle. */
export interface Ratio {
  readonly median: number
  readonly from: number
  readonly to: number
}

/** How a subject compares with another, round by round. */
export function ratioOf(subject: Figure, floor: Figure): Ratio {
  const ratios = subject.perRound.map((time, round) => time / (floor.perRound[round] as number))
  return { median: median(ratios), from: quantile(ratios, 0.25), to: quantile(ratios, 0.75) }
}
