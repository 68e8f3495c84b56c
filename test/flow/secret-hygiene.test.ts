/** Acceptance case 189: nothing that leaves the receiver contains the secret, in any encoding. */
import { inspect } from 'node:util'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { toResponse } from '../../src/delivery/response.js'
import { assertSignature, createReceiver, memoryStore, PermanentError, verifyAndParse } from '../../src/index.js'
import { fixedClock, signDelivery } from '../../src/testing/index.js'
import { caught, rejection } from '../support/caught.js'
import { faultyStore } from '../support/faulty-store.js'
import { EVENT_TIME, scannedEvent } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { deliveryOf, MINUTE, signatureOf } from '../support/receiving.js'

const SECRET = 'Rahasia/GoValid+7=é'
const WRITTEN = [
  SECRET,
  JSON.stringify(SECRET).slice(1, -1),
  Buffer.from(SECRET).toString('hex'),
  Buffer.from(SECRET).toString('base64'),
  Buffer.from(SECRET).toString('base64url'),
  encodeURIComponent(SECRET),
  [...Buffer.from(SECRET)].join(','),
  [...Buffer.from(SECRET)].join(', '),
]

const seen: unknown[] = []
beforeEach(() => {
  seen.length = 0
  vi.spyOn(console, 'error').mockImplementation((...values) => void seen.push(...values))
})
afterEach(() => {
  vi.restoreAllMocks()
})

/** A value in every form that a log, a debugger or a serializer could print. */
function textsOf(value: unknown): string {
  const json = caught(() => {
    throw JSON.stringify(value)
  })
  const errors = value instanceof Error ? [value.message, value.stack, value.cause] : []
  return [
    inspect(value, { depth: 20, showHidden: true, maxStringLength: null, maxArrayLength: null }),
    json,
    String(value),
    ...errors,
  ].join('\n')
}

function expectNoSecret(): void {
  const all = seen.map(textsOf).join('\n')
  for (const written of WRITTEN) expect(all.includes(written), `the secret as ${written}`).toBe(false)
}

test('the search finds the secret in every kind of value', () => {
  for (const value of [
    { secret: SECRET },
    new Error(SECRET),
    Buffer.from(SECRET).toString('hex'),
    new TextEncoder().encode(SECRET),
    [[SECRET]],
  ]) {
    seen.push(value)
    expect(expectNoSecret).toThrow()
    seen.length = 0
  }
})

test('the receiver, its outcomes, reports, responses, log and quarantine do not contain the secret', async () => {
  const clock = fixedClock(EVENT_TIME)
  const store = faultyStore(memoryStore({ clock }))
  const quarantine = memoryQuarantine()
  for (const secret of [SECRET, ['other', SECRET], () => SECRET, new TextEncoder().encode(SECRET), `${SECRET}\n`]) {
    const options = { secret, clock, store, quarantine, onOutcome: (outcome: unknown) => void seen.push(outcome) }
    const receiver = createReceiver(options)
    const reporting = createReceiver({ ...options, onError: (report) => void seen.push(report) })
    let calls = 0
    for (const each of [receiver, reporting]) {
      each.on('qr.scanned', (event, context) => {
        seen.push(event, { ...context, rawBody: undefined })
        if (++calls % 3 === 1) throw new Error('no database')
        if (calls % 3 === 2) throw new PermanentError('never')
      })
      seen.push(each)
      for (const call of [undefined, 'claim', 'complete', 'release'] as const) {
        if (call) store.fail(call, 'rejects', 1)
        const sent = scannedEvent({ webhook_id: `${calls}-${call}` })
        const { delivery } = await signDelivery(sent, { secret: SECRET })
        const forged = deliveryOf(sent, {
          header: (name) => (name === 'x-govalid-signature' ? signatureOf(sent, 'forged') : undefined),
        })
        for (const one of [delivery, forged, { ...delivery, body: { alreadyParsed: 'fix it' } }]) {
          seen.push(toResponse(await each.receive(one)))
        }
        await clock.advance(MINUTE)
      }
    }
  }
  for (const entry of quarantine.entries.values()) seen.push({ ...entry, rawBody: undefined })
  expect(seen.length).toBeGreaterThan(100)
  expectNoSecret()
})

test('errors of verification and of misuse do not contain the secret', async () => {
  for (const verify of [assertSignature, verifyAndParse]) {
    seen.push(await rejection(verify('{}', 'sha256=', SECRET)))
    seen.push(await rejection(verify('{}', `sha256=${'0'.repeat(64)}`, [SECRET, `"${SECRET}"`])))
    seen.push(await rejection(verify({} as never, '', SECRET)))
  }
  seen.push(caught(() => createReceiver({ secret: [SECRET, undefined] })))
  seen.push(caught(() => createReceiver({ secret: SECRET, maxAgeMs: -1 })))
  seen.push(caught(() => createReceiver({ secret: { value: SECRET } as never })))
  seen.push(caught(() => createReceiver({ secret: SECRET, store: {} as never })))
  expect(seen).toHaveLength(10)
  expectNoSecret()
})
