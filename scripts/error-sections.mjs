// Reads the sections of docs/reference/errors.md for the command `explain`, so that the page stays the only source of these texts.
// This esbuild plugin resolves `errors:sections`, which types/error-sections.d.ts declares.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

// The build runs in the root of the repository. `import.meta` doesn't help, because this file is bundled into the build's configuration.
const PAGE = resolve('docs/reference/errors.md')

/** The esbuild plugin of the build. @type {import('esbuild').Plugin} */
export const errorSections = {
  name: 'error-sections',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^errors:sections$/ }, ({ path }) => ({ path, namespace: 'errors' }))
    onLoad({ filter: /.*/, namespace: 'errors' }, () => ({ contents: sectionsModule(), watchFiles: [PAGE] }))
  },
}

/** Builds the code of the module `errors:sections`. */
export function sectionsModule() {
  return `export const sections = ${JSON.stringify(readSections(readFileSync(PAGE, 'utf8')))}`
}

/**
 * Splits the page at its headings. Each `### code` is a section, and the `## ` heading above it is its group.
 *
 * @param {string} page
 */
export function readSections(page) {
  return page.split(/^(?=## )/m).flatMap((part) => {
    const [group = '', ...codes] = part.split(/^### /m)
    const name = /^## (.+)/.exec(group)?.[1] ?? ''
    return codes.map((section) => {
      const end = section.indexOf('\n')
      return { code: section.slice(0, end).trim(), group: name, text: section.slice(end).trim() }
    })
  })
}
