// The faults that `npm run proof -- faults` plants, each with the test that must find it. A fault is located by the name of its function, so it
// follows the function to any file.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the templates belong to the code that is replaced

/**
 * @typedef {object} Fault
 * @property {string} name what is planted
 * @property {string} at the name of a function, a method or a constant of a module; `outer.inner` if the name alone is ambiguous
 * @property {string} [file] the name of its file, if several files have a function of this name: `process`, or `crypto/secrets`
 * @property {string | RegExp} [find] the part to replace; must match exactly once within the function
 * @property {string} [replace] replaces the part
 * @property {string} [body] replaces the whole body instead
 * @property {string} tests the test file that must fail, from `test/`
 * @property {string} red the title of the test that must fail, or a part of it
 * @property {string} [template] the title as the test file writes it, if the title is assembled from parts
 * @property {string} [project] the vitest project of the test; `unit` by default
 */

/** @type {readonly Fault[]} */
export const FAULTS = [
  // Stage 1, raw body
  {
    name: 'the size limit is checked only once the body is complete',
    at: 'collect.chunk',
    find: /if \(gathered\.byteLength\(\)[^\n]+/,
    replace: '',
    tests: 'unit/delivery/raw-body.test.ts',
    red: 'refuses a body at the chunk that exceeds it, and stops reading',
  },
  {
    name: 'a body has no deadline',
    at: 'collect',
    file: 'raw-body',
    find: "refuse({ refused: 'body_timeout' })",
    replace: '{}',
    tests: 'unit/delivery/raw-body.test.ts',
    red: 'refuses a body that isn’t complete in time',
  },
  {
    name: 'every chunk of one byte is kept as an object',
    at: 'createGathering.add',
    find: 'chunks.length < KEPT_CHUNKS',
    replace: 'chunks.length < KEPT_CHUNKS * 1e9',
    tests: 'unit/delivery/raw-body.test.ts',
    red: 'keeps the bytes of small chunks instead of the chunk objects',
  },

  // Stage 2, signature
  {
    name: 'the signature is compared with === instead of in constant time (node:crypto)',
    at: 'createNodeHmacKey.matches',
    find: 'nodeCrypto.timingSafeEqual(expected, given)',
    replace: 'mac === digits',
    tests: 'unit/crypto/hmac.test.ts',
    red: 'timingSafeEqual decides, for right and wrong alike',
  },
  {
    name: 'the signature is compared with === instead of in constant time (WebCrypto)',
    at: 'createWebHmacKey.matches',
    find: /subtle\.verify\([^\n]+/,
    replace: `subtle
          .importKey('raw', copyOf(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
          .then((signing) => subtle.sign('HMAC', signing, content))
          .then((mac) => Buffer.from(mac).toString('hex') === digits && imported !== undefined)`,
    tests: 'unit/crypto/hmac.test.ts',
    red: 'subtle.verify decides, for right and wrong alike',
  },
  {
    name: 'the signature is verified over decoded text',
    at: 'verifyDigits',
    find: 'key.matches(content, digits)',
    replace: 'key.matches(new TextEncoder().encode(new TextDecoder().decode(content)), digits)',
    tests: 'unit/delivery/signature.test.ts',
    red: 'a body with a BOM is verified unchanged',
    template: '%s is verified unchanged',
  },
  {
    name: 'a signature may be written in uppercase',
    at: 'WELL_FORMED',
    find: /\/$/,
    replace: '/i',
    tests: 'unit/delivery/signature.test.ts',
    red: 'uppercase digits',
  },
  {
    name: 'a signature may be written in uppercase, compared with the documented function',
    at: 'WELL_FORMED',
    find: /\/$/,
    replace: '/i',
    tests: 'vectors/documented-verifier.test.ts',
    red: 'agrees with the SDK about almost correct signatures, on node:crypto and on WebCrypto',
  },
  {
    name: 'only the first secret is checked',
    at: 'verifyDigits',
    find: 'keys.map(',
    replace: 'keys.slice(0, 1).map(',
    tests: 'flow/secrets.test.ts',
    red: 'every configured secret is checked, not only the first',
  },
  {
    name: 'checking stops at the secret that matches',
    at: 'verifyDigits',
    find: 'keys.map((key) => key.matches(content, digits))',
    replace: `[] as (boolean | Promise<boolean>)[]
  for (const key of keys) {
    verdicts.push(key.matches(content, digits))
    if (verdicts.at(-1) === true) break
  }`,
    tests: 'unit/delivery/signature.test.ts',
    red: 'every secret is checked exactly once if the results arrive synchronously',
    template: 'every secret is checked exactly once if the results arrive $when',
  },
  {
    name: 'the store is called before the signature is verified',
    at: 'receive',
    file: 'receive',
    find: 'const loading = services.loadSecrets(deadline)',
    replace: `await services.store.claim({ key: 'ab'.repeat(32), token: 't', leaseMs: 1, attemptGapMs: 1, retainUntil: 1 })
  const loading = services.loadSecrets(deadline)`,
    tests: 'flow/store-faults.test.ts',
    red: '100,000 unauthenticated requests make no store call (acceptance case 175)',
  },
  {
    name: 'an empty secret is accepted',
    at: 'readSecret',
    file: 'crypto/secrets',
    find: /if \(secret\.trim\(\)[^\n]+/,
    replace: '',
    tests: 'unit/crypto/secrets.test.ts',
    red: 'an empty string, which node:crypto accepts',
  },
  {
    name: 'a hint repeats the secret',
    at: 'findHint',
    find: "'A configured secret is wrapped in quotes.'",
    replace: '`A configured secret is wrapped in quotes: ${texts.join()}`',
    tests: 'flow/secret-fuzz.test.ts',
    red: 'of a receiver, used and misused',
  },
  {
    name: 'a process whose functions throw stops the receiver (edge runtime of Next.js)',
    at: 'findNodeCrypto',
    find: '} catch {',
    replace: '} catch (error) {\n    throw error',
    tests: 'unit/crypto/platform.test.ts',
    red: 'a process whose functions throw (the edge runtime of Next.js)',
  },

  // Stages 3 and 4, envelope and event
  {
    name: 'invalid UTF-8 is silently replaced',
    at: 'utf8',
    file: 'envelope',
    find: 'fatal: true',
    replace: 'fatal: false',
    tests: 'unit/delivery/envelope.test.ts',
    red: 'never silently replaced',
  },
  {
    name: 'invalid UTF-8 is silently replaced, among generated inputs',
    at: 'utf8',
    file: 'envelope',
    find: 'fatal: true',
    replace: 'fatal: false',
    tests: 'flow/generated.test.ts',
    red: 'changed deliveries never crash the core, forged ones have no effect, and verified ones are never refused',
  },
  {
    name: 'an event is stale after five minutes',
    at: 'DEFAULTS',
    file: 'options',
    find: 'maxAgeMs: 72 * 60 * 60 * 1000',
    replace: 'maxAgeMs: 5 * 60 * 1000',
    tests: 'flow/duplicates.test.ts',
    red: 'the same signed bytes are processed once, even if they are sent again a year later (acceptance case 129)',
  },
  {
    name: 'differences inside `data` are no issues',
    at: 'check',
    file: 'shapes',
    find: 'if (!fits(value, field))',
    replace: 'if (!fits(value, field) && path.length === 0)',
    tests: 'unit/events/schemas.test.ts',
    red: 'has the same issues in findIssues and in its schema',
  },
  {
    name: 'webhook_id is the idempotency key',
    at: 'idempotencyKey',
    find: 'return digest(content)',
    replace: "return digest(encodeUtf8('unprocessable' in envelope ? '' : String(envelope.payload['webhook_id'])))",
    tests: 'flow/duplicates.test.ts',
    red: 'processes two events of one subscription, although they share the webhook_id (acceptance case 150)',
  },

  // Stage 5, claim and lease
  {
    name: 'a delivery in progress gets 200, by its response',
    at: 'RESPONSES',
    find: "busy: response(503, 'busy', RETRY_AFTER)",
    replace: "busy: response(200, 'busy')",
    tests: 'flow/duplicates.test.ts',
    red: 'a copy gets 503, never 200, while the first is running (acceptance case 144)',
  },
  {
    name: 'a delivery in progress gets 200, by its outcome',
    at: 'finishUnclaimed',
    find: "if (status === 'done')",
    replace: "if (status === 'done' || status === 'busy')",
    tests: 'flow/duplicates.test.ts',
    red: 'a copy gets 503, never 200, while the first is running (acceptance case 144)',
  },
  {
    name: 'a delivery in progress is processed a second time, among schedules',
    at: 'finishUnclaimed',
    find: "if (status === 'busy') {",
    replace: `if (status === 'busy') {
    const stolen = { key: event.key, token: '', attempt: claimed.attempt, releasedAttempts: 1, completedHandlers: [] }
    return processClaimed(services, event, { ...stolen, evictedEarly: false })`,
    tests: 'flow/schedules.test.ts',
    red: 'no schedule runs a delivery twice at once or after completion, lets a late owner change it, or returns a wrong outcome',
  },
  {
    name: 'handlers run although the store is down',
    at: 'finishUnclaimed',
    find: 'const { error } = claimed',
    replace: `for (const handler of event.handlers) void handler.run(event.event as never, {} as never)
  const { error } = claimed`,
    tests: 'flow/store-faults.test.ts',
    red: 'that always fails gets 503 on every attempt, and no handler runs',
  },
  {
    name: 'the platform is not kept alive for a late claim',
    at: 'claimDelivery',
    find: 'keepAlive(',
    replace: 'void (',
    tests: 'flow/late-claim.test.ts',
    red: 'a claim that arrives after its limit is released and not counted, and the platform is kept alive for that',
  },
  {
    name: 'a process that was frozen trusts its lost claim',
    at: 'isClaimHeld',
    find: 'LEASE_MS - SAFETY_MS',
    replace: 'Number.POSITIVE_INFINITY',
    tests: 'flow/lost-claim.test.ts',
    red: 'with a permanent error writes nothing to the quarantine',
    template: 'with %s writes nothing to the quarantine',
  },
  {
    name: 'durations are measured by the machine’s clock',
    at: 'monotonicMs',
    find: 'clock.monotonicNow ? clock.monotonicNow() : clock.now()',
    replace: 'clock.now()',
    tests: 'flow/wall-clock.test.ts',
    red: 'doesn’t make a process doubt its claim',
  },
  {
    name: 'handlers that never end stay subscribed',
    at: 'waitForHandlers',
    find: 'unsubscribe()',
    replace: 'void unsubscribe',
    tests: 'flow/leaks.test.ts',
    red: 'are released once they time out before the response',
  },
  {
    name: 'a claim may use the time of the quarantine',
    at: 'callTimeLeft',
    find: 'reserveMs(services, isLast)',
    replace: 'reserveMs(services, false)',
    tests: 'flow/time-limits.test.ts',
    red: '3,500 ms if the event is older, because the quarantine needs a second',
  },
  {
    name: 'the lease is not kept after the response',
    at: 'leaveRunning',
    find: /if \(!run\.event\.delivery\.freezesAfterResponse\)[^\n]+/,
    replace: '',
    tests: 'flow/deadline.test.ts',
    red: 'has its lease renewed at the deadline and every 10 s until it ends',
  },

  // Stage 6, dispatch
  {
    name: 'a delivery is completed before its handlers run',
    at: 'runHandlers',
    file: 'process',
    find: 'const run = startRun(services, event, claim)',
    replace: `void services.store.complete({ key: event.key, token: claim.token, retainUntil: event.retainUntil })
  const run = startRun(services, event, claim)`,
    tests: 'flow/attempt-budget.test.ts',
    red: 'gets 500 when it throws, and the retry is processed, not called a duplicate or a replay',
    template: 'gets 500 when it %s, and the retry is processed, not called a duplicate or a replay',
  },
  {
    name: 'a failing handler stops the others',
    at: 'dispatchAll',
    find: 'errors.push(error)',
    replace: 'errors.push(error)\n      break',
    tests: 'flow/attempt-budget.test.ts',
    red: 'several handlers all run in order, and their failures are collected',
  },
  {
    name: 'a handler that rejects stops the others, but not a handler that throws',
    at: 'dispatchAll',
    find: 'await call(run, handler)',
    replace: `const returned = call(run, handler)
      try {
        await returned
      } catch (error) {
        errors.push(error)
        break
      }`,
    tests: 'unit/delivery/dispatch.test.ts',
    red: 'that rejects doesn’t stop the others',
    template: 'that %s doesn’t stop the others',
  },
  {
    name: 'handlers that were not run because the receiver closed count as finished',
    at: 'dispatchAll',
    find: 'errors.push(run.signal.reason)',
    replace: '',
    tests: 'flow/close.test.ts',
    red: 'leaves a handler that was not started to the next attempt',
  },
  {
    name: 'a spread context loses its signal',
    at: 'contextOf',
    find: /\bsignal,\n/,
    replace: '__proto__: { signal },\n',
    tests: 'unit/delivery/handler-run.test.ts',
    red: 'keeps its signal when it is spread',
  },
  {
    name: 'a handler that ends in time stays subscribed to the receiver’s closing',
    at: 'waitForHandlers',
    find: /unsubscribe\(\)\n/,
    replace: '\n',
    tests: 'unit/delivery/handler-run.test.ts',
    red: 'unsubscribes from the receiver’s closing once the handlers have ended',
  },
  {
    name: 'a checkpoint that no other attempt recognizes, under kill -9',
    at: 'withTransaction.transaction',
    find: 'open({ key, token, checkpoint })',
    replace: 'open({ key, token, checkpoint: `${checkpoint} ${token}` })',
    tests: 'proof/shares/kill.test.ts',
    red: 'killed processes, and doubles some without a transaction',
    project: 'proofs',
  },

  // Stage 7, the table of endings
  {
    name: 'a late success leaves its quarantine entry',
    at: 'decide',
    find: 'isLate || ',
    replace: '',
    tests: 'flow/attempt-budget.test.ts',
    red: 'leaves the quarantine when its handler succeeds after the response, for an event without a timestamp',
  },
  {
    name: 'a success on a retry leaves the entry that was made early',
    at: 'decide',
    find: '|| isKeptEarly ',
    replace: '',
    tests: 'flow/attempt-budget.test.ts',
    red: 'is quarantined early from the second attempt on, and a success discards the entry',
  },
  {
    name: 'a PermanentError releases the claim, so the handlers run again',
    at: 'decide',
    find: "store: 'complete', quarantine: 'permanent_error'",
    replace: "store: undefined, quarantine: 'permanent_error'",
    tests: 'unit/delivery/decision.test.ts',
    red: 'permanent_error, not last, from the',
    template: '$title',
  },
  {
    name: 'a delivery whose every attempt crashed is not recorded',
    at: 'decide',
    find: "store: 'complete', quarantine: 'handler_crashed'",
    replace: "store: undefined, quarantine: 'handler_crashed'",
    tests: 'unit/delivery/decision.test.ts',
    red: 'crashed, last, from the',
    template: '$title',
  },
  {
    name: 'a failed last attempt is not quarantined',
    at: 'decide',
    find: 'if (isLast) return',
    replace: 'if (isLast && !isFromSender) return',
    tests: 'flow/attempt-budget.test.ts',
    red: 'gets 500 four times, then 200 from the quarantine',
  },
  {
    name: 'a delivery that fails again is not quarantined early',
    at: 'decide',
    find: /(?<=store: 'release', quarantine: )isKeptEarly \? 'retry_pending' : undefined/,
    replace: 'undefined',
    tests: 'flow/attempt-budget.test.ts',
    red: 'is quarantined early on its second attempt at any age',
  },
  {
    name: 'a last attempt that can’t be processed now gets 503',
    at: 'decide',
    find: 'if (isLast && isFromSender) return',
    replace: 'if (isLast && isFromSender && isLate) return',
    tests: 'flow/attempt-budget.test.ts',
    red: 'is quarantined with 200 while another attempt is being processed, and the success of that attempt discards the entry',
  },
  {
    name: 'an inbox’s last attempt is quarantined while its handlers run',
    at: 'decide',
    find: 'if (isLast && isFromSender) return',
    replace: 'if (isLast) return',
    tests: 'unit/delivery/decision.test.ts',
    red: 'unfinished, last, from an inbox',
    template: '$title',
  },
  {
    name: 'a delivery is not quarantined early while the store is down',
    at: 'decide',
    find: /(?<=status: how, store: undefined, quarantine: )isKeptEarly/,
    replace: "isKeptEarly && how !== 'unavailable'",
    tests: 'flow/store-faults.test.ts',
    red: 'that always fails is quarantined from the second attempt on, and the last attempt gets 200',
  },

  // Stage 7, carrying a decision out
  {
    name: 'unfinished handlers get 200 at the deadline',
    at: 'leaveRunning',
    find: 'return outcome',
    replace: "return Promise.resolve(outcome).then((known) => ({ ...known, status: 'processed' }) as Outcome)",
    tests: 'flow/deadline.test.ts',
    red: 'ms, and later attempts are duplicates (acceptance case 177)',
    template: 'gets 503 at the deadline, completes after %i ms, and later attempts are duplicates',
  },
  {
    name: 'a late failure does not wait for the entry of the deadline, which then overwrites its error',
    at: 'finishLate',
    find: 'await run.entryWrite',
    replace: '',
    tests: 'flow/finish.test.ts',
    red: 'an entry has the error of the handler, even if the earlier entry of the deadline takes longer to write',
  },
  {
    name: 'the handlers’ time limit starts only once the quarantine has confirmed',
    at: 'leaveRunning',
    find: 'waitToTheEnd(run)',
    replace: 'Promise.resolve().then(() => run.entryWrite).then(() => waitToTheEnd(run))',
    tests: 'flow/last-attempt.test.ts',
    red: 'is recorded as processed and leaves the quarantine: while the quarantine writes, past',
    template: 'is recorded as processed and leaves the quarantine: $when',
  },
  {
    name: 'a lost completion discards the quarantine entry of another process',
    at: 'discardAfter',
    find: 'if (written.isLost) return written',
    replace: '',
    tests: 'flow/lost-claim.test.ts',
    red: 'after the response with a success leaves the entry of another process in the quarantine',
    template: 'with a success leaves the entry of another process in the quarantine',
  },
  {
    name: 'a completion with a foreign token succeeds, in the store',
    at: 'memoryStore.findHeld',
    find: 'record.token === token && ',
    replace: '',
    tests: 'unit/stores/memory/memory-store.test.ts',
    red: 'a late owner cannot complete, renew or release the claim of another owner',
  },
  {
    name: 'a completion has the wrong token, in the receiver',
    at: 'completeClaim',
    find: /^ {4}token,$/m,
    replace: "    token: 'none',",
    tests: 'flow/duplicates.test.ts',
    red: 'the same bytes twice are processed once and get 200 twice',
  },
  {
    name: 'a failed completion changes the response to 503',
    at: 'carryOut',
    find: /\(\) => outcome\)$/m,
    replace: `() =>
    andThen(writing, ({ rest }) => (rest ? ({ ...outcome, status: 'busy' } as Outcome) : outcome)),
  )`,
    tests: 'flow/store-faults.test.ts',
    red: 'that fails for ten minutes gets 200 at once and is retried under its lease',
  },
  {
    name: 'a fifth failure is not the last attempt',
    at: 'isLastAttempt',
    find: 'attempt >= MAX_ATTEMPTS',
    replace: 'attempt > MAX_ATTEMPTS',
    tests: 'flow/attempt-budget.test.ts',
    red: 'gets 500 four times, then 200 and an event_dropped report without a quarantine',
  },
  {
    name: 'a completion shortens the retention',
    at: 'memoryStore.complete',
    find: 'Math.max(record.retainUntil, retainUntil)',
    replace: 'retainUntil',
    tests: 'unit/stores/memory/memory-store.test.ts',
    red: 'a completion never shortens the retention',
  },
  {
    name: 'a job without a quarantine is dropped',
    at: 'withoutSink',
    find: "received.origin.from === 'inbox'",
    replace: "received.origin.from === 'inbox' && code === undefined",
    tests: 'flow/inbox.test.ts',
    red: 'without a quarantine, a failing job stays with the engine on every attempt and is not reported as dropped',
  },
  {
    name: 'the messages of a schema are reported',
    at: 'aboutCase',
    find: "code !== 'schema_refused'",
    replace: 'code !== undefined',
    tests: 'flow/events.test.ts',
    red: 'that refuses the data quarantines the event with its messages',
  },
  {
    name: 'control characters reach the log',
    at: 'describe',
    file: 'reporter',
    find: 'printable(String(eventType))',
    replace: 'String(eventType)',
    tests: 'unit/receiver/reporter.test.ts',
    red: 'escapes control characters that the sender chose',
  },

  // Stage 8, response
  {
    name: 'a failed handler gets 200',
    at: 'RESPONSES',
    find: "failed: response(500, 'failed')",
    replace: "failed: response(200, 'failed')",
    tests: 'unit/delivery/response.test.ts',
    red: 'gets a 500 with at most 200 bytes of JSON',
    template: 'gets a ${http} with at most 200 bytes of JSON that state the outcome',
  },
  {
    name: 'an unknown event gets 404, in the simulation',
    at: 'RESPONSES',
    find: "ignored: response(200, 'ignored')",
    replace: "ignored: response(404, 'ignored')",
    tests: 'flow/simulation.test.ts',
    red: 'loses no event, doubles no effect and wastes no attempt under every fault',
  },
  {
    name: 'the response says why a signature was refused',
    at: 'REFUSALS',
    find: 'signature_missing: NOT_AUTHENTIC',
    replace: "signature_missing: response(401, 'refused', {}, 'signature_missing')",
    tests: 'unit/delivery/response.test.ts',
    red: 'the three refusals of a signature get the same response',
  },

  // Stores and inboxes
  {
    name: 'finished deliveries stay among the unfinished ones, under load',
    at: 'memoryStore.complete',
    find: /unfinished\.delete\(key\)\n\s+finished\.add\(/,
    replace: 'finished.add(',
    tests: 'proof/shares/load.test.ts',
    red: 'every delivery gets 200 and one handler call, with a memory store past its cap and without a store',
    project: 'proofs',
  },
  {
    name: 'Redis claims a finished delivery, over four processes',
    at: 'RUN_OPERATIONS',
    find: "record.state == 'done' or ",
    replace: '',
    tests: 'proof/shares/concurrent.test.ts',
    red: 'call one handler once, with',
    project: 'proofs',
  },
  {
    name: 'a job is finished by a worker without its secret',
    at: 'isFinished',
    file: 'inbox',
    find: "'quarantined']",
    replace: "'quarantined', 'refused']",
    tests: 'flow/inbox.test.ts',
    red: 'a worker without the secret leaves its jobs in the inbox',
  },

  // Adapters
  {
    name: 'the bytes of a body are decoded, among generated inputs over sockets',
    at: 'streamOf.read.onData',
    find: 'consumer.chunk(chunk)',
    replace: 'consumer.chunk(Buffer.from(String(chunk)))',
    tests: 'acceptance/generated.test.ts',
    red: 'node:http neither crashes on generated inputs',
    template: '$name neither crashes on generated inputs',
    project: 'acceptance',
  },
  {
    name: 'a body is complete before its last byte',
    at: 'streamOf.read.onData',
    find: 'received === length',
    replace: 'received >= 10 || received === length',
    tests: 'acceptance/declared-length.test.ts',
    red: 'a body that arrives later or has no declared length sets one timer and cancels it',
    project: 'acceptance',
  },
  {
    name: 'Fastify parses one content type only',
    at: 'toPlugin.govalidWebhooks',
    find: "[UNREAD, '*']",
    replace: '[UNREAD]',
    tests: 'acceptance/fastify-plugin.test.ts',
    red: 'a delivery is processed even if a hook of the app reads the media type',
    project: 'acceptance',
  },

  // Management API and command line
  {
    name: 'an error contains a secret that a server sent back percent-encoded',
    at: 'createRedact',
    find: ', encodeURIComponent(text)',
    replace: '',
    tests: 'flow/secret-fuzz.test.ts',
    red: 'of the client of the management API, even if the server echoes its requests',
  },
  {
    name: 'the inspector shows deliveries to requests without a token',
    at: 'isToken',
    find: "typeof value === 'string' && timingSafeEqual(digest(value), digest(token))",
    replace: "value === undefined || (typeof value === 'string' && timingSafeEqual(digest(value), digest(token)))",
    tests: 'unit/cli/inspector-server.test.ts',
    red: 'requires the token for every API request',
  },
  {
    name: 'the inspector responds under any host name (DNS rebinding)',
    at: 'refuseForeign',
    find: "!names.includes(headers.host ?? '')",
    replace: 'headers.host === undefined',
    tests: 'unit/cli/inspector-server.test.ts',
    red: 'responds only under its own host names',
  },
  {
    name: 'the inspector turns a delivery into markup',
    at: 'update',
    file: 'row',
    find: "h('span', { class: 'row-name' }, ...visible(event)),",
    replace: "Object.assign(h('span', { class: 'row-name' }), { title: '' }).innerHTML = event,",
    tests: 'architecture/inspector-page.test.ts',
    red: 'turns no text into markup or code',
  },
  {
    name: 'listen responds before the delivery is in its file',
    at: 'openDeliveryLog.add',
    find: 'tryToWrite(() => write(record))',
    replace: 'setTimeout(() => tryToWrite(() => write(record)), 50)',
    tests: 'unit/cli/delivery-log.test.ts',
    red: 'is in the file before its response is sent',
  },
]
