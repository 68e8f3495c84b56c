/** A vitest reporter that lists why tests were skipped, so that no skip is silent. The titles of skipped tests contain the reason. */
import type { Reporter, TestModule, Vitest } from 'vitest/node'

/** Prints the number of skipped tests for each reason at the end of a run. */
export class SkipsReporter implements Reporter {
  #isFiltered = false

  onInit(vitest: Vitest): void {
    // Tests that `-t` leaves out count as skipped, too.
    this.#isFiltered = vitest.config.testNamePattern !== undefined
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (this.#isFiltered) return
    const counts = new Map<string, number>()
    for (const { children } of modules) {
      for (const { name } of children.allTests('skipped')) {
        const reason = /skipped: (.+?)\)?$/.exec(name)?.[1] ?? name
        counts.set(reason, (counts.get(reason) ?? 0) + 1)
      }
    }
    for (const [reason, count] of counts) console.log(`   skipped ${count} because: ${reason}`)
  }
}
