/**
 * The application changes what it is given: events, contexts, bodies, headers, requests and outcomes. The receiver keeps its own copy of
 * everything that it still needs, so the quarantine, the store, the reports and the response stay right.
 */
import { describe, expect, it, test } from 'vitest'
import { toResponse } from '../../src/delivery/response.js'
import {
  type AcceptedDelivery,
  type DeliveryContext,
  memoryStore,
  type Outcome,
  PermanentError,
  type QuarantineEntry,
  type Store,
} from '../../src/index.js'
import { fixedClock } from '../../src/testing/index.js'
import { createGate } from '../support/gate.js'
import { jobOf, keyOf } from '../support/handed-out.js'
import { revokedProxy, trappingProxy, withTraps } from '../support/hostile-values.js'
import { EVENT_TIME, scannedEvent } from '../support/payloads.js'
import { memoryQuarantine } from '../support/quarantine.js'
import { MINUTE, pause, receiving, SECOND, signatureOf } from '../support/receiving.js'

const BYTES = new TextEncoder().encode(JSON.stringify(scannedEvent()))
const SIGNATURE = signatureOf(BYTES)
const KEY = keyOf(BYTES)

/** The body of one request. The application may change it. */
const sent = () => new Uint8Array(BYTES)

type Changeable<T> = { -readonly [Key in keyof T]: T[Key] } & Record<string, unknown>
type Change = (event: Record<string, unknown>, context: Changeable<DeliveryContext>) => void

function set(name: string, make: () => unknown): Change {
  return (event) => {
    event[name] = make()
  }
}

function clear(object: object): void {
  for (const key of Reflect.ownKeys(object)) Reflect.deleteProperty(object, key)
}

const CHANGES: ReadonlyArray<readonly [string, Change]> = [
  ['sets event.event to an object', set('event', () => ({ type: 'qr.scanned' }))],
  ['sets event.event to null', set('event', () => null)],
  ['sets event.event to a symbol', set('event', () => Symbol('event'))],
  ['sets event.event to another event', set('event', () => 'qr.created')],
  ['sets event.event to a revoked Proxy', set('event', () => revokedProxy())],
  ['deletes event.event', (event) => void delete event['event']],
  ['makes event.event throw', (event) => void withTraps(event, 'event')],
  ['gives the event a prototype whose traps throw', (event) => void Object.setPrototypeOf(event, trappingProxy())],
  ['makes the event’s then throw', (event) => void withTraps(event, 'then')],
  ['freezes the event and its context', (event, context) => void [event, context].map(Object.freeze)],
  ['deletes every field of the event', clear],
  ['sets event.data to null', set('data', () => null)],
  ['overwrites context.rawBody', (_, { rawBody }) => void rawBody.fill(0)],
  ['transfers the buffer of context.rawBody', (_, { rawBody }) => transfer(rawBody)],
  ['replaces context.rawBody', (_, context) => void Object.assign(context, { rawBody: new Uint8Array(3) })],
  ['adds to context.issues', (_, { issues }) => void (issues as unknown[]).push(null)],
  ['replaces the other fields of the context', (_, context) => replaceFields(context)],
  ['deletes every field of the context', (_, context) => clear(context)],
  ['makes the fields of the context throw', (_, context) => void withTraps(context, ...Object.keys(context))],
]

function transfer({ buffer }: Uint8Array): void {
  structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
}

function replaceFields(context: Changeable<DeliveryContext>): void {
  Object.assign(context, { attempt: 99, idempotencyKey: 'another', signal: null, redelivery: null, receivedAt: -1 })
}

function expectOriginal(entry: Pick<AcceptedDelivery, 'key' | 'rawBody' | 'headers'> | undefined): void {
  expect([...(entry?.rawBody ?? [])]).toEqual([...BYTES])
  expect(entry).toMatchObject({ key: KEY, headers: { 'x-govalid-signature': SIGNATURE } })
}

/** A receiver for an event that is 50 s old, so that a failure is quarantined early. */
function open(options: Parameters<typeof receiving>[0] = {}, ageMs = 50 * SECOND) {
  const clock = fixedClock(Date.parse(EVENT_TIME) + ageMs)
  const quarantine = memoryQuarantine()
  const scene = receiving({ store: memoryStore({ clock }), quarantine, ...options, clock })
  return { ...scene, clock, quarantine, entry: () => [...quarantine.entries.values()][0] as QuarantineEntry }
}

