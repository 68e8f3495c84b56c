/** The package's manifest, its entries, and the peers that some entries need. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import entries from '../../config/entries.json' with { type: 'json' }

/** The repository's folder. */
export const ROOT = join(import.meta.dirname, '../..')

interface Conditions {
  readonly types: string
  readonly default: string
}

/** The parts of package.json that the tests use. */
export interface Manifest {
  readonly name: string
  readonly bin: Readonly<Record<string, string>>
  readonly sideEffects: boolean
  readonly engines: Readonly<Record<string, string>>
  readonly scripts: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>
  readonly exports: Readonly<Record<string, { readonly import: Conditions; readonly require: Conditions }>>
}

/** The repository's package.json. */
export const manifest: Manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

/** Every subpath and its source file in src/. */
export const entryFiles: Readonly<Record<string, string>> = entries

/** The modules that a subpath needs before it can be loaded. Every other subpath loads alone. */
const NEEDED: Readonly<Record<string, string>> = {
  './next': 'next/server.js',
  './nestjs': '@nestjs/common',
  './schemas': 'zod',
}

/** The specifiers that load with only this package installed. */
export const standaloneSpecifiers: readonly string[] = Object.keys(entries)
  .filter((subpath) => NEEDED[subpath] === undefined)
  .map((subpath) => `govalid-webhooks${subpath.slice(1)}`)

/** Returns the name of a subpath's files in dist/. */
export function outputName(subpath: string): string {
  return subpath === '.' ? 'index' : subpath.slice(2)
}
