/** Reads and writes the `--state` file, which keeps the failure counts of each endpoint between runs. */
import type { Endpoint } from '../../api/endpoint.js'
import { isObject } from '../../events/shapes.js'
import type { Host } from '../terminal/host.js'
import { ownFile } from '../terminal/own-file.js'
import { plain } from '../terminal/paint.js'
import { UsageError } from '../terminal/usage-error.js'
import type { Seen } from './warnings.js'

/**
 * Returns the failure counts of the last run, or an empty object on the first run.
 *
 * @throws UsageError if the file can't be read or wasn't written by `--state`.
 */
export function readState(host: Host, file: string): Readonly<Record<string, Seen>> {
  const text = withUsageError(file, () => ownFile(host.cwd, file).read()?.toString('utf8'))
  if (text === undefined) return {}
  const state = parse(text)
  if (!state) throw new UsageError(`${plain(file)} wasn't written by --state. Pass another file to --state.`)
  return state
}

/**
 * Saves the failure counts of this run.
 *
 * @throws UsageError if the file can't be written.
 */
export function writeState(host: Host, file: string, endpoints: readonly Endpoint[]): void {
  const at = new Date().toISOString()
  const seen = endpoints.map(({ id, failure_count = 0 }) => [id, { failures: failure_count, at }])
  const text = `${JSON.stringify(Object.fromEntries(seen), undefined, 2)}\n`
  withUsageError(file, () => ownFile(host.cwd, file).replace([text]))
}

function withUsageError<T>(file: string, use: () => T): T {
  try {
    return use()
  } catch (error) {
    if (error instanceof UsageError) throw error
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    throw new UsageError(`Can't use ${plain(file)} (${code}). Pass another file to --state.`)
  }
}

function parse(text: string): Readonly<Record<string, Seen>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isState =
      isObject(value) && Object.values(value).every((seen) => isObject(seen) && typeof seen['failures'] === 'number')
    return isState ? (value as Readonly<Record<string, Seen>>) : undefined
  } catch {
    return undefined
  }
}