/** When the handler changes its arguments: before or after the response. */
describe.each([
  ['at once', 0],
  ['after the response', 5 * SECOND],
])('a handler that %s', (_when, afterMs) => {
  describe.each(CHANGES)('%s', (_name, change) => {
    function openChanging(end: () => void, ageMs?: number) {
      const scene = open({}, ageMs)
      let isChanging = true
      scene.receiver.on('qr.scanned', (event, context) => {
        if (!isChanging) return undefined
        const act = () => {
          change(event as never, context as never)
          end()
        }
        return afterMs === 0 ? act() : pause(scene.clock, afterMs).then(act)
      })
      const run = async () => {
        const { outcome } = await scene.attempt(sent())
        await scene.clock.advance(afterMs + SECOND)
        isChanging = false
        return outcome
      }
      return { ...scene, run }
    }

    it('and fails is reported under its own name, and its entry can be reprocessed', async () => {
      const failure = new Error('no database')
      const { run, receiver, reports, entry, deliver } = openChanging(() => {
        throw failure
      })
      expect((await run()).status).toBe(afterMs === 0 ? 'failed' : 'unfinished')
      const report = reports.find(({ code }) => code === 'handler_failed')
      expect(report).toMatchObject({ eventType: 'qr.scanned', idempotencyKey: KEY, error: failure })
      expect(entry()).toMatchObject({ code: 'retry_pending', eventType: 'qr.scanned', attempt: 1 })
      expectOriginal(entry())
      expect((await receiver.status()).lastDeliveryAt).toEqual({ 'qr.scanned': expect.any(Number) })
      expect((await receiver.reprocess(entry())).status).toBe('processed')
      expect((await deliver(sent())).status).toBe('duplicate')
    })

    it('and fails for good keeps the original in the quarantine', async () => {
      const { run, entry, deliver, quarantine } = openChanging(() => {
        throw new PermanentError('no such customer')
      })
      await run()
      expect([quarantine.codes.at(-1), entry().eventType]).toEqual(['permanent_error', 'qr.scanned'])
      expectOriginal(entry())
      expect((await deliver(sent())).status).toBe('duplicate')
    })

    it('and succeeds is completed', async () => {
      const { run, quarantine, deliver, reports, clock } = openChanging(() => {})
      expect((await run()).status).toBe(afterMs === 0 ? 'processed' : 'unfinished')
      expect([quarantine.entries.size, clock.pendingTimers()]).toEqual([0, 0])
      expect(reports.map(({ code }) => code).filter((code) => code !== 'retry_pending')).toEqual([])
      expect((await deliver(sent())).status).toBe('duplicate')
    })
  })
})

