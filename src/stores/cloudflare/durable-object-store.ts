/**
 * The Cloudflare Durable Objects store: one round trip per operation. Deliveries are spread over a fixed number of objects by
 * the first digit of their keys. Takes a binding of `IdempotencyObject` (see `idempotency-object.ts`).
 */
import { WebhookError } from '../../errors.js'
import type { Quarantine, QuarantineEntry, Store } from '../store.js'
import type { IdempotencyObject } from './idempotency-object.js'

export { IdempotencyObject } from './idempotency-object.js'

/** The part of an object (`DurableObjectStub`) that the driver uses. Every call may be repeated. */
export type IdempotencyStub = {
  readonly [Method in
    | 'claim'
    | 'renew'
    | 'complete'
    | 'release'
    | 'putEntry'
    | 'discardEntry'
    | 'getEntry'
    | 'listEntries']: (
    ...input: Parameters<IdempotencyObject[Method]>
  ) => Promise<Awaited<ReturnType<IdempotencyObject[Method]>>>
}

/** The part of the binding of {@link IdempotencyObject} (`DurableObjectNamespace`) that the driver uses. */
export interface IdempotencyNamespace {
  /** Returns the id of the object with that name. */
  idFromName(name: string): object
  /** Returns the object with that id. */
  get(id: object): IdempotencyStub
}

/** The options of {@link durableObjectStore}. */
export interface DurableObjectStoreOptions {
  /** The binding: `env.IDEMPOTENCY`. */
  readonly namespace: IdempotencyNamespace
  /** Separates receivers that share the binding: a receiver sees only its own deliveries. Default: `'default'`. */
  readonly name?: string
  /**
   * The number of objects that the deliveries are spread over. One object handles a few hundred deliveries per second. A
   * different number uses different objects, which don't have the records of the previous ones. Default: 16.
   */
  readonly shards?: 1 | 16
}

/** A store in Durable Objects, with its own quarantine. */
export interface DurableObjectStore extends Store {
  /** The quarantine in the same objects. */
  readonly quarantine: Quarantine
}

/**
 * Creates a store in Durable Objects. It calls nothing until the first delivery.
 *
 * @throws WebhookError `option_invalid` if `namespace` isn't a Durable Object namespace, or `shards` isn't 1 or 16.
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
    const message =
      'namespace must be a Durable Object binding: durableObjectStore({ namespace: env.IDEMPOTENCY }). See docs/stores/durable-object.md.'
    throw new WebhookError('option_invalid', message)
  }
  if (shards !== 1 && shards !== 16) {
    throw new WebhookError('option_invalid', `shards must be 1 or 16; it is ${String(shards)}.`)
  }
  const prefixes = shards === 1 ? [''] : [...'0123456789abcdef']
  const callObject: CallObject = (key, operation) => {
    const prefix = shards === 1 ? '' : key.slice(0, 1)
    const object = () => namespace.get(namespace.idFromName(`${name}/${shards}/${prefix}`))
    return retryOnce(() => operation(object()))
  }
  return {
    claim: (request) => callObject(request.key, (object) => object.claim(request)),
    renew: (request) => callObject(request.key, (object) => object.renew(request)),
    complete: (request) => callObject(request.key, (object) => object.complete(request)),
    release: (request) => callObject(request.key, (object) => object.release(request)),
    quarantine: createQuarantine(callObject, prefixes),
  }
}

/** Calls the object that is responsible for a key. */
type CallObject = <T>(key: string, operation: (object: IdempotencyStub) => Promise<T>) => Promise<T>

/**
 * Repeats a failed call once with a new stub, because an object that is being reset or moved fails its current calls. An
 * overloaded object gets no second call, which would add to its load.
 */
async function retryOnce<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (error) {
    const { overloaded } = error as { readonly overloaded?: unknown }
    if (overloaded === true) throw error
    return operation()
  }
}

function createQuarantine(callObject: CallObject, prefixes: readonly string[]): Quarantine {
  // The receiver's headers have no prototype. Such an object can't be sent to a Durable Object, so copy it.
  const put = (entry: QuarantineEntry) =>
    callObject(entry.key, (object) => object.putEntry({ ...entry, headers: { ...entry.headers } }))
  return Object.assign(put, {
    discard: (key: string) => callObject(key, (object) => object.discardEntry(key)),
    get: (key: string) => callObject(key, (object) => object.getEntry(key)),
    list: ({ limit = 100, after = '' } = {}) => listEntries(callObject, prefixes, limit, after),
  })
}

/** Lists entries across objects. Each object has a range of keys, so the order of the objects is the order of the keys. */
async function listEntries(
  callObject: CallObject,
  prefixes: readonly string[],
  limit: number,
  after: string,
): Promise<QuarantineEntry[]> {
  const entries: QuarantineEntry[] = []
  for (const prefix of prefixes.filter((start) => start >= after.slice(0, start.length))) {
    for (let hasMore = true; hasMore && entries.length < limit; ) {
      const last = entries.at(-1)?.key ?? after
      const page = await callObject(prefix, (object) => object.listEntries(limit - entries.length, last))
      entries.push(...page)
      hasMore = page.length > 0
    }
  }
  return entries
}
