// Makes the inspector's page one document: its script and its style inline, with the hashes that its Content-Security-Policy names.
// For the build: resolves `inspector:page` (typed in types/inspector-page.d.ts).
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { bundledPackages } from './bundled-packages.mjs'

// From where the build is started: bundled into its configuration, this file does not know where it is.
const folder = resolve('src/cli/inspector')

/** @type {import('esbuild').Plugin} */
export const inspectorPage = {
  name: 'inspector-page',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^inspector:page$/ }, ({ path }) => ({ path, namespace: 'inspector' }))
    onLoad({ filter: /.*/, namespace: 'inspector' }, async () => {
      const [script, style] = await Promise.all([bundle('main.ts'), bundle('style/index.css')])
      const html = readFileSync(join(folder, 'page.html'), 'utf8')
        .replace('<style>', (tag) => tag + style)
        .replace('<script>', (tag) => tag + script)
      const page = { html, scriptHash: hashOf(script), styleHash: hashOf(style) }
      return { contents: `export const page = ${JSON.stringify(page)}` }
    })
  },
}

/** @param {string} entry */
async function bundle(entry) {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(folder, entry)],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: ['chrome123', 'firefox120', 'safari17.5'],
    charset: 'ascii',
    legalComments: 'none',
    metafile: true,
  })
  // Their licences would have to be shipped, and the build looks for them in the command line alone.
  if (bundledPackages(metafile).length > 0) throw new Error(`${entry} must contain no package of others`)
  const text = outputFiles[0]?.text.trim() ?? ''
  if (/<\/(script|style)/i.test(text)) throw new Error(`${entry} would end its own element`)
  return text
}

/** @param {string} text */
function hashOf(text) {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