describe('the application overwrites a delivery while its handler runs', () => {
  /** A handler that fails after 10 s on a last attempt, so that the entry is written long after the response. */
  function openLate(ageMs: number) {
    const scene = open({}, ageMs)
    const gate = createGate()
    scene.receiver.on('qr.scanned', async () => {
      await gate.passed
      throw new Error('no database')
    })
    return { ...scene, gate }
  }

  it.each([
    ['on a last attempt', 46 * MINUTE, 'attempts_exhausted', (bytes: Uint8Array) => bytes],
    ['on an earlier attempt', 50 * SECOND, 'retry_pending', (bytes: Uint8Array) => bytes],
    ['in an ArrayBuffer', 50 * SECOND, 'retry_pending', ({ buffer }: Uint8Array) => buffer as ArrayBuffer],
  ])('its body %s', async (_, ageMs, code, bodyOf) => {
    const { attempt, clock, gate, quarantine, entry } = openLate(ageMs)
    const body = new Uint8Array(BYTES)
    await attempt(sent(), { body: bodyOf(body) })
    // A platform may reuse the buffer once the response has left.
    body.fill(0)
    void quarantine.discard?.(KEY)
    gate.open()
    await clock.advance(SECOND)
    expect(quarantine.codes).toEqual([code, code])
    expectOriginal(entry())
  })

  it.each<[string, (headers: Record<string, string>) => void]>([
    ['its headers', (headers) => Object.assign(headers, { 'x-govalid-signature': 'forged' })],
    ['and deletes its headers', clear],
    ['and makes its headers throw', (headers) => void withTraps(headers, ...Object.keys(headers))],
  ])('%s', async (_, change) => {
    const { attempt, clock, gate, quarantine, entry } = openLate(46 * MINUTE)
    const headers: Record<string, string> = { 'x-govalid-signature': SIGNATURE, 'user-agent': 'GoValid' }
    await attempt(sent(), { header: (name) => headers[name], headers: () => headers })
    change(headers)
    void quarantine.discard?.(KEY)
    gate.open()
    await clock.advance(SECOND)
    expectOriginal(entry())
    expect(entry().headers).toEqual({ 'x-govalid-signature': SIGNATURE, 'user-agent': 'GoValid' })
  })

  test('a platform whose request can’t be read after the response', async () => {
    const { attempt, clock, gate, quarantine, entry } = openLate(46 * MINUTE)
    let isOver = false
    const read = <T>(value: T): T => {
      if (isOver) throw new Error('the request is over')
      return value
    }
    const headers: Readonly<Record<string, string>> = { 'x-govalid-signature': SIGNATURE }
    await attempt(sent(), { header: (name) => read(headers[name]), headers: () => read(headers) })
    isOver = true
    void quarantine.discard?.(KEY)
    gate.open()
    await clock.advance(SECOND)
    expect(quarantine.codes).toEqual(['attempts_exhausted', 'attempts_exhausted'])
    expectOriginal(entry())
  })

  test('a job of an inbox', async () => {
    const { receiver, gate, entry } = openLate(0)
    const job = jobOf(sent()) as { rawBody: Uint8Array; headers: Record<string, string> } & AcceptedDelivery
    const pending = receiver.process(job, { number: 5, last: true })
    job.rawBody.fill(0)
    clear(job.headers)
    gate.open()
    expect(await pending).toMatchObject({ status: 'quarantined', code: 'attempts_exhausted' })
    expectOriginal(entry())
  })
})

describe('a quarantine that changes an entry and then rejects it', () => {
  function changingQuarantine() {
    const inner = memoryQuarantine()
    let rejections = 1
    const sink = async (entry: QuarantineEntry) => {
      if (rejections-- > 0) {
        entry.rawBody.fill(0)
        clear(entry.headers)
        clear(entry)
        throw new Error('disk full')
      }
      await inner(entry)
    }
    return Object.assign(sink, { discard: inner.discard, entries: inner.entries })
  }

  test('gets the original again after the response', async () => {
    const quarantine = changingQuarantine()
    const { receiver, attempt, clock } = open({ quarantine }, 46 * MINUTE)
    receiver.on('qr.scanned', async () => {
      await pause(clock, 10 * SECOND)
      throw new Error('no database')
    })
    await attempt(sent())
    await clock.advance(10 * SECOND)
    const [entry] = quarantine.entries.values()
    expectOriginal(entry)
    expect(entry).toMatchObject({ code: 'attempts_exhausted', eventType: 'qr.scanned' })
  })

  test('gets the original with the next attempt', async () => {
    const quarantine = changingQuarantine()
    const { receiver, attempt } = open({ quarantine })
    receiver.on('qr.scanned', () => Promise.reject(new Error('no database')))
    // One request, delivered twice with the same bytes and headers.
    const headers = { 'x-govalid-signature': SIGNATURE }
    for (let count = 0; count < 2; count++) expect((await attempt(sent(), { headers: () => headers })).http).toBe(500)
    expectOriginal([...quarantine.entries.values()][0])
  })
})

test('an inbox that changes a delivery and then rejects it: the quarantine gets the original', async () => {
  const accept = async (delivery: AcceptedDelivery) => {
    delivery.rawBody.fill(0)
    clear(delivery.headers)
    throw new Error('disk full')
  }
  const { attempt, entry } = open({ inbox: { accept } })
  const headers = { 'x-govalid-signature': SIGNATURE }
  expect((await attempt(sent(), { headers: () => headers })).http).toBe(503)
  expectOriginal(entry())
})

