// Derives the sidebar from the folders of pages and from the order in rooms.mjs.
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { ROOMS } from './rooms.mjs'

/**
 * @typedef {{ text: string, link: string }} SidebarPage
 * @typedef {{ text: string, collapsed?: boolean, items: SidebarPage[] }} SidebarRoom
 */

/**
 * Returns the rooms that have pages, with the pages in order.
 * @param {string} pages The folder of all pages.
 * @returns {SidebarRoom[]}
 */
export function sidebarOf(pages) {
  return ROOMS.map(({ folder, title, first, collapsed }) => {
    const depth = folder === 'reference/api' ? '**/*.md' : '*.md'
    const items = globSync(depth, { cwd: join(pages, folder) })
      .map((file) => file.replaceAll('\\', '/').replace(/\.md$/, ''))
      .map((name) => ({ name, text: titleOf(join(pages, folder, `${name}.md`)) }))
      .sort((a, b) => rankOf(first, a.name) - rankOf(first, b.name) || a.text.localeCompare(b.text, 'en'))
      .map(({ name, text }) => ({ text, link: `/${folder}/${name.replace(/(^|\/)index$/, '$1')}` }))
    return { text: title, ...(collapsed && { collapsed }), items }
  }).filter(({ items }) => items.length > 0)
}

/** @param {readonly string[]} first @param {string} name */
function rankOf(first, name) {
  const rank = first.indexOf(name)
  return rank < 0 ? first.length : rank
}

/** Returns the first heading of a page, without its markup. @param {string} file */
export function titleOf(file) {
  const heading = /^# (.+)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? basename(file, '.md')
  return heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[`*\\]/g, '')
}
