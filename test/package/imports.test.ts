/**
 * The number of files that each subpath loads, because every file adds to a cold start. The numbers are counts, not times. If a change is
 * intended, update its number.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { DIST } from './built-files.js'
import { entryFiles, outputName, ROOT } from './manifest.js'

/** The files and modules that a subpath loads. */
interface Loaded {
  /** The number of files of this package, including the subpath's own. */
  readonly files: number
  /** Node modules and other packages. */
  readonly others: readonly string[]
}

const alone = (files: number): Loaded => ({ files, others: [] })

/** The allowed files and modules. The core imports no `node:` module; it asks the platform for Node's crypto at run time. */
const ALLOWED: Readonly<Record<string, Loaded>> = {
  '.': alone(9),
  './express': alone(6),
  './fastify': { files: 6, others: ['node:stream'] },
  './next': { files: 5, others: ['next/server.js'] },
  './aws-lambda': { files: 4, others: ['node:buffer'] },
  './nestjs': { files: 10, others: ['@nestjs/common', '@nestjs/core'] },
  './cloudflare': alone(6),
  './node': alone(6),
  './fetch': alone(5),
  './testing': alone(7),
  './api': alone(5),
  './schemas': { files: 1, others: ['zod'] },
  './inboxes/bullmq': alone(6),
  './inboxes/cloudflare-queue': alone(5),
  './inboxes/pg-boss': alone(6),
  './inboxes/sqlite': alone(7),
  './stores/memory': alone(4),
  './stores/sqlite': alone(7),
  './stores/redis': alone(5),
  './stores/postgres': alone(4),
  './stores/d1': alone(4),
  './stores/durable-object': alone(5),
}

/** Replacements for modules that are missing in this test, so that the rest loads. */
const STAND_INS = {
  'next/server.js': 'export const after = () => {}',
  '@nestjs/common': 'export const Inject = () => () => {}, Module = () => () => {}, RequestMethod = {}',
  '@nestjs/core': 'export class DiscoveryModule {} export class DiscoveryService {} export class HttpAdapterHost {}',
}

/** Loads a file and prints the modules that were resolved from the package's own files. */
const PROGRAM = `
  const { registerHooks } = require('node:module')
  const [target, format, dist, standIns] = process.argv.slice(1)
  const stand = JSON.parse(standIns)
  const files = new Set([target]), others = new Set()
  registerHooks({
    resolve(specifier, context, next) {
      const isOurs = context.parentURL?.startsWith(dist)
      const isRelative = /^([./]|file:)/.test(specifier)
      if (isOurs && !isRelative) others.add(specifier)
      if (stand[specifier]) return { url: 'stand-in:' + specifier, shortCircuit: true, format: format === 'js' ? 'module' : 'commonjs' }
      const found = next(specifier, context)
      if (isOurs && isRelative) files.add(found.url)
      return found
    },
    load(url, context, next) {
      const source = stand[url.replace('stand-in:', '')]
      if (source === undefined) return next(url, context)
      const anything = 'module.exports = new Proxy({}, { get: () => function () { return () => {} } })'
      return { source: format === 'js' ? source : anything, shortCircuit: true, format: format === 'js' ? 'module' : 'commonjs' }
    },
  })
  const load = format === 'js' ? import(target) : Promise.resolve().then(() => require(require('node:url').fileURLToPath(target)))
  load.then(() => console.log(JSON.stringify({ files: files.size, others: [...others].sort() })))`

function load(subpath: string, format: 'js' | 'cjs'): Loaded {
  const target = pathToFileURL(join(DIST, `${outputName(subpath)}.${format}`)).href
  const args = [
    '--input-type=commonjs',
    '--eval',
    PROGRAM,
    target,
    format,
    `${pathToFileURL(DIST).href}/`,
    JSON.stringify(STAND_INS),
  ]
  return JSON.parse(execFileSync(process.execPath, args, { cwd: ROOT }).toString())
}

describe('an import of', () => {
  it('every subpath has an expected number of files', () => {
    expect(Object.keys(ALLOWED).sort()).toEqual(Object.keys(entryFiles).sort())
  })

  it.each(Object.entries(ALLOWED))('%s as an ES module loads the expected files', (subpath, allowed) => {
    expect(load(subpath, 'js')).toEqual(allowed)
  })

  it.each(Object.entries(ALLOWED))('%s as CommonJS loads the expected files', (subpath, allowed) => {
    expect(load(subpath, 'cjs')).toEqual(allowed)
  })
})
