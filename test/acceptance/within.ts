// Limits of time that hold on a busy machine too.
import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { Target } from './target.js'

const ROUNDS = 3

/** The quickest of up to three rounds is within the limit: another process may delay one of them, a fault delays each. */
export async function expectWithin(limitMs: number, round: () => Promise<number>): Promise<void> {
  let quickest = Number.POSITIVE_INFINITY
  for (let count = 0; count < ROUNDS && quickest >= limitMs; count++) quickest = Math.min(quickest, await round())
  expect(quickest, 'milliseconds').toBeLessThan(limitMs)
}

/** How long something takes that only computes: by the clock, or the processor's time of the process the target lives in. */
export async function timeToCompute(target: Target, work: () => Promise<{ readonly tookMs: number }>): Promise<number> {
  const before = processorMs(target)
  const { tookMs } = await work()
  const after = processorMs(target)
  return before === undefined || after === undefined ? tookMs : Math.min(tookMs, after - before)
}

function processorMs(target: Target): number | undefined {
  if (!target.inProcess) return target.processorMs?.()
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** The processor's time another process has used, where there is a /proc to tell. */
export function processorMsOf(pid: number | undefined): number | undefined {
  const file = `/proc/${pid}/stat`
  if (!existsSync(file)) return undefined
  // The name stands in parentheses and may hold blanks; fields 14 and 15 are ticks of 10 ms.
  const fields = readFileSync(file, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
