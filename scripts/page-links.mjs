// Rewrites the links of a Markdown page for a place that has other files: the site, or the package.
import { posix } from 'node:path'

/** A fenced block, a link or a picture, or inline code. Only the second is rewritten. */
const PARTS = /^( *)```[\s\S]*?^\1```$|(!?)\[((?:[^[\]`]|`[^`]*`)*)\]\(([^)\s]+)\)|`[^`\n]*`/gm

/**
 * Rewrites each relative link and picture. `place` gets the path of the target relative to the repository, and its anchor with `#` or an empty
 * string. It returns the new target, or `undefined` if there is none. Then only the text remains.
 * @param {string} markdown
 * @param {string} path The path of the page, relative to the repository.
 * @param {(target: string, anchor: string) => string | undefined} place
 * @returns {string}
 */
export function rewriteLinks(markdown, path, place) {
  return markdown.replace(PARTS, (whole, _indent, mark, text, target) => {
    if (target === undefined || /^([a-z]+:|#)/.test(target)) return whole
    const [file = '', anchor] = target.split('#')
    const resolved = posix.normalize(posix.join(posix.dirname(path), file))
    const placed = place(resolved.replace(/\/$/, ''), anchor === undefined ? '' : `#${anchor}`)
    return placed === undefined ? text : `${mark}[${text}](${placed})`
  })
}
