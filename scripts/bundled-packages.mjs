// Lists the third-party packages that the build output contains, with their licenses, from esbuild's metafile. tsup.config.ts records the
// list; the SBOM and the tests read it.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * @typedef {object} BundledPackage
 * @property {string} name
 * @property {string} version
 * @property {string} license as an SPDX expression
 * @property {string} text the full license text
 *
 * @typedef {{ outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }> }} Metafile
 */

// The build runs in the root of the repository. `import.meta` doesn't help, because this file is bundled into the build's configuration.
const root = process.cwd()
const folder = join(root, '.reports/bundled')

/**
 * Returns the packages that have bytes in an output, in alphabetical order.
 * @param {Metafile} metafile
 * @returns {BundledPackage[]}
 */
export function bundledPackages({ outputs }) {
  const inputs = Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs))
  const files = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => file)
  const folders = files.map((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0] ?? '')
  return [...new Set(folders.filter((found) => found !== ''))].sort().map(readPackage)
}

/** @param {string} path @returns {BundledPackage} */
function readPackage(path) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'))
  const file = readdirSync(join(root, path)).find((entry) => /^licen[cs]e(\.|$)/i.test(entry))
  if (file === undefined || typeof license !== 'string')
    throw new Error(`${path} is bundled but has no license file or no "license" in its package.json`)
  return { name, version, license, text: readFileSync(join(root, path, file), 'utf8').trim() }
}

/**
 * Returns the license texts for the published file.
 * @param {readonly BundledPackage[]} packages
 */
export function licencesOf(packages) {
  const parts = packages.map(({ name, version, license, text }) => `${name} ${version} (${license})\n\n${text}\n`)
  return `dist/cli.js contains:\n\n${parts.join(`\n${'-'.repeat(40)}\n\n`)}`
}

/**
 * Records the packages in a part of the build.
 * @param {'library' | 'cli'} part
 * @param {readonly BundledPackage[]} packages
 */
export function recordBundled(part, packages) {
  const file = join(folder, `${part}.json`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, JSON.stringify(packages.map(({ name, version, license }) => ({ name, version, license }))))
}

/**
 * Returns the packages that the last build recorded.
 * @param {'library' | 'cli'} part
 * @returns {Omit<BundledPackage, 'text'>[]}
 */
export function readBundled(part) {
  const file = join(folder, `${part}.json`)
  if (!existsSync(file)) throw new Error(`${file} is missing. Run: npm run build`)
  return JSON.parse(readFileSync(file, 'utf8'))
}
