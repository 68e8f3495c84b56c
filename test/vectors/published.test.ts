/** Tests where `readVectors` looks for the published sets. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { readVectors } from './published.js'

afterEach(() => vi.unstubAllEnvs())

it('reads the published sets from the folder in GOVALID_VECTORS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'govalid-vectors-'))
  writeFileSync(join(folder, 'a-set.json'), '[1]')
  vi.stubEnv('GOVALID_VECTORS', folder)
  expect([readVectors('a-set.json'), readVectors('another.json')]).toEqual([[1], undefined])
  rmSync(folder, { recursive: true })
})
