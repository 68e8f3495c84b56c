// Faults that a test must find, each by the name of that test. `find` has to be in the file exactly once.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the templates are those of the code that is replaced

/**
 * @typedef {object} Fault
 * @property {string} name what is planted
 * @property {string} file where, from `src/`
 * @property {string} find the text that is replaced
 * @property {string} replace what it is replaced with
 * @property {string} tests the test file that must go red, from `test/`
 * @property {string} red the name of the test, or a part of it
 */

/** @type {readonly Fault[]} */
export const FAULTS = [
  {
    name: '=== in place of the constant-time compare (node:crypto)',
    file: 'crypto/hmac.ts',
    find: 'return nodeCrypto.timingSafeEqual(expected, given)',
    replace: "return nodeCrypto.createHmac('sha256', key).update(content).digest('hex') === digits",
    tests: 'unit/crypto/hmac.test.ts',
    red: 'timingSafeEqual decides, for right and wrong alike',
  },
  {
    name: '=== in place of the constant-time compare (WebCrypto)',
    file: 'crypto/hmac.ts',
    find: "return subtle.verify('HMAC', key, decodeHex(digits), content as Uint8Array<ArrayBuffer>)",
    replace: `const signing = await subtle.importKey('raw', copyOf(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
      return Buffer.from(await subtle.sign('HMAC', signing, content)).toString('hex') === digits && decodeHex !== undefined`,
    tests: 'unit/crypto/hmac.test.ts',
    red: 'subtle.verify decides, for right and wrong alike',
  },
  {
    name: 'hashing decoded text',
    file: 'delivery/signature.ts',
    find: 'key.matches(content, digits)',
    replace: 'key.matches(new TextEncoder().encode(new TextDecoder().decode(content)), digits)',
    tests: 'unit/delivery/signature.test.ts',
    red: 'a BOM in front is verified as it came',
  },
  {
    name: 'a case-insensitive signature',
    file: 'delivery/signature.ts',
    find: 'sha256=([0-9a-f]{64})[ \\t]*$/',
    replace: 'sha256=([0-9a-f]{64})[ \\t]*$/i',
    tests: 'unit/delivery/signature.test.ts',
    red: '13: upper-case digits',
  },
  {
    name: 'only the first secret is tried',
    file: 'delivery/signature.ts',
    find: 'secrets.keys.map((key)',
    replace: 'secrets.keys.slice(0, 1).map((key)',
    tests: 'flow/secrets.test.ts',
    red: 'every configured secret is tried, not only the first',
  },
  {
    name: 'trying stops at the secret that matched',
    file: 'delivery/signature.ts',
    find: 'secrets.keys.map((key) => key.matches(content, digits))',
    replace: '[secrets.keys.some((key) => key.matches(content, digits) === true)]',
    tests: 'unit/delivery/signature.test.ts',
    red: 'every secret is tried, whichever matched',
  },
  {
    name: 'the store is called before verification',
    file: 'receiver.ts',
    find: '  // 2. signature:',
    replace: `  await means.store.claim({ key: 'ab'.repeat(32), token: 't', leaseMs: 1, tryGapMs: 1, retainUntil: 1 })
  // 2. signature:`,
    tests: 'flow/store-faults.test.ts',
    red: '175: unauthenticated requests make no call',
  },
  {
    name: '200 for an in-progress duplicate: by its answer',
    file: 'delivery/response.ts',
    find: "busy: answer(503, 'busy', RETRY_AFTER)",
    replace: "busy: answer(200, 'busy')",
    tests: 'flow/duplicates.test.ts',
    red: '144: a duplicate while the first is running is busy: 503, and never 200',
  },
  {
    name: '200 for an in-progress duplicate: by its outcome',
    file: 'work.ts',
    find: "if (claimed.status === 'busy') return answerBusy(means, work, claimed.attempt)",
    replace: "if (claimed.status === 'busy') return { ...about(work), status: 'duplicate' }",
    tests: 'flow/duplicates.test.ts',
    red: '144: a duplicate while the first is running is busy: 503, and never 200',
  },
  {
    name: 'completion without the token: in the store',
    file: 'stores/memory.ts',
    find: 'record.token === token && record.leaseUntil > 0 ? record : undefined',
    replace: 'record.leaseUntil > 0 ? record : undefined',
    tests: 'unit/stores/memory.test.ts',
    red: 'a late owner completes, renews and releases nothing',
  },
  {
    name: 'completion without the token: in the receiver',
    file: 'settle.ts',
    find: 'const request = { key, token, retainUntil: retainUntil(means, work), quarantined',
    replace: "const request = { key, token: 'none', retainUntil: retainUntil(means, work), quarantined",
    tests: 'flow/duplicates.test.ts',
    red: '141: the same bytes twice',
  },
  {
    name: 'webhook_id is what a delivery is known by',
    file: 'receiver.ts',
    find: 'const key = await deliveryKey(means, rawBody, payload, contentKey)',
    replace: "const key = await means.digest(new TextEncoder().encode(String(payload['webhook_id'])))",
    tests: 'flow/duplicates.test.ts',
    red: 'two events of one subscription have the same webhook_id',
  },
  {
    name: 'seen is marked before handling',
    file: 'work.ts',
    find: '  const run = startRun(means, work, claim)\n  const cancelHeartbeat',
    replace:
      '  await store.complete({ key, token: claim.token, retainUntil: retainUntil(means, work) })\n  const run = startRun(means, work, claim)\n  const cancelHeartbeat',
    tests: 'flow/tries.test.ts',
    red: 'throws: 500, released, and the retry works it',
  },
  {
    name: 'a handler’s error is answered 200',
    file: 'delivery/response.ts',
    find: "failed: answer(500, 'failed')",
    replace: "failed: answer(200, 'failed')",
    tests: 'unit/delivery/response.test.ts',
    red: 'is answered 500',
  },
  {
    name: '200 at the deadline while work goes on',
    file: 'work.ts',
    find: "return { ...details, status: 'unfinished' }",
    replace: "return { ...details, status: 'processed' }",
    tests: 'flow/deadline.test.ts',
    red: '503 at the deadline; it completes behind',
  },
  {
    name: 'no heartbeat',
    file: 'work.ts',
    find: 'if (!work.delivery.endsWithAnswer) run.keepLease()',
    replace: '',
    tests: 'flow/deadline.test.ts',
    red: 'its lease is renewed at once and every 10 s',
  },
  {
    name: '503 after a failed completion',
    file: 'settle.ts',
    find: "return { outcome: { ...about(work, claim.attempt), status: 'processed' }, behind }",
    replace: "return { outcome: { ...about(work, claim.attempt), status: completion ? 'busy' : 'processed' }, behind }",
    tests: 'flow/store-faults.test.ts',
    red: '161: down for ten minutes',
  },
  {
    name: 'the store is down, so it is worked anyway',
    file: 'work.ts',
    find: "if (claimed.status !== 'claimed') return answerUnavailable(means, work, claimed.status, claimed.error)",
    replace: `if (claimed.status !== 'claimed') {
    for (const handler of work.handlers) await handler.run(work.read.event as never, {} as never)
    return { ...about(work), status: 'processed' }
  }`,
    tests: 'flow/store-faults.test.ts',
    red: 'down all the time: 503 on every try, nothing is run',
  },
  {
    name: 'a fifth failure is a failure',
    file: 'tries.ts',
    find: 'attempt >= TRIES',
    replace: 'attempt > TRIES',
    tests: 'flow/tries.test.ts',
    red: '500 four times, then reported as dropped and answered 200',
  },
  {
    name: 'a tolerance of five minutes',
    file: 'options.ts',
    find: "readDuration(options, 'maxAgeMs', 72 * 60 * 60 * 1000)",
    replace: "readDuration(options, 'maxAgeMs', 5 * 60 * 1000)",
    tests: 'flow/duplicates.test.ts',
    red: '129: the same signed bytes again',
  },
  {
    name: 'a retention that a completion shortens',
    file: 'stores/memory.ts',
    find: 'const until = Math.max(record.retainUntil, retainUntil)',
    replace: 'const until = retainUntil',
    tests: 'unit/stores/memory.test.ts',
    red: 'completing keeps the retention, and never shortens it',
  },
  {
    name: 'an empty secret is accepted',
    file: 'crypto/secrets.ts',
    find: "if (secret.trim() === '') throw new WebhookError('secret_blank', `${name} is blank. ${CURE}`)",
    replace: '',
    tests: 'unit/crypto/secrets.test.ts',
    red: 'an empty text, which node:crypto takes',
  },
  {
    name: 'invalid UTF-8 is quietly replaced',
    file: 'delivery/envelope.ts',
    find: 'fatal: true',
    replace: 'fatal: false',
    tests: 'unit/delivery/envelope.test.ts',
    red: 'never quietly replaced',
  },
  {
    name: 'the limit of a body is looked at once it is all there',
    file: 'delivery/raw-body.ts',
    find: "if (total > limits.maxBodyBytes) return finish({ refused: 'body_too_large' })",
    replace: '',
    tests: 'unit/delivery/raw-body.test.ts',
    red: 'refuses at the chunk that passes it, and stops reading',
  },
  {
    name: 'a body without a deadline',
    file: 'delivery/raw-body.ts',
    find: "finish({ refused: 'body_timeout' })",
    replace: '{}',
    tests: 'unit/delivery/raw-body.test.ts',
    red: 'refuses a body that is not complete in time',
  },
  {
    name: 'the reason of a refusal is in the answer',
    file: 'delivery/response.ts',
    find: 'signature_missing: NOT_AUTHENTIC',
    replace: "signature_missing: answer(401, 'refused', {}, 'signature_missing')",
    tests: 'unit/delivery/response.test.ts',
    red: 'the three refusals of a signature are one answer',
  },
  {
    name: 'a failing handler stops the others',
    file: 'delivery/dispatch.ts',
    find: '      errors.push(error)\n      continue',
    replace: '      errors.push(error)\n      break',
    tests: 'flow/tries.test.ts',
    red: 'all run, in order, and their failures are collected',
  },
  {
    name: 'what was not run when the receiver closed counts as done',
    file: 'delivery/dispatch.ts',
    find: '      errors.push(reason)\n',
    replace: '',
    tests: 'flow/close.test.ts',
    red: 'what was not run is not done',
  },
  {
    name: 'drift is not told',
    file: 'events/shapes.ts',
    find: 'if (!fits(value, expected))',
    replace: 'if (!fits(value, expected) && path.length === 0)',
    tests: 'unit/events/schemas.test.ts',
    red: 'is judged by the guard as its schema judges it',
  },
  {
    name: 'control characters reach the log',
    file: 'report.ts',
    find: 'parts.push(`event ${printable(eventType)}`)',
    replace: 'parts.push(`event ${eventType}`)',
    tests: 'unit/report.test.ts',
    red: 'holds no control character of what a sender chose',
  },
]
