// Writes what coding agents read instead of the site: a Markdown copy of each page, llms.txt (a list of the pages) and llms-full.txt (the
// text of every page for users).
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { roomsOf } from './sidebar.mjs'

const SUMMARY =
  'Receive GoValid webhooks in TypeScript: verified, typed, deduplicated, and answered so that no attempt is wasted.'
const NOT_IN_FULL = ['API by import path', 'Contributing', 'Decisions']

/** @param {string} pages The folder of all pages. @param {string} output The folder of the built site. */
export function writeForAgents(pages, output) {
  for (const page of globSync('**/*.md', { cwd: pages })) {
    mkdirSync(dirname(join(output, page)), { recursive: true })
    writeFileSync(join(output, page), readFileSync(join(pages, page)))
  }
  const rooms = roomsOf(pages)
  /** @param {string} link */
  const fileOf = (link) => `${link.slice(1).replace(/(^|\/)$/, '$1index')}.md`
  const list = rooms.map(({ text, items }) => {
    const lines = items.map((item) => {
      const isGenerated = item.link.startsWith('/reference/api/')
      const summary = isGenerated ? '' : summaryOf(readFileSync(join(pages, fileOf(item.link)), 'utf8'))
      return `- [${item.text}](/${fileOf(item.link)})${summary && `: ${summary}`}`
    })
    return `## ${text}\n\n${lines.join('\n')}\n`
  })
  writeFileSync(join(output, 'llms.txt'), `# govalid-webhooks\n\n> ${SUMMARY}\n\n${list.join('\n')}`)
  const texts = rooms
    .filter(({ text }) => !NOT_IN_FULL.includes(text))
    .flatMap(({ items }) => items.map(({ link }) => readFileSync(join(pages, fileOf(link)), 'utf8').trim()))
  writeFileSync(join(output, 'llms-full.txt'), `${texts.join('\n\n---\n\n')}\n`)
}

/** Returns the first sentence of a page. @param {string} markdown */
function summaryOf(markdown) {
  const paragraph = markdown.split(/\n{2,}/).find((block) => /^[A-Z`*[]/.test(block)) ?? ''
  const plain = paragraph.replaceAll('\n', ' ').replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
  return /^.+?[.:](?= |$)/.exec(plain)?.[0].replace(/:$/, '.') ?? ''
}
