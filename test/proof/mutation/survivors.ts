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
    'create-receiver.ts',
    "if (settled.status === 'late') running.giveUp()",
    'true',
    'what is not late has waited until nothing runs: nobody is told',
  ),
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
  same(
    'delivery/dispatch.ts',
    'if (checkpoint !== undefined && completedHandlers.includes(checkpoint)) continue',
    'true',
    'the names of finished handlers are text: undefined is never among them',
  ),
  same(
    'delivery/event.ts',
    'if (rules.maxAgeMs !== false && read.epochMs !== undefined) {',
    'true',
    'a comparison with undefined is never true; the type needs to be told',
  ),
  same(
    'delivery/lease.ts',
    "if (renewed.status === 'value' && renewed.value === false) {",
    'true',
    'where there is no value, it is not false either',
  ),
  same(
    'delivery/raw-body.ts',
    'if (!stopped) consumer.fail(error)',
    'true',
    'what reads a body no longer listens then; the contract of a body says that nothing comes after the stop',
  ),
  same(
    'delivery/raw-body.ts',
    'await chunks.return?.()',
    'chunks.return()',
    'what undefined throws is caught: there is nothing to let go',
  ),
  ...['let index = 0', 'let index = opening + 1'].map((first) =>
    same(
      'delivery/signed-content.ts',
      `for (${first}; index < body.length; index++) {`,
      'index <= body.length',
      'behind the last byte is undefined: no blank, no quote, and it closes nothing',
    ),
  ),
  same(
    'delivery/quarantine.ts',
    'const settled = await withTimeout(clock, SINK_CALL_MS, () => sink.discard?.(key))',
    'sink.discard(key)',
    'a sink without it was left alone two lines before',
  ),
  ...['day < 28', 'false'].map((replacement) =>
    same(
      'events/timestamp.ts',
      'const isDay = day > 0 && (day <= 28 || midnight < Date.UTC(year + YEARS, month, 1))',
      replacement,
      'the calendar is asked about a day that every month has; that takes longer, and it says the same',
    ),
  ),
  same(
    'events/timestamp.ts',
    'return code === DOT || (code >= ZERO && code < ZERO + 10)',
    'code <= ZERO + 10',
    'the colon behind the digits stands only behind the sign of an offset, which ends a fraction',
  ),
  same(
    'receiver/options.ts',
    "if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value",
    'true',
    'a safe integer is a number; the type needs to be told',
  ),
  same(
    'receiver/inbox-starter.ts',
    'await startable.start?.(process)',
    'startable.start(work)',
    'one without a start is never about to be started; the type needs to be told',
  ),
  ...['const recentKeys: string[] = []', 'const recentTokens: string[] = []'].map((line) =>
    same(
      'stores/memory/finished-keys.ts',
      line,
      '["Stryker was here"]',
      'the first key that is finished takes its place, and before it there is no newest',
    ),
  ),
  same(
    'stores/memory/finished-keys.ts',
    'for (let index = 0; index < size; index++) {',
    'index <= size',
    'a slot too many, to the place of the key for which it grows: who follows it finds that key and no other',
  ),
  same(
    'stores/memory/finished-keys.ts',
    'return place >= 0 && (table.until[place] as number) > now',
    'true',
    'before the first place is undefined, which is larger than nothing',
  ),
  same(
    'stores/memory/finished-keys.ts',
    'if (known >= 0) remove(known)',
    'true',
    'what has no place has no slot: an empty one is emptied',
  ),
  same(
    'stores/memory/finished-keys.ts',
    'while (slots < capacity * 2) slots *= 2',
    'slots <= capacity * 2',
    'a table twice as wide gives the same answers',
  ),
  same(
    'stores/memory/finished-keys.ts',
    'for (let word = 0; word < WORDS; word++) {',
    'word <= WORDS',
    'what is written behind the end of an array of words is dropped',
  ),
  same(
    'stores/memory/finished-keys.ts',
    'for (let index = word * 8; index < word * 8 + 8; index++) bits = (bits << 4) | hexDigit(key.charCodeAt(index))',
    'word / 8',
    'the digits before are shifted out of the 32 bits',
  ),
  same(
    'events/event-types.ts',
    "return typeof name === 'string' && KNOWN.has(name)",
    'true',
    'the set holds texts only, so what is no text is not in it either',
  ),
  {
    file: 'delivery/process.ts',
    line: 'forget()',
    replacement: ';',
    isEquivalent: false,
    reason: 'a listener that nobody calls any more stays until the receiver ends: it shows in memory alone',
  },
  same(
    'stores/memory/memory-store.ts',
    'if (record) unfinished.delete(key)',
    'true',
    'a key that is not in a map can be deleted from it',
  ),
  same(
    'stores/memory/memory-store.ts',
    'return more.length === 0 ? known : [...new Set([...known, ...more])]',
    'false',
    'it only saves making a list that is the same',
  ),
  same(
    'delivery/raw-body.ts',
    'if (!isOver) finish(gathered.join())',
    'true',
    'what is over ends no second time: the chunks would only be joined again',
  ),
  same(
    'delivery/raw-body.ts',
    'if (chunks.length < KEPT_CHUNKS) {',
    'chunks.length <= KEPT_CHUNKS',
    'one chunk more is kept as it came',
  ),
  same(
    'delivery/raw-body.ts',
    'if (!buffer || buffer.length < needed) buffer = join(buffer ? [buffer] : chunks, 2 * needed)',
    'buffer.length <= needed',
    'a buffer that is just full is left for a larger one a chunk sooner',
  ),
  same(
    'delivery/receive.ts',
    'const limits = isSender ? settings : { ...settings, maxBodyBytes: Number.POSITIVE_INFINITY }',
    '{}',
    'what was kept is at hand, so that only its size is looked at; and nothing is larger than undefined',
  ),
  same(
    'stores/memory/memory-store.ts',
    'for (let checked = 0; checked < CHECKED_PER_CLAIM; checked++) {',
    'checked <= CHECKED_PER_CLAIM',
    'a third record is checked',
  ),
]
