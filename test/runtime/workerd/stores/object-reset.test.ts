/** Objects that are reset under a receiver, by Cloudflare's own machinery: what the sender is answered, and how often the handler runs. */
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
type Step = keyof IdempotencyStub
type Stub = DurableObjectStub & IdempotencyStub

/** The real objects; the first `times` calls of a step are given to `before` first, with the object they go to. */
function interrupt(step: Step, times: number, before: (stub: Stub) => Promise<void>): IdempotencyNamespace {
  let left = times
  const get = (id: object): IdempotencyStub => {
    const stub = IDEMPOTENCY.get(id as DurableObjectId) as Stub
    return new Proxy(stub, {
      get(target, name) {
        if (name !== step || left === 0) return Reflect.get(target, name)
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

/** Resets an object while it is in the middle of something, as a deploy or a move does. */
async function abort(stub: Stub): Promise<void> {
  await runInDurableObject(stub, (_, state) => state.abort('reset by the test')).catch(() => {})
}

const openNew = (namespace: IdempotencyNamespace = IDEMPOTENCY) =>
  durableObjectStore({ namespace, name: crypto.randomUUID() })

describe('an object that is reset', () => {
  test('while the handler runs: answered 200, and the retry is a duplicate', async () => {
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

  test('at the claim: asked once more, so no try of the sender is used up', async () => {
    const endpoint = createEndpoint(openNew(interrupt('claim', 1, abort)))
    endpoint.receiver.on('qr.scanned', () => {})
    expect(await endpoint.send(newBody())).toMatchObject({ httpStatus: 200, status: 'processed' })
    expect(endpoint.reported).toEqual([])
  })

  test('at the claim, twice: answered 503, and the next try is worked', async () => {
    let calls = 0
    const endpoint = createEndpoint(openNew(interrupt('claim', 2, abort)))
    endpoint.receiver.on('qr.scanned', () => void calls++)
    const body = newBody()
    expect(await endpoint.send(body)).toMatchObject({ httpStatus: 503, status: 'unavailable', retryAfter: '60' })
    expect(await endpoint.send(body)).toMatchObject({ httpStatus: 200, status: 'processed' })
    expect(endpoint.reported).toEqual(['store_unavailable'])
    expect(calls).toBe(1)
  })

  test('at the completion, three times: answered 200, written again behind, and the retry is a duplicate', async () => {
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

  test('at the moment of the completion: asked once more', async () => {
    const endpoint = createEndpoint(openNew(interrupt('complete', 1, abort)))
    endpoint.receiver.on('qr.scanned', () => {})
    const body = newBody()
    expect(await endpoint.send(body)).toMatchObject({ httpStatus: 200, status: 'processed' })
    expect(endpoint.reported).toEqual([])
    expect((await endpoint.send(body)).status).toBe('duplicate')
  })

  test('evicted while the handler runs and the lease is renewed, keeps the claim', async () => {
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

test('an overloaded object is not asked again: that would make it worse', async () => {
  const overload = () => Promise.reject(Object.assign(new Error('overloaded'), { overloaded: true }))
  const endpoint = createEndpoint(openNew(interrupt('claim', 1, overload)))
  endpoint.receiver.on('qr.scanned', () => {})
  expect(await endpoint.send(newBody())).toMatchObject({ httpStatus: 503, status: 'unavailable' })
})
