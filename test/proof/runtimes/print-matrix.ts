/** Prints the matrix: a row per runtime and format, a column per check. */
import { type ResultRow, row } from '../record.js'
import type { Finding } from './prove-runtime.js'

const PLACES: readonly { readonly title: string; readonly matches: RegExp }[] = [
  { title: 'vectors, node:crypto', matches: /^vectors, node:crypto$/ },
  { title: 'vectors, WebCrypto', matches: /^vectors, WebCrypto$/ },
  { title: 'receiver, node:crypto', matches: /^receiver, node:crypto$/ },
  { title: 'receiver, WebCrypto', matches: /^receiver, WebCrypto$/ },
  { title: 'HTTP', matches: /^HTTP, / },
]

/** The names of the columns. */
export const COLUMNS: readonly string[] = PLACES.map(({ title }) => title)

/** The rows of the table. */
export function matrixOf(findings: readonly Finding[]): readonly ResultRow[] {
  return [...new Set(findings.map(titleOf))].map((title) => {
    const found = findings.filter((finding) => titleOf(finding) === title)
    return row(title, ...PLACES.map(({ matches }) => cellOf(found.filter(({ what }) => matches.test(what)))))
  })
}

/** The differences from the expected results, one per line. */
export function differencesOf(findings: readonly Finding[]): string[] {
  return findings.flatMap(({ runtime, format, what, differences }) =>
    differences.map((difference) => `DIFFERENT  ${runtime}, ${format}, ${what}: ${difference}`),
  )
}

const titleOf = ({ runtime, version, format }: Finding) => `${nameOf(runtime, version)}, ${format}`

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
