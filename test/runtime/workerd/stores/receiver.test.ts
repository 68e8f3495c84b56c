/** A receiver behind the Workers adapter, over each of Cloudflare's stores: what the sender is answered, and how often a handler runs. */
import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { d1Store } from '../../../../src/stores/cloudflare/d1-store.js'
import { durableObjectStore } from '../../../../src/stores/cloudflare/durable-object-store.js'
import { createEndpoint, createGate, newBody } from './endpoint.js'

const stores = [
  { name: 'D1', open: (name: string) => d1Store({ database: env.DB, namespace: name }) },
  { name: 'Durable Objects', open: (name: string) => durableObjectStore({ namespace: env.IDEMPOTENCY, name }) },
]

describe.each(stores)('a receiver over $name', ({ open }) => {
  const openNew = () => open(crypto.randomUUID())

  test('a delivery is processed once, and its copy is a duplicate', async () => {
    let calls = 0
    const endpoint = createEndpoint(openNew())
    endpoint.receiver.on('qr.scanned', () => void calls++)
    const body = newBody()
    expect(await endpoint.send(body)).toMatchObject({ httpStatus: 200, status: 'processed' })
    expect(await endpoint.send(body)).toMatchObject({ httpStatus: 200, status: 'duplicate' })
    expect(calls).toBe(1)
    expect(endpoint.reported).toEqual([])
  })

  test('another isolate knows what this one has finished', async () => {
    const name = crypto.randomUUID()
    const body = newBody()
    for (const status of ['processed', 'duplicate']) {
      const endpoint = createEndpoint(open(name))
      endpoint.receiver.on('qr.scanned', () => {})
      expect((await endpoint.send(body)).status).toBe(status)
    }
  })

  test('a copy is busy while the first is worked', async () => {
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

  test('of 1,000 copies at once one reaches the handler, and every answer is 200 or 503', async () => {
    let calls = 0
    const endpoint = createEndpoint(openNew())
    endpoint.receiver.on('qr.scanned', () => void calls++)
    const body = newBody()
    const responses = await Promise.all(Array.from({ length: 1000 }, () => endpoint.send(body)))
    expect(responses.filter(({ httpStatus }) => httpStatus !== 200 && httpStatus !== 503)).toEqual([])
    expect(calls).toBeLessThanOrEqual(1)
    // On a machine too slow to answer 1,000 claims in a second the one claim may have come late and been given back: then it is the next.
    await Promise.all(responses.map(({ settled }) => settled()))
    expect((await endpoint.send(body)).httpStatus).toBe(200)
    expect(calls).toBe(1)
  })

  test('a handler that outlives the deadline goes on behind the answer, and the retry is a duplicate', async () => {
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

  test('a failed try is counted, and the next runs only the handlers that are not done', async () => {
    const calls: string[] = []
    const endpoint = createEndpoint(openNew())
    endpoint.receiver
      .on('qr.scanned', (_, { attempt }) => void calls.push(`count ${attempt}`), { name: 'count' })
      .on('qr.scanned', (_, { attempt, redelivery }) => {
        calls.push(`mail ${attempt} ${redelivery}`)
        if (attempt === 1) throw new Error('the mail server is away')
      })
    const body = newBody()
    expect(await endpoint.send(body)).toMatchObject({ httpStatus: 500, status: 'failed' })
    expect(await endpoint.send(body)).toMatchObject({ httpStatus: 200, status: 'processed' })
    expect(calls).toEqual(['count 1', 'mail 1 false', 'mail 2 true'])
  })

  test('a delivery that fails five times is answered 200 and kept in the store’s quarantine, to be worked again', async () => {
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
