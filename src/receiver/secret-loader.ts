/**
 * Loads the secrets: at creation if they are a value, on the first delivery if they are a function. Only a success is kept.
 */
import { type Deadline, withTimeout } from '../clock.js'
import { createSecretKeys, type Secret, type SecretKeys, type SecretSource } from '../crypto/secrets.js'
import { isWebhookError } from '../errors.js'
import type { Outcome } from '../types.js'
import type { Settings } from './options.js'
import type { Reporter } from './reporter.js'

type Secrets = Secret | readonly Secret[]

/** Returns the secrets, or an outcome if they can't be loaded. */
export type SecretLoader = (deadline: Deadline) => Promise<SecretKeys | Outcome> | SecretKeys

/** The maximum time of the secret function, in milliseconds. */
const SECRET_CALL_MS = 1000

/**
 * Creates a loader.
 *
 * @throws {@link WebhookError} `secret_missing`, `secret_blank` or `option_invalid` if the secrets are a value.
 */
export function createSecretLoader(source: SecretSource, settings: Settings, reporter: Reporter): SecretLoader {
  let loaded = typeof source === 'function' ? undefined : createSecretKeys(source)
  // Until the first success, each delivery calls the function itself, because Workers may not share a promise between requests.
  return (deadline) => loaded ?? load(Math.min(SECRET_CALL_MS, deadline.left()))
  async function load(limitMs: number): Promise<SecretKeys | Outcome> {
    const call = source as () => Secrets | Promise<Secrets>
    let loading: Secrets | Promise<Secrets>
    const result = await withTimeout(settings.clock, limitMs, () => {
      loading = call()
      return loading
    })
    try {
      if (result.status === 'error') throw result.error
      if (result.status === 'late') {
        void keepLate(loading)
        throw new Error('the secret function did not return in time')
      }
      loaded = createSecretKeys(result.value)
      return loaded
    } catch (error) {
      const isMistake = result.status === 'value' && isWebhookError(error)
      const message = isMistake ? error.message : 'The secret function failed. GoValid gets a 503 and retries.'
      const code = isMistake ? 'secret_missing' : 'secret_unavailable'
      reporter.report({ code, message, ...(!isMistake && { error }) })
      return isMistake
        ? { status: 'refused', code: 'secret_missing' }
        : { status: 'unavailable', code: 'secret_unavailable', error }
    }
  }
  /** A function that is always too slow must not stop every delivery, so its late result serves the next one. */
  async function keepLate(loading: Secrets | Promise<Secrets>): Promise<void> {
    try {
      loaded ??= createSecretKeys(await loading)
    } catch {
      // The next delivery calls the function again, and reports.
    }
  }
}
