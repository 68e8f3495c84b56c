// Writes the fields of package.json that follow from config/entries.json (`exports`, `files`) and config/address.json (`homepage`, `repository`,
// `bugs`). Run `npm run exports` after you change either.
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import entries from '../config/entries.json' with { type: 'json' }
import { addresses } from './address.mjs'
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
const pages = ['docs/**/*.md', '!docs/contributing', '!docs/decisions']
manifest.files = ['dist', ...folders, ...pages, 'AGENTS.md', 'CHANGELOG.md']
const { homepage: _homepage, repository: _repository, bugs: _bugs, ...others } = manifest
const { name, version, description, license, ...rest } = others
const complete = { name, version, description, license, ...addresses?.manifest, ...rest }
writeFileSync(file, `${JSON.stringify(complete, null, 2)}\n`)
