/** Objects that Cloudflare's runtime resets during a delivery: the response, and how many times the handler runs. */
import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import {
  durableObjectStore,
  type IdempotencyNamespace,
  type IdempotencyStub,
} from '../../../../src/stores/cloudflare/durable-object-store.js'
import { createEndpoint, createGate, newBody } from './endpoint.js'

const { IDEMPOTENCY } = env
type Method = keyof IdempotencyStub
type Stub = DurableObjectStub & IdempotencyStub

/** Returns the real objects. Before the first `times` calls of a method, `before` runs with the called object. */
function interrupt(method: Method, times: number, before: (stub: Stub) => Promise<void>): IdempotencyNamespace {
  let left = times
  const get = (id: object): IdempotencyStub => {
    const stub = IDEMPOTENCY.get(id as DurableObjectId) as Stub
    return new Proxy(stub, {
      get(target, name) {
        if (name !== method || left === 0) return Reflect.get(target, name)
        left -= 1
        return async (...input: unknown[]) => {
          await before(stub)
          return Reflect.apply(Reflect.get(target, name), target, input)
        }
      },
    })
  }
  return { idFromName: (name) => IDEMPOTENCY.idFromName(name), get }
}

/** Resets an object during a call, as a deployment or a move does. */
async function abort(stub: Stub): Promise<void> {
  await runInDurableObject(stub, (_, state) => state.abort('reset by the test')).catch(() => {})
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

test('an overloaded object gets no second call, which would add to its load', async () => {
  const overload = () => Promise.reject(Object.assign(new Error('overloaded'), { overloaded: true }))
  const endpoint = createEndpoint(openNew(interrupt('claim', 1, overload)))
  endpoint.receiver.on('qr.scanned', () => {})
  expect(await endpoint.send(newBody())).toMatchObject({ httpStatus: 503, status: 'unavailable' })
})
