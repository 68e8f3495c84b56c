/** The Workers adapter with the real `env` and `ctx`: one receiver per `env`, and work that goes on behind the answer. */
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

/** One delivery: its answer, and what `ctx.waitUntil` was given, awaited. */
async function deliver(worker: ExportedHandler<Env>, body: string, env: Env = ENV): Promise<string> {
  const context = createExecutionContext()
  const response = await worker.fetch?.(
    (await request(body)) as Parameters<NonNullable<typeof worker.fetch>>[0],
    env,
    context,
  )
  const answer = await read(response as Response)
  await waitOnExecutionContext(context)
  return answer
}

function createWorker(options: Partial<ReceiverOptions>, handler: () => unknown = () => {}) {
  const receiver = createReceiver({ secret: SECRET, onError: () => {}, ...options }).on('*', handler)
  return { fetch: toHandler(receiver) } satisfies ExportedHandler<Env> satisfies ExportedHandler
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('a receiver per env', () => {
  it('is created once for each', async () => {
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
    // Another env is another receiver, with a memory of its own.
    expect(await deliver(worker, body, other)).toBe(PROCESSED)
    expect(await deliver(worker, body, other)).toBe(DUPLICATE)
    expect(created).toEqual([ENV, other])
  })

  it.each([
    ['no secret', {}, 'secret_missing'],
    ['a blank one', { GOVALID_WEBHOOK_SECRET: ' ' }, 'secret_blank'],
  ])('with %s is asked for again, and the log says the cure', async (_, env, code) => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
    let calls = 0
    const create = (given: Env) => {
      calls++
      return createReceiver({ secret: given.GOVALID_WEBHOOK_SECRET })
    }
    const worker = { fetch: toHandler(create) }
    for (const _ of [1, 2]) {
      expect(await deliver(worker, scan(), env)).toBe('500 {"status":"refused","code":"secret_missing"}')
    }
    expect(calls).toBe(2)
    expect(printed.mock.calls).toEqual(Array(2).fill([expect.stringContaining(`[govalid-webhooks] ${code}: `)]))
    expect(printed.mock.calls[0]?.[0]).toContain('GOVALID_WEBHOOK_SECRET')
  })

  it('whose function throws anything else is the Worker’s own exception', async () => {
    const create = (): never => {
      throw new TypeError('no such binding')
    }
    await expect(deliver({ fetch: toHandler(create) }, scan())).rejects.toThrow('no such binding')
  })
})

describe('behind the answer', () => {
  it('a handler that outlives the deadline is waited for, and the retry is a duplicate', async () => {
    let finished = 0
    const worker = createWorker({ bodyDeadlineMs: 20, deadlineMs: 20 }, () => pause(100).then(() => finished++))
    const body = scan()
    expect(await deliver(worker, body)).toBe('503 {"status":"unfinished"}')
    expect(finished).toBe(1)
    expect(await deliver(worker, body)).toBe(DUPLICATE)
  })

  it('a completion that the store does not take at once is written again', async () => {
    const inner = memoryStore()
    let completions = 0
    const store: Store = {
      ...inner,
      complete(wanted) {
        if (++completions === 1) throw new Error('the store is away')
        return inner.complete(wanted)
      },
    }
    const worker = createWorker({ store })
    const body = scan()
    expect(await deliver(worker, body)).toBe(PROCESSED)
    expect(completions).toBe(2)
    expect(await deliver(worker, body)).toBe(DUPLICATE)
  })

  it('the lease is not renewed: a Worker may be gone', async () => {
    const inner = memoryStore()
    let renewals = 0
    const store: Store = {
      ...inner,
      renew(wanted) {
        renewals++
        return inner.renew(wanted)
      },
    }
    const worker = createWorker({ store, bodyDeadlineMs: 20, deadlineMs: 20 }, () => pause(100))
    expect(await deliver(worker, scan())).toBe('503 {"status":"unfinished"}')
    expect(renewals).toBe(0)
  })

  it('everything of a delivery is given to ctx.waitUntil, so that a sender may hang up', async () => {
    const given: Promise<unknown>[] = []
    const context = { ...createExecutionContext(), waitUntil: (work: Promise<unknown>) => void given.push(work) }
    let release = () => {}
    const worker = createWorker({}, () => new Promise<void>((resolve) => (release = resolve)))
    const answer = worker.fetch(await request(scan()), ENV, context)
    await vi.waitUntil(() => given.length === 1)
    let settled = false
    void given[0]?.then(() => {
      settled = true
    })
    await pause(50)
    expect(settled).toBe(false)
    release()
    expect(await read(await answer)).toBe(PROCESSED)
    await given[0]
  })
})
