// Prints the results of all levels of tests as one line, from vitest's JSON reports in .reports/. Usage: node scripts/test-summary.mjs
// [FAILED_CHECKS]. The number of failed checks is added to the failed tests. Exits with 1 if anything failed.
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'

const LEVELS = ['core', 'services', 'proofs', 'runtimes', 'frameworks']

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */
/** @typedef {{ status: string, assertionResults: { status: string }[] }} Suite */

/** Counts the results of a level. A missing report, and a file that could not be loaded, count as one failure. @param {string} level @returns {Counts} */
function countsOf(level) {
  const file = resolve(import.meta.dirname, '../.reports', `vitest-${level}.json`)
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0 }
  const report = JSON.parse(readFileSync(file, 'utf8'))
  /** @type {Suite[]} */
  const suites = report.testResults
  const unloaded = suites.filter(
    (suite) => suite.status === 'failed' && suite.assertionResults.every((test) => test.status !== 'failed'),
  )
  const failed = report.numFailedTests + unloaded.length
  return {
    passed: report.numPassedTests,
    // A run without a failed test fails after an unhandled error, or if it ran no test.
    failed: failed === 0 && (!report.success || report.numPassedTests === 0) ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

const counts = LEVELS.map(countsOf)
/** @param {keyof Counts} key */
const total = (key) => counts.reduce((sum, one) => sum + one[key], 0)
const failed = total('failed') + Number(process.argv[2] ?? 0)
console.log(`${total('passed')} passed, ${failed} failed, ${total('skipped')} skipped`)
if (failed > 0) process.exitCode = 1
