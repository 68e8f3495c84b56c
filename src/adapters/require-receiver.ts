/** Shared by all adapters: refuses an argument that isn't a receiver, at creation instead of on the first request. */
import { WebhookError } from '../errors.js'

/**
 * Checks the argument of `toHandler` or `toPlugin`.
 *
 * @throws WebhookError `option_invalid` if it has no `receive` method.
 */
export function requireReceiver(receiver: unknown, name: string): void {
  if (typeof (receiver as { readonly receive?: unknown } | null | undefined)?.receive === 'function') return
  const given = receiver === null ? 'null' : typeof receiver
  throw new WebhookError(
    'option_invalid',
    `${name} must be given a receiver, and was given ${given}. Write: ${name}(createReceiver({ secret: … })).`,
  )
}
