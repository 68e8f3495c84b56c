// Derives the sidebar from the folders of pages and from the order in rooms.mjs.
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { ROOMS } from './rooms.mjs'

/**
 * @typedef {{ text: string, link: string }} SidebarPage
 * @typedef {{ text: string, items: SidebarPage[] }} SidebarRoom
 */

/**
 * Returns the rooms that have pages, with the pages in order.
 * @param {string} pages The folder of all pages.
 * @param {readonly import('./rooms.mjs').Room[]} [rooms]
 * @returns {SidebarRoom[]}
 */
export function roomsOf(pages, rooms = ROOMS) {
  return rooms
    .map(({ folder, title, first }) => {
      const isDeep = folder === 'reference/api'
      const items = globSync(isDeep ? '**/*.md' : '*.md', { cwd: join(pages, folder) })
        .map((file) => file.replaceAll('\\', '/').replace(/\.md$/, ''))
        .map((name) => ({ name, text: titleOf(join(pages, folder, `${name}.md`)) }))
        .sort((a, b) => rankOf(first, a.name) - rankOf(first, b.name) || a.text.localeCompare(b.text, 'en'))
        .map(({ name, text }) => ({ text, link: `/${folder}/${name.replace(/(^|\/)index$/, '$1')}` }))
      return { text: title, items }
    })
    .filter(({ items }) => items.length > 0)
}

/**
 * Returns the sidebar for each start of a path.
 * @param {string} pages The folder of all pages.
 * @returns {Record<string, SidebarRoom[]>}
 */
export function sidebarsOf(pages) {
  const separate = ROOMS.flatMap((room) => (room.sidebar ? [[room.sidebar, roomsOf(pages, [room])]] : []))
  const shared = ROOMS.filter(({ sidebar }) => sidebar === undefined)
  return { ...Object.fromEntries(separate), '/': roomsOf(pages, shared) }
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
