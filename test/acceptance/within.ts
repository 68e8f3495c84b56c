// Time limits that also hold on a busy machine.
import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { Target } from './target.js'

const ROUNDS = 3

/** Expects the fastest of up to three rounds to be within the limit. Another process may delay one round, but a fault delays all of them. */
export async function expectWithin(limitMs: number, round: () => Promise<number>): Promise<void> {
  let quickest = Number.POSITIVE_INFINITY
  for (let count = 0; count < ROUNDS && quickest >= limitMs; count++) quickest = Math.min(quickest, await round())
  expect(quickest, 'milliseconds').toBeLessThan(limitMs)
}

/** Measures a computation in the target: the smaller of the elapsed time and the CPU time of its process. */
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

/** Returns the CPU time of another process in milliseconds, if the system has /proc. */
export function processorMsOf(pid: number | undefined): number | undefined {
  const file = `/proc/${pid}/stat`
  if (!existsSync(file)) return undefined
  // The process name is in parentheses and may contain spaces. Fields 14 and 15 count ticks of 10 ms.
  const fields = readFileSync(file, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
