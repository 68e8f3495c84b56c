/**
 * Reads published HMAC-SHA256 vectors. The vectors of RFC 4231 are listed here; the larger sets come from the folder in GOVALID_VECTORS.
 * The tests of a missing set are skipped.
 */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'

/** One published MAC. `macHex` has fewer than 64 digits if the source truncates it. */
export interface PublishedMac {
  readonly source: string
  readonly keyHex: string
  readonly messageHex: string
  readonly macHex: string
}

/** RFC 4231, section 4, cases 1 to 7. Case 5 is truncated to 128 bits. */
export const RFC_4231: readonly PublishedMac[] = [
  {
    source: 'case 1',
    keyHex: '0b'.repeat(20),
    messageHex: '4869205468657265',
    macHex: 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  },
  {
    source: 'case 2',
    keyHex: '4a656665',
    messageHex: '7768617420646f2079612077616e7420666f72206e6f7468696e673f',
    macHex: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  },
  {
    source: 'case 3',
    keyHex: 'aa'.repeat(20),
    messageHex: 'dd'.repeat(50),
    macHex: '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
  },
  {
    source: 'case 4',
    keyHex: '0102030405060708090a0b0c0d0e0f10111213141516171819',
    messageHex: 'cd'.repeat(50),
    macHex: '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
  },
  {
    source: 'case 5',
    keyHex: '0c'.repeat(20),
    messageHex: '546573742057697468205472756e636174696f6e',
    macHex: 'a3b6167473100ee06e0c796c2955552b',
  },
  {
    source: 'case 6',
    keyHex: 'aa'.repeat(131),
    messageHex:
      '54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374',
    macHex: '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  },
  {
    source: 'case 7',
    keyHex: 'aa'.repeat(131),
    messageHex:
      '5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b2d73697a65206b657920616e642061206c61726765' +
      '72207468616e20626c6f636b2d73697a6520646174612e20546865206b6579206e6565647320746f20626520686173686564206265666f726520' +
      '6265696e6720757365642062792074686520484d414320616c676f726974686d2e',
    macHex: '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
  },
]

/** The end of a test's title that says why the test is skipped, if its vectors weren't read. */
export function skipNote(vectors: unknown): string {
  return vectors === undefined ? ' (skipped: the folder in GOVALID_VECTORS has no such file)' : ''
}

/** Reads a vector file; returns `undefined` if it doesn't exist. */
export function readVectors<Content>(file: string): Content | undefined {
  // Relative to the working folder, because scripts bundle this file into another folder. By default, the sets are next to the repository.
  const path = resolve(process.env['GOVALID_VECTORS'] || '../shared/vectors', file)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Content) : undefined
}
