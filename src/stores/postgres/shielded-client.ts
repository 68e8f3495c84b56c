/**
 * The client that `context.transaction` passes to the handler's function. It is a client of the pool, shielded: it can't return
 * its connection, can't end its transaction, and can't be used once the function has ended.
 */
import { WebhookError } from '../../errors.js'
import type { PostgresClient } from './pool.js'

/** A shielded client, and the function that ends its use. */
export interface Shield<Client extends PostgresClient> {
  readonly client: Client
  close(): void
  /** Returns the client's own error if it caused this one. Query builders wrap errors. */
  refusalIn(error: unknown): WebhookError | undefined
}

/** A statement that begins or ends a transaction. `ROLLBACK TO` belongs to savepoints. */
const TRANSACTION_CONTROL =
  /^(?:\s|--[^\n]*\n|\/\*[^*]*\*\/|;)*(?:begin|start\s+transaction|commit|end|abort|prepare\s+transaction|rollback(?!(?:\s+(?:work|transaction))?\s+to\b))\b/i

/** Shields a client. Query builders call `release()` after each statement, which does nothing here. */
export function shieldClient<Client extends PostgresClient>(client: Client): Shield<Client> {
  let isOpen = true
  let refusal: WebhookError | undefined
  const query = (...args: readonly unknown[]): unknown => {
    const error = isOpen ? refuseControl(args[0]) : ended()
    if (!error) return Reflect.apply(client.query, client, args)
    refusal = error
    return refuse(error, args)
  }
  const own: Readonly<Record<PropertyKey, unknown>> = { query, release: () => {} }
  const shielded = new Proxy(client, {
    get(target, property) {
      if (Object.hasOwn(own, property)) return own[property]
      const value: unknown = Reflect.get(target, property, target)
      // A method may use private fields, so it must run on the client itself.
      return typeof value === 'function' && property !== 'constructor' ? value.bind(target) : value
    },
    set: (target, property, value) => Reflect.set(target, property, value, target),
  })
  return {
    client: shielded,
    close() {
      isOpen = false
    },
    refusalIn(error) {
      for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause === refusal) return refusal
      return undefined
    },
  }
}

function refuseControl(query: unknown): WebhookError | undefined {
  const text = typeof query === 'string' ? query : (query as { readonly text?: unknown } | undefined)?.text
  if (typeof text !== 'string' || !TRANSACTION_CONTROL.test(text)) return undefined
  return transactionEnded('The function of a transaction sent BEGIN, COMMIT or ROLLBACK itself, which was refused.')
}

function ended(): WebhookError {
  return transactionEnded('A client was used after the function of its transaction had ended, so nothing was sent.')
}

/** The error of a function that ends its transaction, or outlives it. */
export function transactionEnded(what: string): WebhookError<'transaction_ended'> {
  const advice =
    'The store commits when the function resolves and rolls back when it rejects. Await every query, and do not call ' +
    'transaction() of a query builder: it sends BEGIN and COMMIT too. See docs/stores/postgres.md.'
  return new WebhookError('transaction_ended', `${what} ${advice}`)
}

/** Refuses in the style of the call: with a callback, or with a promise. */
function refuse(error: WebhookError, args: readonly unknown[]): unknown {
  const callback = args.find((argument) => typeof argument === 'function')
  if (!callback) return Promise.reject(error)
  queueMicrotask(() => Reflect.apply(callback as (error: unknown) => void, undefined, [error]))
  return undefined
}
