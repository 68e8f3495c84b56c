/**
 * The Cloudflare Durable Objects store: one round trip per operation. Deliveries are spread over a fixed number of objects by
 * the first digit of their keys. Takes a binding of `IdempotencyObject` (see `idempotency-object.ts`).
 */
import { WebhookError } from '../../errors.js'
import type { Quarantine, QuarantineEntry, Store } from '../store.js'
import type { ObjectOperations } from './idempotency-object.js'
import { decodeMessage, encodeMessage, OBJECT_HEADER } from './object-messages.js'

export { IdempotencyObject } from './idempotency-object.js'

/** `Uint8Array<ArrayBuffer>`. Public types can't name it, because `Uint8Array` has no type parameter before TypeScript 5.7. */
type FetchBytes = ReturnType<Uint8ArrayConstructor['of']>

/** The part of an object (`DurableObjectStub`) that the driver uses. Every call may be repeated. */
export interface IdempotencyStub {
  /** Sends a request to the object. */
  fetch(url: string, request: { readonly method: 'POST'; readonly body: FetchBytes }): Promise<ObjectResponse>
}

/** The part of an object's response that the driver uses. */
export interface ObjectResponse {
  /** The response's headers. */
  readonly headers: Pick<Headers, 'get'>
  /** The response's body. */
  arrayBuffer(): Promise<ArrayBuffer>
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
  readonly name?: string | undefined
  /**
   * The number of objects that the deliveries are spread over. One object handles a few hundred deliveries per second. A
   * different number uses different objects, which don't have the records of the previous ones. Default: 16.
   */
  readonly shards?: 1 | 16 | undefined
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
  const call: CallObject = (key, operation, ...message) => {
    const prefix = shards === 1 ? '' : key.slice(0, 1)
    const object = () => namespace.get(namespace.idFromName(`${name}/${shards}/${prefix}`))
    return callObject(object, operation, encodeMessage(...message)) as Promise<never>
  }
  return {
    claim: (request) => call(request.key, 'claim', request),
    renew: (request) => call(request.key, 'renew', request),
    complete: (request) => call(request.key, 'complete', request),
    release: (request) => call(request.key, 'release', request),
    quarantine: createQuarantine(call, prefixes),
  }
}

/** Calls the object that is responsible for a key. */
type CallObject = <Name extends keyof ObjectOperations>(
  key: string,
  operation: Name,
  ...message: Parameters<typeof encodeMessage>
) => Promise<Awaited<ReturnType<ObjectOperations[Name]>>>

/**
 * Repeats a failed call once with a new stub, because an object that is being reset or moved fails its current calls. An
 * overloaded object gets no second call, which would add to its load.
 */
async function callObject(object: () => IdempotencyStub, operation: string, body: Uint8Array<ArrayBuffer>) {
  try {
    return await send(object(), operation, body)
  } catch (error) {
    if ((error as { readonly overloaded?: unknown }).overloaded === true) {
      const message = 'overloaded: the Durable Object refused the operation, because too many operations wait for it.'
      throw new WebhookError('overloaded', message, { cause: error })
    }
    const mistake = findMistake(error)
    if (mistake) throw mistake
    return send(object(), operation, body)
  }
}

async function send(object: IdempotencyStub, operation: string, body: Uint8Array<ArrayBuffer>): Promise<unknown> {
  const response = await object.fetch(`https://idempotency-object/${operation}`, { method: 'POST', body })
  if (response.headers.get(OBJECT_HEADER) === null) throw new Error(OTHER_CLASS)
  return decodeMessage(await response.arrayBuffer())
}

const OTHER_CLASS = 'The response comes from another class than IdempotencyObject.'

/** Recognizes mistakes of the Worker's configuration, which no repetition heals. */
function findMistake(error: unknown): WebhookError | undefined {
  const text = String(error)
  const fix = /SQL is not enabled/i.test(text)
    ? 'Its class needs SQLite: name it under new_sqlite_classes instead of new_classes, with a new binding.'
    : text.includes(OTHER_CLASS) || /does not (export|implement|define) .*fetch/i.test(text)
      ? 'Bind the class IdempotencyObject, and export it from the main module of the Worker.'
      : undefined
  if (fix === undefined) return undefined
  const message = `The binding of durableObjectStore doesn't lead to an IdempotencyObject that can store. ${fix}`
  return new WebhookError('store_unsuitable', `${message} See docs/stores/durable-object.md.`, { cause: error })
}

function createQuarantine(call: CallObject, prefixes: readonly string[]): Quarantine {
  const put = async (entry: QuarantineEntry) => void (await call(entry.key, 'put-entry', [], [entry]))
  return Object.assign(put, {
    discard: async (key: string) => void (await call(key, 'discard-entry', key)),
    get: async (key: string) => (await call(key, 'get-entry', key))[0],
    list: ({ limit = 100, after = '' } = {}) => listEntries(call, prefixes, limit, after),
    count: async () => {
      const counts = await Promise.all(prefixes.map((prefix) => call(prefix, 'count-entries', null)))
      return counts.reduce((sum, count) => sum + count, 0)
    },
  })
}

/** Lists entries across objects. Each object has a range of keys, so the order of the objects is the order of the keys. */
async function listEntries(
  call: CallObject,
  prefixes: readonly string[],
  limit: number,
  after: string,
): Promise<QuarantineEntry[]> {
  const entries: QuarantineEntry[] = []
  for (const prefix of prefixes.filter((start) => start >= after.slice(0, start.length))) {
    for (let hasMore = true; hasMore && entries.length < limit; ) {
      const last = entries.at(-1)?.key ?? after
      const page = await call(prefix, 'list-entries', { limit: limit - entries.length, after: last })
      entries.push(...page)
      hasMore = page.length > 0
    }
  }
  return entries
}
