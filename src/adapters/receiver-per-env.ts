/**
 * Shared by the adapters for Workers: turns a function from `env` to a receiver into one that keeps its receivers. Instrumentation such as
 * Sentry passes a new Proxy of `env` with every request, so environments are compared by their values.
 */
import { WebhookError } from '../errors.js'
import { isReceiver } from './require-receiver.js'

/** More receivers than an isolate ever needs. Tests may pass many environments. */
const MAX_KEPT = 32

/** A receiver, and the values of the environment that it was created for. */
interface Kept<Receiver> {
  readonly values: ReadonlyMap<string, unknown>
  readonly receiver: Receiver
}

/**
 * Returns a function that calls `create` once for equal environments: the same names with the same values. A call that throws isn't kept.
 * `method` is the method that the adapter needs, and `name` the adapter's function, for messages.
 */
export function receiverPerEnv<Env, Receiver extends object>(
  create: (env: Env) => Receiver,
  method: 'receive' | 'process',
  name: string,
): (env: Env) => Receiver {
  const byIdentity = new WeakMap<object, Receiver>()
  const kept: Kept<Receiver>[] = []
  const withoutEnv = {}
  return function receiverFor(env) {
    const key = typeof env === 'object' && env !== null ? env : withoutEnv
    const known = byIdentity.get(key)
    if (known) return known
    const values = valuesOf(key)
    const receiver = kept.find((each) => isSame(each.values, values))?.receiver ?? requireResult(create(env))
    if (!kept.some((each) => each.receiver === receiver)) kept.push({ values, receiver })
    if (kept.length > MAX_KEPT) kept.shift()
    byIdentity.set(key, receiver)
    return receiver
  }

  function requireResult(receiver: Receiver): Receiver {
    if (isReceiver(receiver, method)) return receiver
    const isPromise = typeof (receiver as { readonly then?: unknown } | undefined)?.then === 'function'
    const fix = isPromise
      ? 'Pass what must be awaited as a function: secret: () => env.STORED.get().'
      : `Write: ${name}((env) => createReceiver({ secret: env.GOVALID_WEBHOOK_SECRET })).`
    const given = isPromise ? 'a promise' : receiver === null ? 'null' : typeof receiver
    const message = `The function given to ${name} must return a receiver, and returned ${given}. ${fix}`
    throw new WebhookError('option_invalid', message)
  }
}

/** Reads the values below a Proxy's `get` trap, because instrumentation wraps bindings in new objects there. */
function valuesOf(env: object): ReadonlyMap<string, unknown> {
  const properties = Object.entries(Object.getOwnPropertyDescriptors(env))
  return new Map(
    properties.map(([name, property]) => [name, 'value' in property ? property.value : Reflect.get(env, name)]),
  )
}

/** An environment without own properties may compute its values, so it never equals another one. */
function isSame(one: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>): boolean {
  if (one.size !== other.size || one.size === 0) return false
  return [...one].every(([name, value]) => other.has(name) && Object.is(value, other.get(name)))
}
