/** The effort of `explain` grows with the length of a hostile delivery, not with its square. */
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { explain } from '../../../src/testing/explain.js'

const LONG = 100_000
const WRONG = `sha256=${'a'.repeat(64)}`
/** A quadratic step takes 17 s or more with these inputs, a linear step a few milliseconds. */
const MAX_CPU_MS = 3000

const INPUTS: Readonly<Record<string, readonly [rawBody: string | Uint8Array, signature: string]>> = {
  'a header of blanks': ['{}', `${' '.repeat(LONG)}x`],
  'blanks inside the header': ['{}', `sha256=a${' '.repeat(LONG)}b`],
  'tabs inside the header': ['{}', `a${'\t'.repeat(LONG)}b`],
  'quotes inside the header': ['{}', `a${'"'.repeat(LONG)}b`],
  'a header of commas': ['{}', 'a,'.repeat(LONG)],
  'a header of many signatures': ['{}', `${WRONG},`.repeat(LONG / 72)],
  'blanks inside the body': [`{"a":1${' '.repeat(LONG)}}`, WRONG],
  'line breaks inside the body': [`{"a":1${'\r\n'.repeat(LONG)}}`, WRONG],
  'blanks after the body': [`{"a":1}${' '.repeat(LONG)}x`, WRONG],
  'equal signs in the body': [`a${'='.repeat(LONG)}b`, WRONG],
  'many signature fields': [`{${'"signature":null,'.repeat(6000)}"a":1}`, WRONG],
  'one long text': [`{"a":"${'x'.repeat(9 * LONG)}"}`, WRONG],
  'deep nesting': [`${'['.repeat(190)}${'1,'.repeat(7000)}1${']'.repeat(190)}`, WRONG],
  'a small body that decompresses to a large one': [gzipSync(`[${'1,'.repeat(10 * LONG)}1]`), WRONG],
}

describe('explain, in a few seconds', () => {
  it.each(Object.entries(INPUTS))('reads %s', async (_, [rawBody, signature]) => {
    const before = process.cpuUsage()
    expect(await explain({ rawBody, signature, secret: 'a secret for tests' })).toMatchObject({ valid: false })
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan(MAX_CPU_MS)
  })
})
