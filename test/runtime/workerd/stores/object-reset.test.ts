/** Objects that Cloudflare's runtime resets during a delivery: the response, and how many times the handler runs. */
import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import {
  durableObjectStore,
  type IdempotencyNamespace,
} from '../../../../src/stores/cloudflare/durable-object-store.js'
import { createEndpoint, createGate, newBody } from './endpoint.js'

const { IDEMPOTENCY } = env
type Stub = ReturnType<typeof IDEMPOTENCY.get>

/** Returns the real objects. Before the first `times` calls of an operation, `before` runs with the called object. */
function interrupt(
  operation: 'claim' | 'complete',
  times: number,
  before: (stub: Stub) => Promise<void>,
): IdempotencyNamespace {
  let left = times
  const get: IdempotencyNamespace['get'] = (id) => {
    const stub = IDEMPOTENCY.get(id as DurableObjectId)
    return {
      async fetch(url, request) {
        if (url.endsWith(`/${operation}`) && left-- > 0) await before(stub)
        return stub.fetch(url, request)
      },
    }
  }
  return { idFromName: (name) => IDEMPOTENCY.idFromName(name), get }
}

/** Resets an object during a call, as a deployment or a move does. */
async function abort(stub: Stub): Promise<void> {
  // The test runner hides the runtime's stack traces for this reason only.
  const reason = 'Instance dispose'
  await runInDurableObject(stub, (_, state) => state.abort(reason)).catch(() => {})
}

const openNew = (namespace: IdempotencyNamespace = IDEMPOTENCY) =>
  durableObjectStore({ namespace, name: crypto.randomUUID() })

describe('an object that is reset', () => {
  test('while the handler runs gets 200, and the retry is a duplicate', async () => {
    let calls = 0
    const endpoint = createEndpoint(openNew())
    endpoint.receiver.on('qr.scanned', async () => {
      calls += 1
      await abortAllDurableObjects()
    })
    const body = newBody()
    expect(await endpoint.send(body)).toMatchObject({ httpStatus: 200, status: 'processed' })
    expect((await endpoint.send(body)).status).toBe('duplicate')
    expect(calls).toBe(1)
  })

  test('during the claim is called once more, so no attempt is wasted', async () => {
    const endpoint = createEndpoint(openNew(interrupt('claim', 1, abort)))
    endpoint.receiver.on('qr.scanned', () => {})
    expect(await endpoint.send(newBody())).toMatchObject({ httpStatus: 200, status: 'processed' })
    expect(endpoint.reported).toEqual([])
  })

  test('twice during the claim gets 503, and the next attempt is processed', async () => {
    let calls = 0
    const endpoint = createEndpoint(openNew(interrupt('claim', 2, abort)))
    endpoint.receiver.on('qr.scanned', () => void calls++)
    const body = newBody()
    expect(await endpoint.send(body)).toMatchObject({ httpStatus: 503, status: 'unavailable', retryAfter: '60' })
    expect(await endpoint.send(body)).toMatchObject({ httpStatus: 200, status: 'processed' })
    expect(endpoint.reported).toEqual(['store_unavailable'])
    expect(calls).toBe(1)
  })

  test('three times during the completion gets 200, is completed in the background, and the retry is a duplicate', async () => {
    let calls = 0
    const endpoint = createEndpoint(openNew(interrupt('complete', 3, abort)))
    endpoint.receiver.on('qr.scanned', () => void calls++)
    const body = newBody()
    const response = await endpoint.send(body)
    expect(response).toMatchObject({ httpStatus: 200, status: 'processed' })
    expect(endpoint.reported).toEqual(['completion_delayed'])
    await response.settled()
    expect((await endpoint.send(body)).status).toBe('duplicate')
    expect(calls).toBe(1)
  })

  test('during the completion is called once more', async () => {
    const endpoint = createEndpoint(openNew(interrupt('complete', 1, abort)))
    endpoint.receiver.on('qr.scanned', () => {})
    const body = newBody()
    expect(await endpoint.send(body)).toMatchObject({ httpStatus: 200, status: 'processed' })
    expect(endpoint.reported).toEqual([])
    expect((await endpoint.send(body)).status).toBe('duplicate')
  })

  test('by eviction while the handler runs keeps the claim', async () => {
    const name = crypto.randomUUID()
    const store = durableObjectStore({ namespace: IDEMPOTENCY, name, shards: 1 })
    const endpoint = createEndpoint(store)
    const [started, finish] = [createGate(), createGate()]
    endpoint.receiver.on('qr.scanned', () => {
      started.open()
      return finish.opened
    })
    const body = newBody()
    const first = endpoint.send(body)
    await started.opened
    await evictDurableObject(IDEMPOTENCY.getByName(`${name}/1/`))
    expect((await endpoint.send(body)).status).toBe('busy')
    finish.open()
    expect((await first).status).toBe('processed')
  })
})

test('an object whose storage was deleted starts again with empty tables', async () => {
  const name = crypto.randomUUID()
  const store = durableObjectStore({ namespace: IDEMPOTENCY, name, shards: 1 })
  const endpoint = createEndpoint(store)
  endpoint.receiver.on('qr.scanned', () => {})
  const body = newBody()
  expect((await endpoint.send(body)).status).toBe('processed')
  const object = IDEMPOTENCY.getByName(`${name}/1/`)
  await runInDurableObject(object, (_, { storage }) => storage.deleteAll())
  expect((await endpoint.send(body)).status).toBe('processed')
  expect(await runInDurableObject(object, (_, { storage }) => storage.getAlarm())).toBeGreaterThan(Date.now())
  expect(endpoint.reported).toEqual([])
})

test('an overloaded object gets no second call, which would add to its load', async () => {
  const overload = () => Promise.reject(Object.assign(new Error('overloaded'), { overloaded: true }))
  const endpoint = createEndpoint(openNew(interrupt('claim', 1, overload)))
  endpoint.receiver.on('qr.scanned', () => {})
  expect(await endpoint.send(newBody())).toMatchObject({ httpStatus: 503, status: 'unavailable' })
  expect(endpoint.reported).toEqual(['overloaded'])
})
