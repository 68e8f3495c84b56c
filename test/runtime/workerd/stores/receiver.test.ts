/** A receiver behind the Workers adapter with each Cloudflare store: the responses, and how many times a handler runs. */
import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { d1Store } from '../../../../src/stores/cloudflare/d1-store.js'
import { durableObjectStore } from '../../../../src/stores/cloudflare/durable-object-store.js'
import { createEndpoint, createGate, newBody } from './endpoint.js'

const stores = [
  { name: 'D1', open: (name: string) => d1Store({ database: env.DB, namespace: name }) },
  { name: 'Durable Objects', open: (name: string) => durableObjectStore({ namespace: env.IDEMPOTENCY, name }) },
]

describe.each(stores)('a receiver with $name', ({ open }) => {
  const openNew = () => open(crypto.randomUUID())

  test('processes a delivery once, and its copy is a duplicate', async () => {
    let calls = 0
    const endpoint = createEndpoint(openNew())
    endpoint.receiver.on('qr.scanned', () => void calls++)
    const body = newBody()
    expect(await endpoint.send(body)).toMatchObject({ httpStatus: 200, status: 'processed' })
    expect(await endpoint.send(body)).toMatchObject({ httpStatus: 200, status: 'duplicate' })
    expect(calls).toBe(1)
    expect(endpoint.reported).toEqual([])
  })

  test('recognizes a delivery that another isolate finished', async () => {
    const name = crypto.randomUUID()
    const body = newBody()
    for (const status of ['processed', 'duplicate']) {
      const endpoint = createEndpoint(open(name))
      endpoint.receiver.on('qr.scanned', () => {})
      expect((await endpoint.send(body)).status).toBe(status)
    }
  })

  test('returns busy for a copy while the first one is being processed', async () => {
    const endpoint = createEndpoint(openNew())
    const [started, finish] = [createGate(), createGate()]
    endpoint.receiver.on('qr.scanned', () => {
      started.open()
      return finish.opened
    })
    const body = newBody()
    const first = endpoint.send(body)
    await started.opened
    expect(await endpoint.send(body)).toMatchObject({ httpStatus: 503, status: 'busy', retryAfter: '60' })
    finish.open()
    expect((await first).status).toBe('processed')
    expect((await endpoint.send(body)).status).toBe('duplicate')
  })

  test('calls the handler once for 1,000 concurrent copies, and every response is 200 or 503', async () => {
    let calls = 0
    const endpoint = createEndpoint(openNew())
    endpoint.receiver.on('qr.scanned', () => void calls++)
    const body = newBody()
    const responses = await Promise.all(Array.from({ length: 1000 }, () => endpoint.send(body)))
    expect(responses.filter(({ httpStatus }) => httpStatus !== 200 && httpStatus !== 503)).toEqual([])
    expect(calls).toBeLessThanOrEqual(1)
    // On a slow machine the winning claim may succeed too late, and the receiver releases it. The next attempt is processed then.
    await Promise.all(responses.map(({ settled }) => settled()))
    expect((await endpoint.send(body)).httpStatus).toBe(200)
    expect(calls).toBe(1)
  })

  test('a handler that exceeds the deadline continues in the background, and the retry is a duplicate', async () => {
    const endpoint = createEndpoint(openNew(), { deadlineMs: 300, bodyDeadlineMs: 200 })
    const finish = createGate()
    endpoint.receiver.on('qr.scanned', () => finish.opened)
    const body = newBody()
    const response = await endpoint.send(body)
    expect(response).toMatchObject({ httpStatus: 503, status: 'unfinished', retryAfter: '60' })
    expect((await endpoint.send(body)).status).toBe('busy')
    finish.open()
    await response.settled()
    expect((await endpoint.send(body)).status).toBe('duplicate')
  })

  test('counts a failed attempt, and the next one runs only the uncompleted handlers', async () => {
    const calls: string[] = []
    const endpoint = createEndpoint(openNew())
    endpoint.receiver
      .on('qr.scanned', (_, { attempt }) => void calls.push(`count ${attempt}`), { name: 'count' })
      .on('qr.scanned', (_, { attempt, redelivery }) => {
        calls.push(`mail ${attempt} ${redelivery}`)
        if (attempt === 1) throw new Error('the mail server is down')
      })
    const body = newBody()
    expect(await endpoint.send(body)).toMatchObject({ httpStatus: 500, status: 'failed' })
    expect(await endpoint.send(body)).toMatchObject({ httpStatus: 200, status: 'processed' })
    expect(calls).toEqual(['count 1', 'mail 1 false', 'mail 2 true'])
  })

  test('quarantines a delivery that fails five times with a 200, and reprocesses it', async () => {
    const store = openNew()
    const endpoint = createEndpoint(store)
    let isHealed = false
    endpoint.receiver.on('qr.scanned', () => {
      if (!isHealed) throw new Error('poison')
    })
    const body = newBody()
    const responses: number[] = []
    for (let attempt = 1; attempt <= 5; attempt++) responses.push((await endpoint.send(body)).httpStatus)
    expect(responses).toEqual([500, 500, 500, 500, 200])
    const [entry] = await store.quarantine.list()
    expect(entry).toMatchObject({ code: 'attempts_exhausted', eventType: 'qr.scanned', attempt: 5 })
    expect(new TextDecoder().decode(entry?.rawBody)).toBe(body)
    isHealed = true
    expect(await endpoint.receiver.reprocess(entry!)).toMatchObject({ status: 'processed' })
    expect(await store.quarantine.list()).toEqual([])
    expect((await endpoint.send(body)).status).toBe('duplicate')
  })
})
