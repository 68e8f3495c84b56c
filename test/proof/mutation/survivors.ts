/** Mutants that no test notices, each with the reason. One that is not listed, or is listed and gone, fails `npm run proof:mutation`. */

/** A mutant that survives. */
export interface Survivor {
  /** From `src/`. */
  readonly file: string
  /** The line it is in, trimmed. */
  readonly line: string
  /** What stands in place of a part of the line. */
  readonly replacement: string
  /** Whether nothing behaves otherwise, so that no test could notice. */
  readonly isEquivalent: boolean
  readonly reason: string
}

const same = (file: string, line: string, replacement: string, reason: string): Survivor => ({
  file,
  line,
  replacement,
  isEquivalent: true,
  reason,
})

/** Every mutant that may survive. */
export const SURVIVORS: readonly Survivor[] = [
  same(
    'crypto/encoding.ts',
    'for (let index = 0; index < bytes.length; index++) {',
    'index <= bytes.length',
    'what is written behind the end of an array of bytes is dropped',
  ),
  ...["expected.write(compute(content), 0, 'latin1')", "given.write(digits, 0, 'latin1')"].map((line) =>
    same('crypto/hmac.ts', line, '""', 'without an encoding it is UTF-8, in which hex digits are the same bytes'),
  ),
  same(
    'crypto/hmac.ts',
    'for (let index = 0; index < BLOCK; index++) {',
    'index <= BLOCK',
    'the byte behind the block is written over, or is not hashed',
  ),
  same(
    'crypto/platform.ts',
    "return typeof found?.createHmac === 'function' ? found : undefined",
    'found.createHmac',
    'what undefined throws is caught: undefined again',
  ),
  same('crypto/platform.ts', '} catch {', '{}', 'a function that ends without a word gives back undefined too'),
  same(
    'delivery/idempotency-key.ts',
    '} catch {',
    '{}',
    'nothing was named then, and that gives undefined in the last line too',
  ),
  same(
    'delivery/claim.ts',
    "if (result?.status !== 'claimed') return",
    'result.status',
    'what undefined throws is caught in the next lines: nothing is given back either way',
  ),
  same(
    'delivery/completion.ts',
    "if (settled.status !== 'value' || typeof settled.value !== 'boolean') return 'unknown'",
    'false',
    'where there is no value, it is no boolean either',
  ),
]
