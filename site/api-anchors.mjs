// Corrects links in the generated reference: typedoc numbers some headings that are unique on the page.
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { slugOf } from './slug.mjs'

/** @param {string} folder The folder of the reference. */
export function correctAnchors(folder) {
  for (const page of globSync('**/*.md', { cwd: folder }).map((name) => join(folder, name))) {
    const text = readFileSync(page, 'utf8')
    const corrected = text.replace(/\(([^()#\s]*)#([\w-]+)-(\d+)\)/g, (link, file, slug, number) => {
      const target = file === '' ? text : readFileSync(join(dirname(page), file), 'utf8')
      const headings = [...target.matchAll(/^#+ (.+)$/gm)].filter(([, heading = '']) => slugOf(heading) === slug)
      return headings.length > Number(number) ? link : `(${file}#${slug})`
    })
    writeFileSync(page, corrected)
  }
}
