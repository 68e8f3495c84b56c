/**
 * Loads the secrets: at creation if they are a value, on the first delivery if they are a function. Only a success is kept. After a signature
 * that doesn't match, the function is called again, so that a rotated secret needs no restart.
 */
import { type Deadline, monotonicMs, withTimeout } from '../clock.js'
import { createSecretKeys, type Secret, type SecretKeys, type SecretSource } from '../crypto/secrets.js'
import { isWebhookError } from '../errors.js'
import type { Outcome } from '../types.js'
import type { Settings } from './options.js'
import type { Reporter } from './reporter.js'

type Secrets = Secret | readonly Secret[]

/** Loads the secrets of a receiver. */
export interface SecretLoader {
  /** Returns the secrets, or an outcome if they can't be loaded. */
  loadSecrets(deadline: Deadline): Promise<SecretKeys | Outcome> | SecretKeys
  /**
   * Loads the secrets again after a signature that doesn't match. Returns `undefined` if they are a value, or were loaded less than a minute
   * ago, because strangers can send any number of wrong signatures. Resolves to `undefined` if the function fails; the old secrets stay.
   */
  reloadSecrets(deadline: Deadline): Promise<SecretKeys | undefined> | undefined
}

/** The maximum time of the secret function, in milliseconds. */
const SECRET_CALL_MS = 1000
/** The minimum time between two calls after signatures that don't match, in milliseconds. A retry of GoValid comes after a minute. */
const RELOAD_PAUSE_MS = 55_000

const FAILED = 'The secret function failed. GoValid gets a 503 and retries.'
const FAILED_AGAIN =
  'The secret function failed after a signature did not match. The receiver keeps the secrets that it has.'

/**
 * Creates a loader.
 *
 * @throws {@link WebhookError} `secret_missing`, `secret_blank` or `option_invalid` if the secrets are a value.
 */
export function createSecretLoader(source: SecretSource, settings: Settings, reporter: Reporter): SecretLoader {
  let loaded = typeof source === 'function' ? undefined : createSecretKeys(source)
  let loadedAt = 0
  return {
    // Until the first success, each delivery calls the function itself, because Workers may not share a promise between requests.
    loadSecrets: (deadline) => loaded ?? load(Math.min(SECRET_CALL_MS, deadline.left()), FAILED),
    reloadSecrets(deadline) {
      const now = monotonicMs(settings.clock)
      if (typeof source !== 'function' || now - loadedAt < RELOAD_PAUSE_MS) return undefined
      // Set before the call, so that the requests that arrive meanwhile don't call it too.
      loadedAt = now
      const limitMs = Math.min(SECRET_CALL_MS, deadline.left())
      return load(limitMs, FAILED_AGAIN).then((result) => ('status' in result ? undefined : result))
    },
  }
  async function load(limitMs: number, failed: string): Promise<SecretKeys | Outcome> {
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
      loadedAt = monotonicMs(settings.clock)
      return loaded
    } catch (error) {
      const isMistake = result.status === 'value' && isWebhookError(error)
      const message = isMistake ? error.message : failed
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
      loaded = createSecretKeys(await loading)
      loadedAt = monotonicMs(settings.clock)
    } catch {
      // The next delivery calls the function again, and reports.
    }
  }
}
