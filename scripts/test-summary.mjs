// Prints the result of the last test run as one line, from vitest's JSON report, and fails where the run did.
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'

const file = resolve(import.meta.dirname, '../.reports/vitest.json')

/** @typedef {{ status: string, assertionResults: { status: string }[] }} Suite */

/** A file that could not even be loaded has no tests to count, and is a failure all the same. */
function readReport() {
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0 }
  const report = JSON.parse(readFileSync(file, 'utf8'))
  /** @type {Suite[]} */
  const suites = report.testResults
  const unloaded = suites.filter(
    (suite) => suite.status === 'failed' && suite.assertionResults.every((test) => test.status !== 'failed'),
  )
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

const { passed, failed, skipped } = readReport()
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
if (failed > 0 || passed === 0) process.exitCode = 1
