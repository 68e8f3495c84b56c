// Copies the pages of the repository to the folder that VitePress builds from, and adapts them to the site.
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, posix, resolve } from 'node:path'
import { addresses } from '../scripts/address.mjs'
import { rewriteLinks } from '../scripts/page-links.mjs'
import { PAGES_ELSEWHERE, ROOMS } from './rooms.mjs'

const root = resolve(import.meta.dirname, '..')

/** Returns every page of the repository that is on the site, with its place there. */
export function sitePages() {
  const inDocs = globSync('docs/**/*.md', { cwd: root })
    .map((path) => path.replaceAll('\\', '/'))
    .map((path) => ({ source: path, page: path.slice('docs/'.length).replace(/(^|\/)README\.md$/, '$1index.md') }))
  const elsewhere = Object.entries(PAGES_ELSEWHERE).map(([source, page]) => ({ source, page }))
  return [...inDocs, ...elsewhere].filter(({ source }) => existsSync(join(root, source)))
}

/** Copies every page and picture. @param {string} folder */
export function copyPages(folder) {
  const pages = sitePages()
  const places = new Map(pages.map(({ source, page }) => [source, page]))
  places.set('README.md', 'index.md')
  const pictures = globSync('docs/**/*.{png,svg}', { cwd: root }).map((path) => path.replaceAll('\\', '/'))
  for (const picture of pictures) places.set(picture, picture.slice('docs/'.length))
  for (const { source, page } of pages) {
    const text = forSite(readFileSync(join(root, source), 'utf8'), source, page, places)
    mkdirSync(dirname(join(folder, page)), { recursive: true })
    writeFileSync(join(folder, page), text)
  }
  for (const picture of pictures) cpSync(join(root, picture), join(folder, picture.slice('docs/'.length)))
}

/**
 * @param {string} markdown
 * @param {string} source
 * @param {string} page
 * @param {ReadonlyMap<string, string>} places
 */
function forSite(markdown, source, page, places) {
  const linked = rewriteLinks(markdown, source, (target, anchor) => {
    const place = places.get(target) ?? places.get(`${target}/README.md`) ?? firstPageOf(target, places)
    if (place === undefined) return addresses?.file(target)
    return posix.relative(posix.dirname(page), place) + anchor
  })
  return withTabs(linked.replace(/^<!-- \w+:[\s\S]*?-->\n+/gm, ''))
}

/** Returns the first page of a folder without a README. @param {string} folder @param {ReadonlyMap<string, string>} places */
function firstPageOf(folder, places) {
  const names = ROOMS.find((room) => `docs/${room.folder}` === folder)?.first ?? []
  return names.map((name) => places.get(`${folder}/${name}.md`)).find((place) => place !== undefined)
}

/**
 * Turns the blocks between `<!-- tabs -->` and `<!-- /tabs -->` into tabs. The bold line before a block is the title of its tab, so readers of
 * the repository see it as a heading.
 * @param {string} markdown
 */
export function withTabs(markdown) {
  return markdown.replace(/^<!-- tabs -->$([\s\S]*?)^<!-- \/tabs -->$/gm, (_, /** @type {string} */ blocks) => {
    const titled = blocks.replace(/^\*\*(.+?)\*\*\n+```(\w+)/gm, '```$2 [$1]')
    return `::: code-group${titled}:::`
  })
}

/** Returns the path of a page in the repository, or `undefined` if it is generated. @param {string} page */
export function sourceOf(page) {
  return sitePages().find((candidate) => candidate.page === page)?.source
}
