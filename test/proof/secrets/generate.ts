/** Generates secrets, their configurations and deliveries, correct and wrong. The same seed gives the same values. */

import type { Delivery, SecretSource } from '../../../src/index.js'
import { signDelivery } from '../../../src/testing/index.js'
import { scannedEvent } from '../../support/payloads.js'
import type { Random } from '../random.js'

const ALPHABET = [...'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789/+=-_.:%&?"\'\\<>{}#@!Øéß語🔑']

/** A unique secret with characters that JSON, URLs, HTML and UTF-8 escape. */
export function generateSecret(random: Random): string {
  const length = 12 + random.below(40)
  return `g${Array.from({ length }, () => random.pick(ALPHABET)).join('')}7`
}

/** A correct or wrong way to configure a secret. */
export function configureSecret(random: Random, secret: string): SecretSource {
  const wrong = { value: secret } as never
  return random.pick<SecretSource>([
    secret,
    new TextEncoder().encode(secret),
    ['another-secret', secret],
    () => secret,
    async () => ['another-secret', secret],
    `${secret}\n`,
    ` ${secret}`,
    `"${secret}"`,
    () => wrong,
    async () => [secret, undefined],
    () => [secret, ''],
  ])
}

/** Options with a secret where it doesn't belong. */
export function misuse(random: Random, secret: string): Record<string, unknown> {
  const option = random.pick([
    ...['store', 'inbox', 'quarantine', 'idempotencyKey', 'maxBodyBytes', 'bodyDeadlineMs', 'deadlineMs'],
    ...[
      'handlerTimeoutMs',
      'maxAgeMs',
      'validation',
      'schemas',
      'signedContent',
      'onOutcome',
      'onError',
      'clock',
      'secrets',
    ],
  ])
  const value = random.pick<unknown>([secret, [secret], { secret }, new TextEncoder().encode(secret)])
  return random.chance(0.2)
    ? { secret: random.pick<unknown>([[secret, undefined], [secret, 7], { secret }]) }
    : { secret, [option]: value }
}

/** A correct delivery, or one that is wrong in one of many ways. */
export async function generateDelivery(random: Random, secret: string): Promise<Delivery> {
  const id = `qr-${random.below(1_000_000)}`
  const scanned = scannedEvent({ webhook_id: id, timestamp: new Date().toISOString() })
  const payload = random.pick<object | string>([
    scanned,
    scanned,
    { ...scanned, event: `odd.${id}` },
    { ...scanned, data: random.pick<unknown>([null, [], 'text', { qr_id: 7 }]) },
    { ...scanned, timestamp: random.pick(['yesterday', '2020-01-01T00:00:00Z', '2999-01-01T00:00:00Z']) },
    '[]',
    '{"event":',
    id,
  ])
  const key = random.chance(0.75) ? secret : 'forged'
  const { delivery, rawBody } = await signDelivery(payload, { secret: key })
  return random.pick<() => Delivery>([
    () => delivery,
    () => delivery,
    () => delivery,
    () => ({
      ...delivery,
      header: () => random.pick<string | undefined>([undefined, '', 'sha256=', `sha256=${'0'.repeat(64)}`, 'md5=x']),
    }),
    () => ({ ...delivery, body: rawBody.map((byte, at) => (at === 3 ? byte ^ 1 : byte)) }),
    () => ({ ...delivery, method: 'PUT' }),
    () => ({ ...delivery, body: { alreadyParsed: 'fix it' } }),
    () => ({ ...delivery, body: brokenOff(rawBody) }),
    () => ({ ...delivery, body: new Uint8Array(2 ** 20 + 1) }),
    () => ({
      ...delivery,
      header: (name) => (name === 'content-encoding' ? 'gzip' : delivery.header(name)),
    }),
  ])()
}

async function* brokenOff(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes.subarray(0, 5)
  throw new Error('the connection was reset')
}
