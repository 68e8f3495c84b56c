/**
 * Loads the secrets: at creation where they are a value, with the first delivery where they are a function. Only success is kept.
 */
import { type Deadline, withTimeout } from '../clock.js'
import { createSecretKeys, type Secret, type SecretKeys, type SecretSource } from '../crypto/secrets.js'
import { isWebhookError } from '../errors.js'
import type { Outcome } from '../types.js'
import type { Settings } from './options.js'
import type { Reporter } from './reporter.js'

type Secrets = Secret | readonly Secret[]

/** The secrets; what stops them from being loaded is an outcome. */
export type SecretLoader = (deadline: Deadline) => Promise<SecretKeys | Outcome> | SecretKeys

/** The longest the secret's function may take, in milliseconds. */
const SECRET_CALL_MS = 1000

/**
 * Makes a loader.
 *
 * @throws {@link WebhookError} `secret_missing`, `secret_blank`, `option_invalid` where the secrets are a value.
 */
export function createSecretLoader(source: SecretSource, settings: Settings, reporter: Reporter): SecretLoader {
  let loaded = typeof source === 'function' ? undefined : createSecretKeys(source)
  // Each delivery that comes before the first success calls the function for itself: Workers may not share a promise between requests.
  return (deadline) => loaded ?? load(Math.min(SECRET_CALL_MS, deadline.left()))
  async function load(limitMs: number): Promise<SecretKeys | Outcome> {
    const call = source as () => Secrets | Promise<Secrets>
    let asked: Secrets | Promise<Secrets>
    const settled = await withTimeout(settings.clock, limitMs, () => {
      asked = call()
      return asked
    })
    try {
      if (settled.status === 'error') throw settled.error
      if (settled.status === 'late') {
        void keepLate(asked)
        throw new Error('the secret’s function did not answer in time')
      }
      loaded = createSecretKeys(settled.value)
      return loaded
    } catch (error) {
      const misused = settled.status === 'value' && isWebhookError(error)
      const message = misused ? error.message : 'The secret’s function failed; the delivery is answered 503.'
      const code = misused ? 'secret_missing' : 'secret_unavailable'
      reporter.report({ code, message, ...(!misused && { error }) })
      return misused
        ? { status: 'refused', code: 'secret_missing' }
        : { status: 'unavailable', code: 'secret_unavailable', error }
    }
  }
  /** A function that is always slower than the limit must not stop every delivery: what it gave late is there for the next. */
  async function keepLate(asked: Secrets | Promise<Secrets>): Promise<void> {
    try {
      loaded ??= createSecretKeys(await asked)
    } catch {
      // The next delivery asks again, and reports.
    }
  }
}
