/** `receiver.status()`: the receiver's counts and the contents of its inbox. */
import { describe, expect, it, test } from 'vitest'
import { type Inbox, PermanentError } from '../../src/index.js'
import { deferred } from '../support/deferred.js'
import { entryOf, jobOf } from '../support/handed-out.js'
import { throwValue } from '../support/hostile-values.js'
import { EVENT_TIME, eventOf, scannedEvent } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { MINUTE, pause, receiving, SECOND, signatureOf } from '../support/receiving.js'

const START = Date.parse(EVENT_TIME)

const inboxThat = (status?: Inbox['status']): Inbox => ({ accept: async () => {}, ...(status && { status }) })

test('a new receiver has no counts and is drained', async () => {
  expect(await receiving().receiver.status()).toEqual({
    outcomes: {},
    lateOutcomes: {},
    refused: {},
    accepted: 0,
    processing: 0,
    waitingOperations: 0,
    waiting: 0,
    failed: 0,
    quarantined: 0,
    quarantineEntries: undefined,
    oldestWaitingMs: undefined,
    drained: true,
    lastDeliveryAt: {},
  })
})

test('status counts every attempt by its outcome, and the running deliveries', async () => {
  const gate = deferred()
  const { clock, receiver, deliver } = receiving()
  receiver.on('qr.scanned', () => Promise.reject(new Error('no database')))
  receiver.on('qr.created', () => {})
  receiver.on('qr.removed', () => gate.promise)
  await deliver()
  await deliver()
  await deliver(eventOf('qr.created'))
  await deliver('} not json')
  await deliver(scannedEvent(), { header: () => undefined })
  const running = deliver(eventOf('qr.removed'))
  await clock.advance(SECOND)
  expect(await receiver.status()).toMatchObject({
    outcomes: { failed: 2, processed: 1, quarantined: 1, refused: 1 },
    accepted: 0,
    processing: 1,
    failed: 2,
    quarantined: 1,
  })
  gate.resolve()
  await running
  expect(await receiver.status()).toMatchObject({ outcomes: { processed: 2 }, processing: 0 })
})

test('status counts refusals by their code, and ends after the response apart', async () => {
  const { clock, receiver, deliver } = receiving({ quarantine: memoryQuarantine() })
  receiver.on('qr.scanned', () => pause(clock, 6 * SECOND).then(() => throwValue(new Error('no database'))))
  receiver.on('qr.created', () => pause(clock, 6 * SECOND).then(() => throwValue(new PermanentError('no such code'))))
  await deliver(scannedEvent(), { header: () => undefined })
  await deliver(scannedEvent(), { method: 'GET' })
  await deliver(scannedEvent(), { method: 'PUT' })
  for (const sent of [scannedEvent(), eventOf('qr.created')]) void deliver(sent)
  await clock.advance(10 * SECOND)
  const status = await receiver.status()
  expect(status.refused).toEqual({ signature_missing: 1, method_not_allowed: 2 })
  expect(status).toMatchObject({
    outcomes: { refused: 3, unfinished: 2 },
    lateOutcomes: { failed: 1, quarantined: 1 },
    failed: 1,
    quarantined: 1,
  })
})

test('neither an end after the response nor a reprocessed entry is the arrival of a delivery, and a job arrived earlier', async () => {
  const { clock, receiver, deliver } = receiving()
  receiver.on('*', () => pause(clock, 6 * SECOND))
  void deliver()
  void deliver('} not json')
  await clock.advance(10 * SECOND)
  void receiver.reprocess(entryOf(eventOf('qr.created')))
  void receiver.process({ ...jobOf(eventOf('qr.removed')), receivedAt: START - MINUTE }, { number: 1, last: false })
  await clock.advance(10 * SECOND)
  expect((await receiver.status()).lastDeliveryAt).toEqual({ 'qr.scanned': START, 'qr.removed': START - MINUTE })
})

test('status has the time of the last authentic delivery per event type, with unknown events together', async () => {
  const { clock, receiver, deliver } = receiving()
  await deliver()
  await deliver({ ...scannedEvent(), event: 'qr.painted' })
  await clock.advance(MINUTE)
  await deliver({ ...scannedEvent(), event: 'qr.folded' })
  await deliver(eventOf('qr.created'), { header: () => 'sha256=00' })
  expect((await receiver.status()).lastDeliveryAt).toEqual({ 'qr.scanned': START, unknown: START + MINUTE })
})

describe('with an inbox', () => {
  it('adds the engine’s failed jobs to the failed deliveries, and has the age of the oldest job', async () => {
    const held = { waiting: 3, processing: 1, failed: 2, oldestWaitingAt: START - MINUTE }
    const { clock, receiver, deliver } = receiving({ inbox: inboxThat(async () => held) })
    expect(await receiver.status()).toMatchObject({ failed: 2, quarantined: 0 })
    await deliver()
    receiver.on('qr.created', () => Promise.reject(new Error('no database')))
    const rawBody = new TextEncoder().encode(JSON.stringify(eventOf('qr.created')))
    const headers = { 'x-govalid-signature': signatureOf(rawBody) }
    await receiver.process({ key: '0'.repeat(64), rawBody, headers, receivedAt: START }, { number: 1, last: false })
    await clock.advance(SECOND)
    expect(await receiver.status()).toMatchObject({
      accepted: 1,
      waiting: 3,
      failed: 3,
      oldestWaitingMs: MINUTE + SECOND,
      drained: false,
    })
  })

  it.each([
    ['not drained while a job waits', 1, 0, false],
    ['not drained while a job is processed', 0, 1, false],
    ['drained without jobs', 0, 0, true],
    ['not drained while a job waits and the engine counts no running jobs', 1, undefined, false],
    ['unknown while the engine counts no running jobs', 0, undefined, undefined],
  ])('is %s', async (_, waiting, processing, drained) => {
    const held = { waiting, processing, failed: 0, oldestWaitingAt: undefined }
    const status = await receiving({ inbox: inboxThat(async () => held) }).receiver.status()
    expect([status.drained, status.oldestWaitingMs]).toEqual([drained, undefined])
  })

  it('leaves the counts undefined if the engine has none', async () => {
    const status = await receiving({ inbox: inboxThat() }).receiver.status()
    expect(status).toMatchObject({ waiting: undefined, drained: undefined, oldestWaitingMs: undefined, failed: 0 })
  })
})
