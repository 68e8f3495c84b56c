/**
 * Mutants that no test notices, each with the reason. `npm run proof -- mutation` fails if another mutant survives, or if one of these doesn't.
 */

/** A mutant that survives. */
export interface Survivor {
  /** The file, from `src/`. */
  readonly file: string
  /** The line of the mutant, trimmed. */
  readonly line: string
  /** The text that replaces a part of the line. */
  readonly replacement: string
  /** Whether the mutant behaves the same, so that no test can notice it. */
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

const CAUGHT = 'the TypeError is caught, with the same result'

/** Every mutant that may survive. */
export const SURVIVORS: readonly Survivor[] = [
  same(
    'crypto/encoding.ts',
    'for (let index = 0; index < bytes.length; index++) {',
    'index <= bytes.length',
    'a write beyond the end of a typed array is dropped',
  ),
  ...["expected.write(mac, 0, 'latin1')", "given.write(digits, 0, 'latin1')"].map((line) =>
    same('crypto/hmac.ts', line, '""', 'the default encoding is UTF-8, which has the same bytes for hex digits'),
  ),
  same(
    'crypto/platform.ts',
    "return typeof found?.createHmac === 'function' ? found : undefined",
    'found.createHmac',
    'the TypeError is caught, and the result is undefined as well',
  ),
  same('crypto/platform.ts', '} catch {', '{}', 'a function without a return returns undefined as well'),
  same('crypto/secrets.ts', '} catch {', '{}', 'undefined is as false as false'),
  same('delivery/idempotency-key.ts', '} catch {', '{}', 'a function without a return returns undefined as well'),
  same(
    'delivery/claim.ts',
    "if (result?.status !== 'claimed') return",
    'result.status',
    'the TypeError is caught a few lines below, and nothing is released either way',
  ),
  same(
    'delivery/completion.ts',
    "if (result.status !== 'value' || typeof result.value !== 'boolean') return 'unknown'",
    'false',
    'without a value, the value is no boolean either',
  ),
  same(
    'delivery/dispatch.ts',
    'return checkpoint !== undefined && run.completedHandlers.includes(checkpoint)',
    'true',
    'names of handlers are strings, so the list never includes undefined',
  ),
  same(
    'delivery/lease.ts',
    "if (renewed.status === 'value' && renewed.value === false) {",
    'true',
    'without a value, the value is not false either',
  ),
  ...['return { isLost: false, rest: retryInBackground(attempt.services, enter, isQuarantined) }'].map((line) =>
    same('delivery/finish.ts', line, 'true', 'only the `isLost` of a completion is read'),
  ),
  ...['true', '""'].map((replacement) =>
    same(
      'delivery/finish.ts',
      "isLast: how !== 'processed' && isLastAttempt(services, event, number),",
      replacement,
      'a success is decided without `isLast`; the condition only saves computing it',
    ),
  ),
  same(
    'delivery/process.ts',
    'if (keeping) await awaitBriefly(attempt, keeping)',
    'true',
    'waiting for undefined ends in the same event-loop turn',
  ),
  same(
    'delivery/event.ts',
    'if (maxAgeMs === false || epochMs === undefined) return undefined',
    'false',
    'comparisons with undefined are false, so an event without a time has no fault either',
  ),
  same(
    'delivery/lease.ts',
    "if (renewed.status === 'value' && renewed.value) claim.confirmedAt = askedAt",
    'true',
    'without a value, the value is not true either',
  ),
  same(
    'delivery/lease.ts',
    "return renewed.status !== 'value' || renewed.value !== false",
    'false',
    'without a value, the value is not false either',
  ),
  same(
    'delivery/raw-body.ts',
    'if (!stopped) consumer.fail(error)',
    'true',
    'the reader of a body ignores everything after it has stopped',
  ),
  same(
    'delivery/raw-body.ts',
    'await chunks.return?.()',
    'chunks.return()',
    'the TypeError is caught, and without a return method nothing has to be released',
  ),
  ...['let index = 0', 'let index = opening + 1'].map((first) =>
    same(
      'delivery/signed-content.ts',
      `for (${first}; index < body.length; index++) {`,
      'index <= body.length',
      'the byte after the last one is undefined, which is neither a space nor a quote nor a bracket',
    ),
  ),
  ...['day < 28', 'false'].map((replacement) =>
    same(
      'events/timestamp.ts',
      'const isDay = day > 0 && (day <= 28 || midnight < Date.UTC(year + YEARS, month, 1))',
      replacement,
      'every month has 28 days, so asking the calendar as well gives the same result',
    ),
  ),
  same(
    'events/timestamp.ts',
    'return code === DOT || (code >= ZERO && code < ZERO + 10)',
    'code <= ZERO + 10',
    'the colon, which follows the digits, only appears after the sign of an offset, and that ends a fraction',
  ),
  same(
    'receiver/options.ts',
    "if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value",
    'true',
    'a safe integer is a number; the check is for the type',
  ),
  same(
    'receiver/inbox-starter.ts',
    'await startable.start?.(process)',
    'startable.start(process)',
    'an inbox without start is never started; the check is for the type',
  ),
  ...['const recentKeys: string[] = []', 'const recentTokens: string[] = []'].map((line) =>
    same(
      'stores/memory/finished-keys.ts',
      line,
      '["Stryker was here"]',
      'the first finished key replaces the text, and before that no key is recent',
    ),
  ),
  same(
    'stores/memory/finished-keys.ts',
    'for (let index = 0; index < size; index++) {',
    'index <= size',
    'the extra slot points to the place of the key for which the table grows, and a lookup finds only that key there',
  ),
  same(
    'stores/memory/finished-keys.ts',
    'return place >= 0 && (table.until[place] as number) > now',
    'true',
    'the value before the first place is undefined, which is not larger than a time',
  ),
  same(
    'stores/memory/finished-keys.ts',
    'if (known >= 0) remove(known)',
    'true',
    'a key without a place has no slot, so an empty slot is emptied',
  ),
  same(
    'stores/memory/finished-keys.ts',
    'while (slots < capacity * 2) slots *= 2',
    'slots <= capacity * 2',
    'a table with twice the slots gives the same results',
  ),
  same(
    'stores/memory/finished-keys.ts',
    'for (let word = 0; word < WORDS; word++) {',
    'word <= WORDS',
    'a write beyond the end of a typed array is dropped',
  ),
  same(
    'stores/memory/finished-keys.ts',
    'for (let index = word * 8; index < word * 8 + 8; index++) bits = (bits << 4) | hexDigit(key.charCodeAt(index))',
    'word / 8',
    'earlier digits are shifted out of the 32 bits',
  ),
  same(
    'events/event-types.ts',
    "return typeof name === 'string' && KNOWN.has(name)",
    'true',
    'the set contains only strings',
  ),
  same(
    'stores/memory/memory-store.ts',
    'if (record) unfinished.delete(key)',
    'true',
    'deleting a key that a map does not have does nothing',
  ),
  same(
    'stores/memory/memory-store.ts',
    'return more.length === 0 ? known : [...new Set([...known, ...more])]',
    'false',
    'the condition only avoids copying a list',
  ),
  same(
    'delivery/raw-body.ts',
    'if (!hasEnded) finish(gathered.join())',
    'true',
    'a promise settles once, so the chunks would only be joined again',
  ),
  same(
    'delivery/raw-body.ts',
    'if (chunks.length < KEPT_CHUNKS) {',
    'chunks.length <= KEPT_CHUNKS',
    'one more chunk is kept as it is',
  ),
  same(
    'delivery/raw-body.ts',
    'if (!buffer || buffer.length < needed) buffer = join(buffer ? [buffer] : chunks, 2 * needed)',
    'buffer.length <= needed',
    'a full buffer is replaced one chunk earlier',
  ),
  same(
    'stores/memory/memory-store.ts',
    'for (let checked = 0; checked < CHECKED_PER_CLAIM; checked++) {',
    'checked <= CHECKED_PER_CLAIM',
    'a third record is checked as well',
  ),
  same(
    'clock.ts',
    'if (isIdle) (timer as { unref?: () => void }).unref?.()',
    '(timer as {\n  unref?: () => void;\n}).unref()',
    'every timer of Node has unref; workerd, where a timer is a number, is not part of this proof',
  ),
  same(
    'clock.ts',
    '() => clock.monotonicNow?.(),',
    'clock.monotonicNow()',
    'the line before has checked that it exists',
  ),
  same(
    'clock.ts',
    "const isFunction = (value: unknown): value is () => void => typeof value === 'function'",
    'true',
    'calling something else throws a TypeError, which is caught, so nothing is canceled either way',
  ),
  same('delivery/accept.ts', 'isLate: false,', 'true', 'an attempt without a claim writes nothing that could be late'),
  ...['true', '""'].map((replacement) =>
    same(
      'delivery/process.ts',
      "const isPatient = event.origin.from !== 'sender'",
      replacement,
      'the first heartbeat is due after 10 s, and the sender has its response by then, which cancels it',
    ),
  ),
  same(
    'delivery/raw-body.ts',
    'stop?.()',
    'stop()',
    'without a function to call, the TypeError is caught, and nothing is stopped either way',
  ),
  same(
    'delivery/receive.ts',
    'const isKept = settings.quarantine !== undefined || settings.inbox !== undefined',
    'true',
    'the body and the headers are copied although nothing keeps them',
  ),
  same(
    'delivery/receive.ts',
    'return { clock, bodyDeadlineMs, maxBodyBytes: Number.POSITIVE_INFINITY }',
    '{}',
    'no number is larger than undefined, and a body from an inbox is never a stream',
  ),
  same(
    'delivery/receive.ts',
    'const headers = delivery.headers?.() ?? NO_HEADERS',
    'delivery.headers()',
    'the receiver’s own delivery always has headers',
  ),
  same(
    'receiver/status.ts',
    "const type = isEventType(eventType ?? '') ? (eventType as string) : 'unknown'",
    '"Stryker was here!"',
    'neither text is the name of an event',
  ),
  {
    file: 'events/schemas.ts',
    line: "'govalid-webhooks/schemas needs zod 4 and found an older version. Run: npm install zod@4. See docs/reference/events.md.',",
    replacement: '""',
    isEquivalent: false,
    reason: 'needs an older zod, which `package/install` installs; only tests of the sources run here',
  },
  ...['platform?.waitUntil(work)', 'platform.waitUntil'].map((replacement) =>
    same('receiver/keep-alive.ts', 'const returned: unknown = platform?.waitUntil?.(work)', replacement, CAUGHT),
  ),
  same(
    'receiver/keep-alive.ts',
    'if (isPromiseLike(returned)) Promise.resolve(returned).catch(() => {})',
    'true',
    'catching the rejection of a value that is no promise changes nothing',
  ),
  same('receiver/options.ts', "return typeof sink?.discard === 'function'", 'sink.discard', CAUGHT),
  ...[
    "(schema as Partial<StandardSchema> | null)?.['~standard'].validate",
    "(schema as Partial<StandardSchema> | null)['~standard']",
  ].map((replacement) =>
    same(
      'receiver/options.ts',
      "return typeof (schema as Partial<StandardSchema> | null)?.['~standard']?.validate === 'function'",
      replacement,
      CAUGHT,
    ),
  ),
  same('receiver/options.ts', '} catch {', '{}', 'undefined is as false as false'),
  same(
    'receiver/options.ts',
    'if (clock === systemClock) return clock',
    'false',
    'the machine’s clock is guarded as well, which only takes longer',
  ),
  same(
    'receiver/own-delivery.ts',
    'headers: () => copyHeaders(guarded(() => delivery.headers?.())),',
    'delivery.headers()',
    CAUGHT,
  ),
  same(
    'receiver/own-delivery.ts',
    'waitUntil: (work) => guarded(() => delivery.waitUntil?.(work)),',
    'delivery.waitUntil(work)',
    CAUGHT,
  ),
  same(
    'receiver/in-flight.ts',
    "if (result.status === 'late') {",
    'true',
    'nothing is in flight any more, and a closed receiver starts nothing',
  ),
  same(
    'events/nearest-name.ts',
    'if (Math.abs(candidate.length - name.length) > maxDistance) continue',
    'false',
    'the distance is at least the difference of the lengths, so this only saves computing it',
  ),
  same('events/nearest-name.ts', 'let previous: number[] = []', '["Stryker was here"]', 'the first row has no swap'),
  same('newest-only.ts', 'let seen = -1', '+1', 'at most the first beat counts as missed, one of several'),
  same('newest-only.ts', 'seen = previous?.beats ?? -1', '+1', 'without a previous turn nothing is compared'),
  same('newest-only.ts', 'turn.beats++', 'turn.beats--', 'beats are only compared with earlier ones'),
  ...['{}', 'false'].map((replacement) => ({
    file: 'newest-only.ts',
    line: 'cancel = systemClock.setTimer(BEAT_MS, beat, { isIdle: true })',
    replacement,
    isEquivalent: false,
    reason: 'shows only after a beat of real time, in a process that has nothing else to do; the first beat has a test',
  })),
]
