/** Tests the Workers adapter with the real `env` and `ctx`: one receiver per `env`, and background work after the response. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { toHandler } from '../../../src/adapters/cloudflare.js'
import { createReceiver, memoryStore, type ReceiverOptions, type Store } from '../../../src/index.js'
import { read, request, SECRET, scan } from '../receiving.js'

interface Env {
  readonly GOVALID_WEBHOOK_SECRET?: string
}

const ENV: Env = { GOVALID_WEBHOOK_SECRET: SECRET }
const PROCESSED = '200 {"status":"processed"}'
const DUPLICATE = '200 {"status":"duplicate"}'
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Sends one delivery, waits for its background work, and returns the response. */
async function deliver(worker: ExportedHandler<Env>, body: string, env: Env = ENV): Promise<string> {
  const context = createExecutionContext()
  const response = await worker.fetch?.(
    (await request(body)) as Parameters<NonNullable<typeof worker.fetch>>[0],
    env,
    context,
  )
  const result = await read(response as Response)
  await waitOnExecutionContext(context)
  return result
}

function createWorker(options: Partial<ReceiverOptions>, handler: () => unknown = () => {}) {
  const receiver = createReceiver({ secret: SECRET, onError: () => {}, ...options }).on('*', handler)
  return { fetch: toHandler(receiver) } satisfies ExportedHandler<Env> satisfies ExportedHandler
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('a receiver per env', () => {
  it('is created once for each env', async () => {
    const created: unknown[] = []
    const fetch = toHandler((env: Env) => {
      created.push(env)
      return createReceiver({ secret: env.GOVALID_WEBHOOK_SECRET }).on('*', () => {})
    })
    const worker = { fetch } satisfies ExportedHandler<Env>
    const other: Env = { ...ENV }
    const body = scan()
    expect(await deliver(worker, body)).toBe(PROCESSED)
    expect(await deliver(worker, body)).toBe(DUPLICATE)
    // Another env gets another receiver with a separate memory.
    expect(await deliver(worker, body, other)).toBe(PROCESSED)
    expect(await deliver(worker, body, other)).toBe(DUPLICATE)
    expect(created).toEqual([ENV, other])
  })

  it.each([
    ['no secret', {}, 'secret_missing'],
    ['a blank secret', { GOVALID_WEBHOOK_SECRET: ' ' }, 'secret_blank'],
  ])('with %s is created again for the next delivery, and the log names the fix', async (_, env, code) => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
    let calls = 0
    const create = (env: Env) => {
      calls++
      return createReceiver({ secret: env.GOVALID_WEBHOOK_SECRET })
    }
    const worker = { fetch: toHandler(create) }
    for (const _ of [1, 2]) {
      expect(await deliver(worker, scan(), env)).toBe('500 {"status":"refused","code":"secret_missing"}')
    }
    expect(calls).toBe(2)
    expect(printed.mock.calls).toEqual(Array(2).fill([expect.stringContaining(`[govalid-webhooks] ${code}: `)]))
    expect(printed.mock.calls[0]?.[0]).toContain('GOVALID_WEBHOOK_SECRET')
  })

  it('rethrows an error of the function that is not a configuration error', async () => {
    const create = (): never => {
      throw new TypeError('no such binding')
    }
    await expect(deliver({ fetch: toHandler(create) }, scan())).rejects.toThrow('no such binding')
  })
})

describe('after the response', () => {
  it('a handler that outlives the deadline finishes, and the retry is a duplicate', async () => {
    let finished = 0
    const worker = createWorker({ bodyDeadlineMs: 20, deadlineMs: 20 }, () => pause(100).then(() => finished++))
    const body = scan()
    expect(await deliver(worker, body)).toBe('503 {"status":"unfinished"}')
    expect(finished).toBe(1)
    expect(await deliver(worker, body)).toBe(DUPLICATE)
  })

  it('a completion that fails is written again', async () => {
    const inner = memoryStore()
    let completions = 0
    const store: Store = {
      ...inner,
      complete(request) {
        if (++completions === 1) throw new Error('the store is unavailable')
        return inner.complete(request)
      },
    }
    const worker = createWorker({ store })
    const body = scan()
    expect(await deliver(worker, body)).toBe(PROCESSED)
    expect(completions).toBe(2)
    expect(await deliver(worker, body)).toBe(DUPLICATE)
  })

  it('the lease is not renewed, because the Worker may have stopped', async () => {
    const inner = memoryStore()
    let renewals = 0
    const store: Store = {
      ...inner,
      renew(request) {
        renewals++
        return inner.renew(request)
      },
    }
    const worker = createWorker({ store, bodyDeadlineMs: 20, deadlineMs: 20 }, () => pause(100))
    expect(await deliver(worker, scan())).toBe('503 {"status":"unfinished"}')
    expect(renewals).toBe(0)
  })

  it('ctx.waitUntil gets the whole delivery, so the sender may disconnect', async () => {
    const waiting: Promise<unknown>[] = []
    const context = { ...createExecutionContext(), waitUntil: (task: Promise<unknown>) => void waiting.push(task) }
    let release = () => {}
    const worker = createWorker({}, () => new Promise<void>((resolve) => (release = resolve)))
    const response = worker.fetch(await request(scan()), ENV, context)
    await vi.waitUntil(() => waiting.length === 1)
    let settled = false
    void waiting[0]?.then(() => {
      settled = true
    })
    await pause(50)
    expect(settled).toBe(false)
    release()
    expect(await read(await response)).toBe(PROCESSED)
    await waiting[0]
  })
})
