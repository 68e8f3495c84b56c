/** A store that responds to a claim too late: GoValid gets a 503 and retries, and a claim that arrives after the response is released. */
import { expect, test } from 'vitest'
import { createReceiver, memoryStore, type Store } from '../../src/index.js'
import { fixedClock, signDelivery } from '../../src/testing/index.js'

const SECRET = 'your_webhook_secret'
const NOW = '2026-01-01T00:00:00Z'
const EVENT = { event: 'qr.created', timestamp: NOW, webhook_id: 'wh-001', data: {} }

/** Makes a receiver whose test decides how the store responds to the first claim, and records the promises passed to `waitUntil`. */
async function createScene(
  firstClaim: (inner: Store, request: Parameters<Store['claim']>[0]) => ReturnType<Store['claim']>,
) {
  const clock = fixedClock(NOW)
  const inner = memoryStore({ clock })
  let claims = 0
  const store: Store = {
    ...inner,
    claim: (request) => (++claims === 1 ? firstClaim(inner, request) : inner.claim(request)),
  }
  const background: Array<Promise<unknown>> = []
  const attempts: number[] = []
  const receiver = createReceiver({ secret: SECRET, store, clock, onError: () => {} }).on(
    'qr.created',
    (_, context) => {
      attempts.push(context.attempt)
    },
  )
  const { delivery } = await signDelivery(EVENT, { secret: SECRET })
  const receive = () => receiver.receive({ ...delivery, waitUntil: (work) => background.push(work) })
  return { clock, receive, background, attempts }
}

/** Whether a promise has already settled. */
async function isSettled(work: Promise<unknown> | undefined): Promise<boolean> {
  return Promise.race([Promise.resolve(work).then(() => true), new Promise<boolean>((r) => setTimeout(r, 0, false))])
}

test('a claim that arrives after its limit is released and not counted, and the platform is kept alive for that', async () => {
  let response = () => {}
  const scene = await createScene(
    (inner, request) => new Promise((resolve) => (response = () => resolve(inner.claim(request)))),
  )
  const first = scene.receive()
  await scene.clock.advance(4400)
  expect(await first).toMatchObject({ status: 'unavailable', code: 'store_unavailable' })
  expect(scene.background).toHaveLength(1)
  expect(await isSettled(scene.background[0])).toBe(false)
  response()
  await scene.background[0]
  expect(await scene.receive()).toMatchObject({ status: 'processed', attempt: 1 })
  expect(scene.attempts).toEqual([1])
  expect(scene.clock.pendingTimers()).toBe(0)
})

test('a claim that fails after its limit is not released, and its rejection is handled', async () => {
  let fail = () => {}
  const scene = await createScene(() => new Promise((_, reject) => (fail = () => reject(new Error('connection lost')))))
  const first = scene.receive()
  await scene.clock.advance(4400)
  expect((await first).status).toBe('unavailable')
  fail()
  await scene.background[0]
  expect(await scene.receive()).toMatchObject({ status: 'processed', attempt: 1 })
})

test('the platform is kept alive for ten seconds for a claim that never arrives', async () => {
  const scene = await createScene(() => new Promise(() => {}))
  const first = scene.receive()
  await scene.clock.advance(4400)
  expect((await first).status).toBe('unavailable')
  await scene.clock.advance(9_999)
  expect(await isSettled(scene.background[0])).toBe(false)
  await scene.clock.advance(1)
  expect(await isSettled(scene.background[0])).toBe(true)
  expect(scene.clock.pendingTimers()).toBe(0)
})