describe('idempotencyKey', () => {
  it.each<[string, (rawBody: Uint8Array, payload: Record<string, unknown>) => void]>([
    ['overwrites the body', (rawBody) => void rawBody.fill(0)],
    ['transfers the body', transfer],
    ['renames the event', (_, payload) => void Object.assign(payload, { event: null })],
    ['clears the payload', (_, payload) => clear(payload)],
    ['makes the payload throw', (_, payload) => void withTraps(payload, 'event', 'timestamp', 'data')],
  ])('that %s changes nothing but the key', async (_, change) => {
    const { receiver, attempt, quarantine, entry } = open({
      idempotencyKey({ rawBody, payload }) {
        change(rawBody, payload as Record<string, unknown>)
        return 'the key'
      },
    })
    let runs = 0
    receiver.on('qr.scanned', () => {
      runs++
      throw new Error('no database')
    })
    expect((await attempt(sent())).http).toBe(500)
    expect([runs, quarantine.codes]).toEqual([1, ['retry_pending']])
    expect([...entry().rawBody]).toEqual([...BYTES])
    expect(entry()).toMatchObject({ key: keyOf('the key'), eventType: 'qr.scanned' })
  })
})

describe('a hook that changes what it is given', () => {
  const spoil = (object: object) => {
    for (const key of Object.keys(object)) withTraps(object, key)
  }

  it.each<[string, (outcome: Outcome) => unknown]>([
    ['clears the outcome', clear],
    ['renames the outcome', (outcome) => Object.assign(outcome, { status: 'nonsense', code: 'nonsense' })],
    ['makes the outcome throw', spoil],
    ['freezes the outcome', Object.freeze],
  ])('onOutcome: %s', async (_, onOutcome) => {
    const { receiver, deliver } = open({ onOutcome: onOutcome as never })
    receiver.on('qr.scanned', () => {})
    const outcome = await deliver(sent())
    expect([outcome.status, toResponse(outcome).status]).toEqual(['processed', 200])
    expect((await receiver.status()).outcomes).toEqual({ processed: 1 })
    expect((await deliver(sent())).status).toBe('duplicate')
  })

  it('onError: clears the report', async () => {
    const { receiver, deliver, entry } = open({ onError: clear })
    const failure = new Error('no database')
    receiver.on('qr.scanned', () => Promise.reject(failure))
    expect(await deliver(sent())).toMatchObject({ status: 'failed', error: failure })
    expect(entry()).toMatchObject({ code: 'retry_pending', error: expect.stringContaining('no database') })
  })
})

