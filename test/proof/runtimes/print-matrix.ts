/** The table of the matrix: a row per runtime and format, a column per thing that was looked at, and below it what was otherwise. */
import type { Finding } from './prove-runtime.js'

const COLUMNS: readonly { readonly title: string; readonly matches: RegExp }[] = [
  { title: 'vectors, node:crypto', matches: /^vectors, node:crypto$/ },
  { title: 'vectors, WebCrypto', matches: /^vectors, WebCrypto$/ },
  { title: 'receiver, node:crypto', matches: /^receiver, node:crypto$/ },
  { title: 'receiver, WebCrypto', matches: /^receiver, WebCrypto$/ },
  { title: 'HTTP', matches: /^HTTP, / },
]

/** Prints the table as Markdown, as `docs/proofs.md` has it. */
export function printMatrix(findings: readonly Finding[]): void {
  for (const line of matrixOf(findings)) console.log(line)
  for (const { runtime, format, what, differences } of findings) {
    for (const difference of differences) console.log(`DIFFERENT  ${runtime}, ${format}, ${what}: ${difference}`)
  }
}

/** The lines of the table. */
export function matrixOf(findings: readonly Finding[]): string[] {
  const rows = [...new Set(findings.map(rowOf))]
  return [
    `| | ${COLUMNS.map(({ title }) => title).join(' | ')} |`,
    `| --- |${' --- |'.repeat(COLUMNS.length)}`,
    ...rows.map((row) => {
      const found = findings.filter((finding) => rowOf(finding) === row)
      const cells = COLUMNS.map(({ matches }) => cellOf(found.filter(({ what }) => matches.test(what))))
      return `| ${row} | ${cells.join(' | ')} |`
    }),
  ]
}

const rowOf = ({ runtime, version, format }: Finding) => `${nameOf(runtime, version)}, ${format}`

const nameOf = (runtime: string, version: string) =>
  version.startsWith(runtime.split(' ').at(-1) ?? '') ? `${runtime.split(' ')[0]} ${version}` : `${runtime} ${version}`

function cellOf(findings: readonly Finding[]): string {
  if (findings.length === 0) return '-'
  return findings
    .map(({ what, count, differences }) => {
      const server = what.startsWith('HTTP, ') ? `${what.slice('HTTP, '.length)} ` : ''
      return `${server}${count}${differences.length > 0 ? `, ${differences.length} DIFFERENT` : ''}`
    })
    .join('; ')
}
