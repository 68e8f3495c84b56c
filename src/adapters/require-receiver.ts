/** Shared by all adapters: refuses an argument that isn't a receiver, at creation instead of on the first request. */
import { WebhookError } from '../errors.js'

/** Returns whether a value has the method of a receiver that an adapter calls. */
export function isReceiver(value: unknown, method: 'receive' | 'process' = 'receive'): boolean {
  return typeof (value as Readonly<Record<string, unknown>> | null | undefined)?.[method] === 'function'
}

/**
 * Checks the argument of `toHandler`, `toPlugin` or `toQueueHandler`.
 *
 * @throws WebhookError `option_invalid` if it has no such method.
 */
export function requireReceiver(receiver: unknown, name: string, method: 'receive' | 'process' = 'receive'): void {
  if (isReceiver(receiver, method)) return
  const given = receiver === null ? 'null' : typeof receiver
  throw new WebhookError(
    'option_invalid',
    `${name} must be given a receiver, and was given ${given}. Write: ${name}(createReceiver({ secret: … })).`,
  )
}
