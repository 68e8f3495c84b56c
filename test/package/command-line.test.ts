/** The command line in the package: one file that the library never imports. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { DIST, distFiles, reachableFrom, readBuilt } from './built-files.js'
import { entryFiles, manifest, outputName } from './manifest.js'

describe('the command line', () => {
  it('starts with the package’s name', () => {
    expect(manifest.bin).toEqual({ 'govalid-webhooks': 'dist/cli.js' })
    expect(readBuilt('cli.js')).toMatch(/^#!\/usr\/bin\/env node\n/)
    expect(statSync(join(DIST, 'cli.js')).mode & 0o111).not.toBe(0)
  })

  it('is imported by no library entry, and its argument parser is in no other file', () => {
    const roots = Object.keys(entryFiles).flatMap((subpath) => ['.js', '.cjs'].map((end) => outputName(subpath) + end))
    expect(reachableFrom(roots)).not.toContain('cli.js')
    expect(distFiles.filter((file) => readBuilt(file).includes('CommanderError'))).toEqual(['cli.js'])
  })

  it('is not an entry of the package', () => {
    expect(JSON.stringify(manifest.exports)).not.toContain('cli')
  })

  it('imports only Node modules', () => {
    const { importedFiles } = ts.preProcessFile(readBuilt('cli.js'), true, true)
    const specifiers = importedFiles.map(({ fileName }) => fileName)
    expect(specifiers.length).toBeGreaterThan(5)
    expect(specifiers.filter((specifier) => !specifier.startsWith('node:'))).toEqual([])
  })
})
