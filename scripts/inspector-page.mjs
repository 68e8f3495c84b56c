// Builds the inspector's page as one HTML document with inline script and style, and computes their hashes for its Content-Security-Policy.
// This esbuild plugin resolves `inspector:page`, which types/inspector-page.d.ts declares.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { bundledPackages } from './bundled-packages.mjs'

// The build runs in the root of the repository. `import.meta` doesn't help, because this file is bundled into the build's configuration.
const folder = resolve('src/cli/inspector')

/** The esbuild plugin of the build. @type {import('esbuild').Plugin} */
export const inspectorPage = {
  name: 'inspector-page',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^inspector:page$/ }, ({ path }) => ({ path, namespace: 'inspector' }))
    onLoad({ filter: /.*/, namespace: 'inspector' }, async () => ({ contents: await pageModule() }))
  },
}

/** Builds the code of the module `inspector:page`. */
export async function pageModule() {
  const [script, style] = await Promise.all([bundle('main.ts'), bundle('style/index.css')])
  const html = readFileSync(join(folder, 'page.html'), 'utf8')
    .replace('<style>', (tag) => tag + style)
    .replace('<script>', (tag) => tag + script)
  const page = { html, scriptHash: hashOf(script), styleHash: hashOf(style) }
  return `export const page = ${JSON.stringify(page)}`
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
  // The build only collects the licenses of packages in the CLI, so the page must not contain any.
  if (bundledPackages(metafile).length > 0) throw new Error(`${entry} must not contain third-party packages`)
  const text = outputFiles[0]?.text.trim() ?? ''
  if (/<\/(script|style)/i.test(text))
    throw new Error(`${entry} contains a closing tag, which would end its own element`)
  return text
}

/** @param {string} text */
function hashOf(text) {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
