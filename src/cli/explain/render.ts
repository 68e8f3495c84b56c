/** Renders the Markdown of the errors page for a terminal. */
import type { Paint } from '../terminal/paint.js'

/** A section of the errors page. */
export interface Section {
  readonly code: string
  readonly group: string
  /** The Markdown below the heading: the log lines, then a list of meaning, cause and fix. */
  readonly text: string
}

const WIDTH = 80
const LINK = /\[([^\]]*)\]\(([^)]*)\)/g

/** Renders one section. */
export function renderSection({ code, group, text }: Section, paint: Paint): string {
  const [, log = '', list = ''] = /^```text\n([\s\S]*?)\n```\n+([\s\S]*)$/.exec(text) ?? []
  const items = list.split(/\n(?=- | {2}- )/).map((item) => renderItem(item, paint))
  const pages = [...new Set([...list.matchAll(LINK)].map(([, , target = '']) => toPath(target)))]
  const more = pages.filter((page) => page !== '').map((page) => `  node_modules/govalid-webhooks/${page}`)
  return [
    `${paint.bold(code)}  ${paint.dim(group)}`,
    '',
    ...log.split('\n').map((line) => paint.dim(`  ${line}`)),
    '',
    ...items,
    ...(more.length > 0 ? ['', 'Read more:', ...more] : []),
  ].join('\n')
}

/** Renders all codes, each with the first sentence of its meaning. */
export function renderList(sections: readonly Section[], paint: Paint): string {
  const width = Math.max(...sections.map(({ code }) => code.length))
  const groups = [...new Set(sections.map(({ group }) => group))]
  const blocks = groups.map((group) => {
    const members = sections.filter((section) => section.group === group)
    const rows = members.map(
      ({ code, text }) => `  ${code.padEnd(width)}  ${shorten(meaningOf(text), WIDTH - width - 4)}`,
    )
    return [paint.bold(group), ...rows].join('\n')
  })
  return `${blocks.join('\n\n')}\n\nRun: npx govalid-webhooks explain <code>`
}

function renderItem(item: string, paint: Paint): string {
  const indent = item.startsWith('  - ') ? '    - ' : ''
  const [, label, rest = item] = /^- \*\*(\w+):\*\* ([\s\S]*)$/.exec(item) ?? []
  const hanging = ' '.repeat(label === undefined ? 6 : 9)
  const words = toText(rest.replace(/^ *- /, ''))
    .split(/\s+/)
    .filter((word) => word !== '')
  const lines = wrap(words, WIDTH - hanging.length).map((line) => hanging + line)
  const first = label === undefined ? indent : `${label}:`.padEnd(9)
  const start = label === undefined ? first : paint.bold(first)
  return [start + (lines[0] ?? '').slice(hanging.length), ...lines.slice(1)].join('\n')
}

function wrap(words: readonly string[], width: number): readonly string[] {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last === undefined || last.length + word.length >= width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

/** Removes the markup. Code keeps its backticks, because they separate names from the sentence. */
function toText(markdown: string): string {
  return markdown.replaceAll(LINK, '$1').replaceAll('**', '')
}

/** Converts a link on the errors page to a path in the package. A link within the page becomes an empty string. */
function toPath(target: string): string {
  const [file = ''] = target.split('#')
  if (file === '') return ''
  return file.startsWith('../') ? `docs/${file.slice(3)}` : `docs/reference/${file}`
}

function meaningOf(text: string): string {
  const [, meaning = ''] = /\*\*Meaning:\*\* ([\s\S]*?)\n- /.exec(text) ?? []
  const [sentence = ''] = toText(meaning.replaceAll(/\s+/g, ' ')).split(/(?<=[.:]) /)
  return sentence.replace(/[.:]$/, '')
}

function shorten(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text
}
