/** What the package tests know about the package: its manifest, its entries, and which of them need a peer to be loaded. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import entries from '../../entries.json' with { type: 'json' }

/** The repository's folder. */
export const ROOT = join(import.meta.dirname, '../..')

interface Conditions {
  readonly types: string
  readonly default: string
}

/** The parts of package.json the tests look at. */
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

/** package.json, as it is in the repository. */
export const manifest: Manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

/** Every subpath and the file in src/ it is built from. */
export const entryFiles: Readonly<Record<string, string>> = entries

/** What has to be installed, or be there, before a subpath can be loaded. Every other subpath loads alone. */
const NEEDED: Readonly<Record<string, string>> = {
  './next': 'next/server.js',
  './schemas': 'zod',
  './stores/durable-object': 'cloudflare:workers',
}

/** The specifiers that load with nothing but this package installed. */
export const standaloneSpecifiers: readonly string[] = Object.keys(entries)
  .filter((subpath) => NEEDED[subpath] === undefined)
  .map((subpath) => `govalid-webhooks${subpath.slice(1)}`)

/** The name of a subpath's files in dist/. */
export function outputName(subpath: string): string {
  return subpath === '.' ? 'index' : subpath.slice(2)
}
