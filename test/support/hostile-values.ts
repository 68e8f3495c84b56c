/** Values that user code may throw, return or resolve to, and that break code which touches them unguarded. */

/** A hostile value. Each test makes its own. */
export interface HostileValue {
  readonly name: string
  /** Whether reading `then` throws, so that awaiting the value rejects. */
  readonly throwsOnThen: boolean
  make(): unknown
}

/** Thrown by traps and getters. */
const TRAP_ERROR = new Error('a trap of the application threw')

const trap = (): never => {
  throw TRAP_ERROR
}

/** Throws a value, where only an expression may stand. */
export function throwValue(value: unknown): never {
  throw value
}

/** An object whose every use throws. */
export function revokedProxy(target: object = {}): object {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

/** An object whose every trap throws. */
export function trappingProxy(target: object = {}): object {
  return new Proxy(target, new Proxy({}, { get: () => trap }))
}

/** Gives an object fields that throw when they are read. */
export function withTraps<T extends object>(object: T, ...names: readonly string[]): T {
  for (const name of names) Object.defineProperty(object, name, { get: trap, configurable: true })
  return object
}

const ERROR_FIELDS = ['message', 'stack', 'name', 'code', 'cause', 'errors', 'toString']

function circular(): Error {
  const error = new Error('circular')
  error.cause = error
  return error
}

const value = (name: string, make: () => unknown, throwsOnThen = false): HostileValue => ({ name, throwsOnThen, make })

/** The hostile values that aren't promises. */
export const HOSTILE_VALUES: readonly HostileValue[] = [
  value('a revoked Proxy', () => revokedProxy(), true),
  value('a revoked Proxy of a function', () => revokedProxy(() => {}), true),
  value('a revoked Proxy of an Error', () => revokedProxy(new Error('no')), true),
  value('a Proxy whose traps throw', () => trappingProxy(), true),
  value('an object whose then throws', () => withTraps({}, 'then'), true),
  value('an object whose fields throw', () => withTraps({}, ...ERROR_FIELDS)),
  value('an Error whose fields throw', () => withTraps(new Error('no'), ...ERROR_FIELDS)),
  value('an Error whose fields are symbols', () =>
    Object.assign(new Error('no'), { message: Symbol('no'), stack: Symbol('no'), name: Symbol('no') }),
  ),
  value('an Error that causes itself', circular),
  value('an AggregateError of a revoked Proxy', () => new AggregateError([revokedProxy()], 'no')),
  value('an AggregateError whose errors are null', () => Object.assign(new AggregateError([], 'no'), { errors: null })),
  value('an object without a prototype', () => Object.create(null)),
  value('an object whose toString returns an object', () => ({ toString: () => ({}), valueOf: () => ({}) })),
  value('a frozen Error', () => Object.freeze(new Error('frozen'))),
  value('an array that holds itself', () => {
    const list: unknown[] = []
    list.push(list)
    return list
  }),
  value('null', () => null),
  value('undefined', () => undefined),
  value('a symbol', () => Symbol('no')),
  value('a BigInt', () => 10n),
  value('NaN', () => Number.NaN),
  value('a function', () => trap),
]

/** A thenable that doesn't keep the rules of promises. */
export interface HostileThenable {
  readonly name: string
  readonly settles: 'value' | 'error' | 'never'
  make(): PromiseLike<unknown>
}

type Then = (resolve: (value: unknown) => void, reject: (error: unknown) => void) => unknown

function thenable(name: string, settles: HostileThenable['settles'], then: Then): HostileThenable {
  return { name, settles, make: () => ({ then }) as unknown as PromiseLike<unknown> }
}

const REJECTING = thenable('rejects', 'error', (_, reject) => reject(new Error('inner')))

/** The hostile thenables. Each resolves to `undefined`, rejects with an Error, or never settles. */
export const HOSTILE_THENABLES: readonly HostileThenable[] = [
  thenable('resolves synchronously', 'value', (resolve) => resolve(undefined)),
  thenable('resolves twice', 'value', (resolve) => {
    resolve(undefined)
    resolve(undefined)
  }),
  thenable('resolves and then rejects', 'value', (resolve, reject) => {
    resolve(undefined)
    reject(new Error('too late'))
  }),
  thenable('resolves and then throws', 'value', (resolve) => {
    resolve(undefined)
    throw new Error('too late')
  }),
  thenable('rejects and then resolves', 'error', (resolve, reject) => {
    reject(new Error('first'))
    resolve(undefined)
  }),
  thenable('throws', 'error', () => {
    throw new Error('from then')
  }),
  thenable('resolves to a thenable that rejects', 'error', (resolve) => resolve(REJECTING.make())),
  thenable('never calls back', 'never', () => {}),
]