describe('a store that changes its requests', () => {
  type Call = 'claim' | 'renew' | 'complete' | 'release'

  /** Spoils the request of each call after the inner store has read it. `rejections`: how many calls then fail without an effect. */
  function openSpoiling(call: Call, rejections: number) {
    const clock = fixedClock(Date.parse(EVENT_TIME))
    const inner = memoryStore({ clock })
    let left = rejections
    const requests: Record<string, unknown>[] = []
    const spoiling = (request: Record<string, unknown>) => {
      const copy = structuredClone(request)
      requests.push(copy)
      const names = request['completedHandlers']
      if (Array.isArray(names)) names.splice(0, names.length, 'mail')
      clear(request)
      Object.assign(request, { key: 'f'.repeat(64), token: 'spoiled' })
      if (left-- > 0) throw new Error('no connection')
      return inner[call](copy as never)
    }
    const store: Store = { ...inner, [call]: spoiling }
    return { ...receiving({ clock, store }), requests }
  }

  const install = ({ receiver, clock }: ReturnType<typeof openSpoiling>, runs: string[], end: () => unknown) =>
    receiver
      .on('qr.scanned', () => void runs.push('count'), { name: 'count' })
      .on('qr.scanned', () => pause(clock, 20 * SECOND).then(() => runs.push('mail')), { name: 'mail' })
      .on('qr.scanned', end, { name: 'last' })

  it.each<[Call, number]>([
    ['claim', 0],
    ['renew', 0],
    ['renew', 1],
    ['complete', 0],
    ['complete', 2],
  ])('of %s, and fails %i times: every handler runs once', async (call, rejections) => {
    const scene = openSpoiling(call, rejections)
    const runs: string[] = []
    install(scene, runs, () => void runs.push('last'))
    await scene.attempt(sent())
    await scene.clock.advance(30 * SECOND)
    expect((await scene.attempt(sent())).outcome.status).toBe('duplicate')
    expect(runs).toEqual(['count', 'mail', 'last'])
    const fields = scene.requests.map(({ waitMs: _, ...request }) => request)
    if (call === 'complete') expect(new Set(fields.map((request) => JSON.stringify(request))).size).toBe(1)
    expect(scene.requests).toEqual(scene.requests.map(() => expect.objectContaining({ key: KEY })))
  })

  it('of release: the retry runs only the handlers that haven’t finished', async () => {
    const scene = openSpoiling('release', 0)
    const runs: string[] = []
    install(
      scene,
      runs,
      once(() => Promise.reject(new Error('no database'))),
    )
    await scene.attempt(sent())
    await scene.clock.advance(30 * SECOND)
    expect((await scene.attempt(sent())).outcome.status).toBe('processed')
    expect(runs).toEqual(['count', 'mail'])
  })

  it('of a claim that arrived too late: the claim is released all the same', async () => {
    const clock = fixedClock(Date.parse(EVENT_TIME))
    const inner = memoryStore({ clock })
    const store: Store = {
      ...inner,
      claim: once(async (request) => {
        const claimed = inner.claim({ ...request })
        clear(request)
        await pause(clock, 5 * SECOND)
        return claimed
      }, inner.claim),
    }
    const { receiver, attempt } = receiving({ clock, store })
    receiver.on('qr.scanned', () => {})
    expect((await attempt(sent())).http).toBe(503)
    await clock.advance(SECOND)
    expect((await attempt(sent())).outcome).toMatchObject({ status: 'processed', attempt: 1 })
  })

  it('frozen or not, gets requests that it may keep', async () => {
    const clock = fixedClock(Date.parse(EVENT_TIME))
    const inner = memoryStore({ clock })
    const kept: object[] = []
    const texts: string[] = []
    const keeping =
      <Input extends object, Output>(call: (request: Input) => Output) =>
      (request: Input) => {
        kept.push(deepFreeze(request))
        texts.push(JSON.stringify(request))
        return call(request)
      }
    const store: Store = {
      claim: keeping(inner.claim),
      renew: keeping(inner.renew),
      complete: keeping(inner.complete),
      release: keeping(inner.release),
    }
    const { receiver, attempt } = receiving({ clock, store })
    receiver
      .on('qr.scanned', () => {}, { name: 'count' })
      .on(
        'qr.scanned',
        once(() => Promise.reject(new Error('no database'))),
        { name: 'mail' },
      )
      .on('qr.scanned', () => {}, { name: 'last' })
    expect((await attempt(sent())).http).toBe(500)
    await clock.advance(MINUTE)
    expect((await attempt(sent())).outcome.status).toBe('processed')
    expect(kept.map((request) => JSON.stringify(request))).toEqual(texts)
  })

  it('keeps the names that it returned to itself', async () => {
    const clock = fixedClock(Date.parse(EVENT_TIME))
    const inner = memoryStore({ clock })
    const names: string[] = []
    const store: Store = {
      ...inner,
      claim: async (request) => ({ ...(await inner.claim(request)), completedHandlers: names }) as never,
    }
    const { receiver, attempt } = receiving({ clock, store })
    const runs: string[] = []
    receiver
      .on('qr.scanned', () => void names.push('mail'), { name: 'count' })
      .on('qr.scanned', () => void runs.push('mail'), { name: 'mail' })
    expect((await attempt(sent())).outcome.status).toBe('processed')
    expect([runs, names]).toEqual([['mail'], ['mail']])
  })
})

function once<Input extends unknown[], Output>(
  first: (...input: Input) => Output,
  then?: (...input: Input) => Output,
): (...input: Input) => Output {
  let calls = 0
  return (...input) => (++calls === 1 ? first(...input) : (then?.(...input) as Output))
}

function deepFreeze<T extends object>(object: T): T {
  for (const field of Object.values(object)) if (typeof field === 'object' && field !== null) deepFreeze(field)
  return Object.freeze(object)
}

test('a secret function that changes its bytes or its list later: the secret stays', async () => {
  const secret = new TextEncoder().encode('your_webhook_secret')
  const list: Uint8Array[] = [secret]
  const { receiver, deliver } = open({ secret: () => list })
  receiver.on('qr.scanned', () => {})
  expect((await deliver(sent())).status).toBe('processed')
  secret.fill(0)
  list.length = 0
  expect((await deliver(sent())).status).toBe('duplicate')
})
