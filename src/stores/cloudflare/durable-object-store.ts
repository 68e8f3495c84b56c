/**
 * Store driver for Cloudflare Durable Objects: a bounded number of objects, each of which keeps the deliveries whose keys begin with its
 * digit. One round trip a step. In: a binding of `IdempotencyObject`, whose class is in `idempotency-object.ts`.
 */
import { WebhookError } from '../../errors.js'
import type { Quarantine, QuarantineEntry, Store } from '../store.js'
import type { IdempotencyObject } from './idempotency-object.js'

export { IdempotencyObject } from './idempotency-object.js'

/** An object as the driver calls it (`DurableObjectStub`); every call may be repeated. */
export type IdempotencyStub = {
  readonly [Step in
    | 'claim'
    | 'renew'
    | 'complete'
    | 'release'
    | 'putEntry'
    | 'discardEntry'
    | 'getEntry'
    | 'listEntries']: (
    ...input: Parameters<IdempotencyObject[Step]>
  ) => Promise<Awaited<ReturnType<IdempotencyObject[Step]>>>
}

/** The binding of a namespace of {@link IdempotencyObject} (`DurableObjectNamespace`), as far as it is used. */
export interface IdempotencyNamespace {
  /** The id of the object of that name. */
  idFromName(name: string): object
  /** The object of that id. */
  get(id: object): IdempotencyStub
}

/** What `durableObjectStore` takes. */
export interface DurableObjectStoreOptions {
  /** The binding: `env.IDEMPOTENCY`. */
  readonly namespace: IdempotencyNamespace
  /** Keeps receivers apart that share the binding: deliveries of one are unknown to the others. Default: `'default'`. */
  readonly name?: string
  /**
   * Over how many objects the deliveries are spread. One object serves some hundred deliveries a second. Another number means other
   * objects, which know nothing of what the old ones remember. Default: 16.
   */
  readonly shards?: 1 | 16
}

/** A store in Durable Objects, with a quarantine of its own. */
export interface DurableObjectStore extends Store {
  /** The quarantine, kept in the same objects. */
  readonly quarantine: Quarantine
}

/**
 * Makes a store in Durable Objects. Calls nothing until the first delivery.
 *
 * @throws WebhookError `option_invalid` when `namespace` is no Durable Object namespace, or `shards` neither 1 nor 16.
 *
 * @example
 * ```ts
 * import { createReceiver } from 'govalid-webhooks'
 * import { toHandler } from 'govalid-webhooks/cloudflare'
 * import { durableObjectStore, type IdempotencyNamespace } from 'govalid-webhooks/stores/durable-object'
 *
 * export { IdempotencyObject } from 'govalid-webhooks/stores/durable-object'
 *
 * interface Env { IDEMPOTENCY: IdempotencyNamespace; GOVALID_WEBHOOK_SECRET: string }
 *
 * const createEndpoint = (env: Env) =>
 *   createReceiver({ secret: env.GOVALID_WEBHOOK_SECRET, store: durableObjectStore({ namespace: env.IDEMPOTENCY }) })
 *
 * export default { fetch: toHandler(createEndpoint) }
 * ```
 */
export function durableObjectStore(options: DurableObjectStoreOptions): DurableObjectStore {
  const { namespace, name = 'default', shards = 16 } = options
  if (typeof namespace?.idFromName !== 'function' || typeof namespace.get !== 'function') {
    const message = 'namespace must be a Durable Object binding: durableObjectStore({ namespace: env.IDEMPOTENCY }).'
    throw new WebhookError('option_invalid', message)
  }
  if (shards !== 1 && shards !== 16) {
    throw new WebhookError('option_invalid', `shards must be 1 or 16; it is ${String(shards)}.`)
  }
  const prefixes = shards === 1 ? [''] : [...'0123456789abcdef']
  const call: Call = (key, step) => {
    const prefix = shards === 1 ? '' : key.slice(0, 1)
    const object = () => namespace.get(namespace.idFromName(`${name}/${shards}/${prefix}`))
    return callTwice(() => step(object()))
  }
  return {
    claim: (request) => call(request.key, (object) => object.claim(request)),
    renew: (request) => call(request.key, (object) => object.renew(request)),
    complete: (request) => call(request.key, (object) => object.complete(request)),
    release: (request) => call(request.key, (object) => object.release(request)),
    quarantine: createQuarantine(call, prefixes),
  }
}

/** Calls the object that keeps a key. */
type Call = <T>(key: string, step: (object: IdempotencyStub) => Promise<T>) => Promise<T>

/** An object that is reset or moved fails what it is asked just then. Every step may be repeated, so a new stub asks once more. */
async function callTwice<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    const { overloaded } = error as { readonly overloaded?: unknown }
    if (overloaded === true) throw error
    return step()
  }
}

function createQuarantine(call: Call, prefixes: readonly string[]): Quarantine {
  // An object without a prototype, as a receiver's headers are, cannot be sent to another object.
  const put = (entry: QuarantineEntry) =>
    call(entry.key, (object) => object.putEntry({ ...entry, headers: { ...entry.headers } }))
  return Object.assign(put, {
    discard: (key: string) => call(key, (object) => object.discardEntry(key)),
    get: (key: string) => call(key, (object) => object.getEntry(key)),
    list: ({ limit = 100, after = '' } = {}) => listEntries(call, prefixes, limit, after),
  })
}

/** Objects hold ranges of keys, so the order of the objects is the order of the keys. */
async function listEntries(
  call: Call,
  prefixes: readonly string[],
  limit: number,
  after: string,
): Promise<QuarantineEntry[]> {
  const entries: QuarantineEntry[] = []
  for (const prefix of prefixes.filter((start) => start >= after.slice(0, start.length))) {
    for (let isMore = true; isMore && entries.length < limit; ) {
      const last = entries.at(-1)?.key ?? after
      const page = await call(prefix, (object) => object.listEntries(limit - entries.length, last))
      entries.push(...page)
      isMore = page.length > 0
    }
  }
  return entries
}
