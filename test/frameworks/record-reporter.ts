/** With `RECORD=1`, writes the result of every example that ran into the table of examples/README.md. Other rows are kept. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Reporter, TestModule, TestSuite } from 'vitest/node'
import root from '../../package.json' with { type: 'json' }
import { EXAMPLES, type Example } from './examples.js'

const FOLDER = join(import.meta.dirname, '../../examples')
const PAGE = join(FOLDER, 'README.md')
const OPEN = '<!-- result: frameworks -->'
const CLOSE = '<!-- end of result -->'
const HEAD = ['| example | framework | tests passed | date |', '| --- | --- | --- | --- |']

/** The reporter. */
export class RecordReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    if (process.env['RECORD'] !== '1') return
    const suites = modules.flatMap((module) => [...module.children.suites()])
    const page = readFileSync(PAGE, 'utf8')
    writeFileSync(PAGE, replaceRows(page, suites.flatMap(rowOf)))
  }
}

/** Replaces the rows of the same examples in the page's table, and sorts the table. */
function replaceRows(page: string, rows: readonly string[]): string {
  const [from, to] = [page.indexOf(OPEN), page.indexOf(CLOSE)]
  if (from < 0 || to < from) throw new Error(`examples/README.md has no table between ${OPEN} and ${CLOSE}.`)
  const isNew = (old: string) => rows.some((row) => nameOf(row) === nameOf(old))
  const before = page
    .slice(from, to)
    .split('\n')
    .filter((line) => line.startsWith('| [') && !isNew(line))
  const table = [OPEN, ...HEAD, ...[...before, ...rows].sort()].join('\n')
  return `${page.slice(0, from)}${table}\n${page.slice(to)}`
}

function rowOf(suite: TestSuite): readonly string[] {
  const example = EXAMPLES.find(({ name }) => name === suite.name)
  const tests = [...suite.children.allTests()].filter((test) => test.result().state !== 'skipped')
  if (!example || tests.length === 0) return []
  const passed = tests.filter((test) => test.result().state === 'passed').length
  const day = new Date().toISOString().slice(0, 10)
  return [
    `| [${example.name}](${example.folder ?? example.name}) | ${versionOf(example)} | ${passed} of ${tests.length} | ${day} |`,
  ]
}

function versionOf({ name, folder = name, framework = name }: Example): string {
  const manifest = join(FOLDER, folder, 'package.json')
  const own = existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')) : root
  const version = own.dependencies?.[framework] ?? own.devDependencies?.[framework]
  return framework === 'node' || version === undefined ? '' : `${framework} ${version}`
}

function nameOf(row: string): string | undefined {
  return /^\| \[([^\]]+)\]/.exec(row)?.[1]
}
