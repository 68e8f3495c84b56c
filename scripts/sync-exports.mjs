// Writes the `exports` and `files` of package.json from config/entries.json. Run `npm run exports` after you add an entry.
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import entries from '../config/entries.json' with { type: 'json' }
import { subpaths } from './stub-folders.mjs'

const file = resolve(import.meta.dirname, '../package.json')
const manifest = JSON.parse(readFileSync(file, 'utf8'))

/** @param {string} subpath */
function conditionsOf(subpath) {
  const output = `./dist/${subpath === '.' ? 'index' : subpath.slice(2)}`
  return {
    import: { types: `${output}.d.ts`, default: `${output}.js` },
    require: { types: `${output}.d.cts`, default: `${output}.cjs` },
  }
}

const exported = Object.keys(entries).map((subpath) => [subpath, conditionsOf(subpath)])
manifest.exports = { ...Object.fromEntries(exported), './package.json': './package.json' }
const folders = subpaths.map((subpath) => `${subpath}/package.json`)
manifest.files = ['dist', ...folders, 'docs/**/*.md', '!docs/api', 'CHANGELOG.md']
writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`)
