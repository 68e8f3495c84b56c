/** Tests the Workers adapter with the real `env` and `ctx`: one receiver per isolate, and background work after the response. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env as bindings } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { toHandler } from '../../../src/adapters/cloudflare.js'
import { createReceiver, memoryStore, type ReceiverOptions, type Store } from '../../../src/index.js'
import { d1Store } from '../../../src/stores/cloudflare/d1-store.js'
import { read, request, SECRET, scan } from '../receiving.js'
import { instrument } from './instrument.js'

interface Env {
  readonly GOVALID_WEBHOOK_SECRET?: string
  readonly DB?: unknown
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

describe('a receiver per isolate', () => {
  it('is created again only if a value of env changes', async () => {
    const created: unknown[] = []
    const fetch = toHandler((env: Env) => {
      created.push(env)
      return createReceiver({ secret: env.GOVALID_WEBHOOK_SECRET }).on('*', () => {})
    })
    const worker = { fetch } satisfies ExportedHandler<Env>
    const body = scan()
    expect(await deliver(worker, body)).toBe(PROCESSED)
    expect(await deliver(worker, body, { ...ENV })).toBe(DUPLICATE)
    // Another binding gets another receiver with a separate memory.
    const other: Env = { ...ENV, DB: { prepare: () => {} } }
    expect(await deliver(worker, body, other)).toBe(PROCESSED)
    expect(await deliver(worker, body, { ...other })).toBe(DUPLICATE)
    expect(await deliver(worker, body, { ...other, DB: { prepare: () => {} } })).toBe(PROCESSED)
    expect(await deliver(worker, body)).toBe(DUPLICATE)
    expect(created).toHaveLength(3)
  })

  it('with an instrumented env counts the attempts, recognizes a copy and limits its log', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
    const kept: unknown[] = []
    const create = (env: Env & typeof bindings) =>
      createReceiver({
        secret: env.GOVALID_WEBHOOK_SECRET,
        quarantine: async ({ code }) => void kept.push(code),
      })
        .on('qr.scanned', () => {
          throw new Error('poison')
        })
        .on('counterfeit.detected', () => {})
    const fetch = toHandler(create)
    const real = { ...bindings, GOVALID_WEBHOOK_SECRET: SECRET }
    const sendTo = (body: string) => deliver({ fetch: fetch as never }, body, instrument(real) as Env)
    const poison = scan()
    const responses: string[] = []
    for (let attempt = 1; attempt <= 5; attempt++) responses.push((await sendTo(poison)).slice(0, 3))
    expect(responses).toEqual(['500', '500', '500', '500', '200'])
    expect(kept).toEqual(['attempts_exhausted'])
    expect(printed.mock.calls.filter(([text]) => String(text).includes('handler_failed'))).toHaveLength(1)
    const once = scan().replace('qr.scanned', 'counterfeit.detected')
    expect([await sendTo(once), await sendTo(once)]).toEqual([PROCESSED, DUPLICATE])
  })

  it('belongs to its env if the env has no own properties, because its values are unknown then', async () => {
    const fetch = toHandler((env: Env) => createReceiver({ secret: env.GOVALID_WEBHOOK_SECRET }).on('*', () => {}))
    const computed = (secret: string) => new Proxy({}, { get: () => secret })
    const body = scan()
    expect(await deliver({ fetch }, body, computed('another secret'))).toBe('401 {"status":"refused"}')
    expect(await deliver({ fetch }, body, computed(SECRET))).toBe(PROCESSED)
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

  it.each<[string, () => never, RegExp]>([
    [
      'a binding as its secret',
      () => createReceiver({ secret: { get: async () => SECRET } as never }) as never,
      /option_invalid: .*\(\) => env\.STORED\.get\(\)/,
    ],
    [
      'a missing database',
      () => createReceiver({ secret: SECRET, store: d1Store({ database: undefined as never }) }) as never,
      /env\.DB/,
    ],
    [
      'a promise as its receiver',
      (async () => createReceiver({ secret: SECRET })) as never,
      /a promise.*\(\) => env\.STORED\.get\(\)/,
    ],
    ['no receiver at all', (() => undefined) as never, /must return a receiver, and returned undefined/],
  ])('with %s responds with 500, and the log names the fix', async (_, create, fix) => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
    expect(await deliver({ fetch: toHandler(create) }, scan())).toBe('500 {"status":"failed"}')
    expect(printed.mock.calls).toEqual([[expect.stringMatching(fix)]])
  })

  it('whose function throws any other error responds with 500, and the log contains the error', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
    const error = new TypeError('no such binding')
    const create = (): never => {
      throw error
    }
    expect(await deliver({ fetch: toHandler(create) }, scan())).toBe('500 {"status":"failed"}')
    expect(printed.mock.calls).toEqual([[expect.stringContaining('toHandler threw'), error]])
  })

  it('is refused at creation if the argument is neither a receiver nor a function', () => {
    expect(() => toHandler({} as never)).toThrow(/explain option_invalid/)
    expect(() => toHandler(undefined as never)).toThrow(/explain option_invalid/)
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
